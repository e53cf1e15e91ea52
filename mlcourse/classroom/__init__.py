"""The classroom: everything that knows about notebooks, marks and pictures. It imports the method."""

from mlcourse.classroom.learner.notebook import reveal, start_lesson
from mlcourse.classroom.lessons import lesson

__all__ = ["lesson", "reveal", "start_lesson"]
