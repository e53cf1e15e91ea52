"""The classroom: everything that knows about notebooks, marks and pictures. It imports the method."""

from mlcourse.classroom.cells import example, export_progress, import_progress, practice, progress, reset
from mlcourse.classroom.learner.notebook import reveal, start_lesson
from mlcourse.classroom.lessons import lesson

__all__ = [
    "example",
    "export_progress",
    "import_progress",
    "lesson",
    "practice",
    "progress",
    "reset",
    "reveal",
    "start_lesson",
]
