"""One check as it is kept: what was checked when, and what came of it."""

from datetime import datetime
from typing import NamedTuple

OUTCOMES = ("correct", "wrong", "not attempted", "not marked")


class Check(NamedTuple):
    """A row of the learner's progress; two checks that are equal in all of it are one.

    at  local time, ISO 8601 to the second
    """

    at: str
    lesson: int
    problem: str
    seed: int
    outcome: str
    misconception: str | None = None
    message: str | None = None


def read_check(values):
    """The Check that a list of values is. Raises ValueError where it is none."""
    try:
        check = Check(*values)
        datetime.fromisoformat(check.at)
    except TypeError:
        raise ValueError(f"no check of the course: {values!r:.60}") from None
    words = (check.problem, check.misconception or "", check.message or "")
    numbers = (check.lesson, check.seed)
    if (
        not all(isinstance(word, str) for word in words)
        or not all(type(number) is int and number >= 0 for number in numbers)
        or check.outcome not in OUTCOMES
    ):
        raise ValueError(f"no check of the course: {values!r:.60}")
    return check
