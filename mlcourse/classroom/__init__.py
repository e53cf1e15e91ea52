"""The classroom: everything that knows about notebooks, marks and pictures. It imports the method."""

from mlcourse.classroom.grader import lesson
from mlcourse.classroom.notebook import reveal, start_lesson

__all__ = ["lesson", "reveal", "start_lesson"]
