"""What all problems have: a class a problem, with its statement, draws, solution and named mistakes."""

import inspect
import random
import textwrap
from types import MappingProxyType, SimpleNamespace
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np

from mlcourse.classroom.judging.limits import Stopped
from mlcourse.classroom.judging.verdict import Verdict, wrong

POINTS = MappingProxyType({"easy": 1, "medium": 2, "hard": 3})


class Mistake(NamedTuple):
    """A known wrong answer: its name, one sentence that teaches, and the answer it gives."""

    name: str
    message: str
    answer: Any


def mistake(name, message):
    """Decorator inside a problem's class: this function is what the mistake `name` would write."""
    return lambda answer: Mistake(name, message, answer)


class Problem:
    """What all problems have. Subclasses set the fields and write `draw`, `statement` and the answers.

    title, difficulty, minutes   shown at the top; difficulty is a key of POINTS and gives the points
    hints        two or three, each more telling than the one before
    explanation  why the solution is right, markdown
    tags         coverage tags, e.g. "concept:maml", copied to the exercise's cell
    place        "exercise", or "lesson" for a gap: its cells are in notebooks/
    """

    title = ""
    difficulty = "easy"
    minutes = 5
    hints = ()
    explanation = ""
    tags = ()
    place = "exercise"
    tolerance = 1e-6
    correct_message = "That is right on every draw."

    def __init_subclass__(cls):
        cls.mistakes = tuple(value for value in vars(cls).values() if isinstance(value, Mistake))

    @property
    def name(self):
        return type(self).__name__

    @property
    def points(self):
        return POINTS[self.difficulty]

    @property
    def misconceptions(self):
        """The names of the mistakes that it knows."""
        return frozenset(entry.name for entry in self.mistakes)

    def draw(self, rng):
        """The numbers of one case: name -> value."""
        return {}

    def statement(self, given):
        """Markdown that states the problem; given.name are the numbers that this seed drew."""
        raise NotImplementedError

    def random(self, seed, purpose):
        """A generator for this problem, this seed and this purpose, independent of all others."""
        return np.random.default_rng([seed, crc32(self.name.encode()), crc32(purpose.encode())])

    def given(self, seed):
        """The case that the statement of this seed shows."""
        return self.draw(self.random(seed, "given"))

    def judge(self, answer, seed):
        """The Verdict on an answer. Never raises for what the answer does."""
        raise NotImplementedError

    def show(self, seed):
        """The statement under its head line, markdown."""
        points = f", {self.points} point{'s' * (self.points > 1)}" if self.points else ", not marked"
        head = f"### `{self.name}`\n\n*{self.title} · {self.difficulty}, {self.minutes} min{points}*"
        return f"{head}\n\n{inspect.cleandoc(self.statement(SimpleNamespace(**self.given(seed))))}"

    def worked_solution(self, seed):
        """The explanation and the code that answers, markdown."""
        return f"{inspect.cleandoc(self.explanation)}\n\n{self.solution_code(seed)}"

    def solution_code(self, seed):
        source = textwrap.dedent(inspect.getsource(self.solution))
        source = source.replace("@staticmethod\n", "").replace("def solution(", f"def {self.name}(")
        return f"```python\n{source}```"


def kind(value):
    """What was handed in, in words: its type and the beginning of it, without an address in memory."""
    text = f"{value!r:.40}"
    return type(value).__name__ if " at 0x" in f"{value!r}" else f"{type(value).__name__} `{text}`"


def unanswered(answer):
    """Whether nothing was written yet."""
    return answer is None or answer is Ellipsis


def judged(problem, answer, seed):
    """The verdict, whatever happens inside. Global random numbers are fixed: one answer, one verdict."""
    np.random.seed(0)  # noqa: NPY002 (an answer may use it)
    random.seed(0)
    try:
        return Verdict(*problem.judge(answer, seed))
    except (MemoryError, Stopped):
        raise
    except BaseException as error:
        return not_checked(error)


def not_checked(error):
    """The verdict on an answer that brought its own check down."""
    return wrong(f"It could not be checked: {type(error).__name__}: {error}".removesuffix(": ") + ".")
