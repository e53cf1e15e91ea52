"""What is kept of a learner, record by record: a check, and a moment of practice."""

from datetime import datetime
from typing import NamedTuple

OUTCOMES = ("correct", "wrong", "not attempted", "not marked")
RATINGS = ("again", "hard", "good", "easy")
MOMENTS = ("asked", "hint", "solution", *RATINGS)


class Check(NamedTuple):
    """What was checked when, and what came of it; two checks that are equal in all of it are one.

    at  local time, ISO 8601 to the second
    """

    at: str
    lesson: int
    problem: str
    seed: int
    outcome: str
    misconception: str | None = None
    message: str | None = None


class Moment(NamedTuple):
    """What happened to a problem besides its checks; two moments that are equal in all of it are one.

    at    local time, ISO 8601 to the second
    what  "asked": practice brought the problem back, with this seed; "hint" and "solution": it was shown;
          "again", "hard", "good" or "easy": how the learner rates the answer to this seed
    """

    at: str
    lesson: int
    problem: str
    seed: int
    what: str


def read_check(values):
    """The Check that a list of values is. Raises ValueError where it is none."""
    check = _made(Check, values)
    words = (check.misconception or "", check.message or "")
    if not all(isinstance(word, str) for word in words) or check.outcome not in OUTCOMES:
        raise ValueError(f"no check of the course: {values!r:.60}")
    return check


def read_moment(values):
    """The Moment that a list of values is. Raises ValueError where it is none."""
    moment = _made(Moment, values)
    if moment.what not in MOMENTS:
        raise ValueError(f"no moment of practice: {values!r:.60}")
    return moment


READ = {Check: read_check, Moment: read_moment}


def _made(kind, values):
    """A record of this kind; what all of them have is sound. Raises ValueError where it is not."""
    try:
        record = kind(*values)
        if datetime.fromisoformat(record.at).tzinfo is not None:  # it could not be held against the others
            raise ValueError
    except (TypeError, ValueError):
        raise ValueError(f"no {kind.__name__.lower()} of the course: {values!r:.60}") from None
    numbers = (record.lesson, record.seed)
    if not isinstance(record.problem, str) or not all(type(number) is int and number >= 0 for number in numbers):
        raise ValueError(f"no {kind.__name__.lower()} of the course: {values!r:.60}")
    return record
