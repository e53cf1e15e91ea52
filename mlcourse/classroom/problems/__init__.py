"""The problems, one module a lesson; in it one class a problem, in the order in which they are shown."""

from importlib import import_module
from importlib.util import find_spec
from inspect import isclass

from mlcourse.classroom.judging import Problem


def lessons():
    """Numbers of the lessons that have problems."""
    return [number for number in range(1, 15) if find_spec(f"{__name__}.lesson{number:02}")]


def of_lesson(number):
    """name -> Problem of a lesson, in order. Raises ValueError for a lesson without problems."""
    if number not in lessons():
        raise ValueError(f"number must be a lesson with exercises, one of {lessons()}, got {number!r}")
    module = import_module(f"{__name__}.lesson{number:02}")
    classes = [value for value in vars(module).values() if isclass(value) and issubclass(value, Problem)]
    return {made.__name__: made() for made in classes if made.__module__ == module.__name__}
