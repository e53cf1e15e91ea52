"""What a lesson's cells say to the learner besides the lesson itself."""

import inspect
import math
from types import FunctionType

from mlcourse.classroom import tab

STUB = "...  # your code here"  # stands where the learner is to write
OPEN = f"Still open: put your own line where `{STUB}` stands, run that cell, then this one."


def has_stub(answer):
    """Whether a function's own source still holds the stub that its author is to replace."""
    try:
        return isinstance(answer, FunctionType) and STUB in inspect.getsource(answer)
    except (OSError, TypeError):  # typed where no source is kept
        return False


class Words(str):
    """Markdown: rendered in a notebook, readable as it is elsewhere."""

    def _repr_markdown_(self):
        return str(self)

    def __repr__(self):
        return str(self)


TITLES = {
    0: "Start here",
    1: "Task distributions",
    2: "Episodes: support and query",
    3: "The inner loop",
    4: "The meta-gradient by hand",
    5: "The geometry of a good initialisation",
    6: "MAML",
    7: "First-order methods: FOMAML and Reptile",
    8: "Learning the inner loop",
    9: "Few-shot classification",
    10: "Meta-overfitting",
    11: "Compute and memory",
    12: "Meta-reinforcement learning",
    13: "Where it fits",
    14: "Capstone: your own tasks",
}


def require_lesson(number):
    """Raise ValueError for what is no lesson's number."""
    if isinstance(number, bool) or number not in list(TITLES):
        raise ValueError(f"number must be a lesson, {min(TITLES)} … {max(TITLES)}, got {number!r}")


def start_lesson(number):
    """Say which lesson this is, in its first cell. Raises ValueError for a lesson that does not exist."""
    require_lesson(number)
    print(f"Lesson {number:02}: {TITLES[number]}. The kernel is ready.")
    _say_what_is_not_kept()
    _say_where_you_are(number - 1)


def _say_what_is_not_kept():
    """In a browser that forgets, before anything is written there."""
    if tab.here() and not tab.keeps():
        print(tab.KEEPS_NOTHING)


def _say_where_you_are(before):
    """Whether the lesson before is mastered; silent for a learner who has not begun, and never in the way."""
    from mlcourse.classroom.learner import progress
    from mlcourse.classroom.problems import lessons

    if before not in lessons() or not progress.begun():
        return
    mastery = progress.mastery(before)
    if mastery is None:  # it could not be read, and that was said
        return
    if mastery.mastered:
        print(f"✓ Lesson {before:02} is mastered: {mastery.points} of {mastery.out_of} points.")
    else:
        print(
            f"○ Lesson {before:02} is at {mastery.share:.0%} of its points, {progress.MASTERY:.0%} are the goal; "
            f"next there: {mastery.todo[0]}. You may go on all the same."
        )


def reveal(measured, guess=None, name="", digits=2):
    """Print what was measured beside the learner's guess; no guess is fine, and says so.

    measured, guess   numbers, or both a word; guess None where the learner has not written one
    name              what was measured, in words

    The first line says nothing of the answer: JupyterLab shows it of an output that is hidden.
    """
    shown = measured if isinstance(measured, str) else f"{measured:.{digits}f}"
    print("Your prediction and the measurement:")
    print(f"  {name}: {shown}   ({_of_the_guess(measured, guess, digits)})")


def _of_the_guess(measured, guess, digits):
    """What there is to say of a guess, shown as it was typed."""
    if guess is None:
        return "no guess written above"
    if isinstance(measured, str):
        right = str(guess).strip().casefold() == measured.casefold()
        return f"you guessed {guess}: {'right' if right else 'another one'}"
    try:
        number = float(guess)
    except (TypeError, ValueError):
        return f"the guess must be a number, got {guess!r}"
    if not math.isfinite(number):
        return f"the guess must be a finite number, got {number}"
    close = abs(number - measured) <= 0.1 * max(abs(measured), 10.0**-digits)
    return f"you guessed {number:.10g}: {'close' if close else 'too high' if number > measured else 'too low'}"
