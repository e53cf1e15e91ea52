"""The classroom: everything that knows about notebooks, marks and pictures. It imports the method."""

from mlcourse.classroom.notebook import reveal, start_lesson

__all__ = ["reveal", "start_lesson"]
