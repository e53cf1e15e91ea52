"""The kinds of problem. A problem is one class in problems/lessonNN.py: statement, draws, solution, named mistakes.

A wrong answer is recognised by computing, on the same draws, what each known mistake would give.
"""

import dis
import inspect
import linecache
import textwrap
import traceback
from types import MappingProxyType, SimpleNamespace
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np

from mlcourse.classroom.judging.compare import (
    NotNumbers,
    all_finite,
    brief,
    changed,
    form,
    fresh,
    plain,
    same,
    same_form,
)
from mlcourse.classroom.judging.verdict import correct, not_attempted, wrong

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
    """

    title = ""
    difficulty = "easy"
    minutes = 5
    hints = ()
    explanation = ""
    tags = ()
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
        return f"{head}\n\n{_dedent(self.statement(SimpleNamespace(**self.given(seed))))}"

    def worked_solution(self, seed):
        """The explanation and the code that answers, markdown."""
        return f"{_dedent(self.explanation)}\n\n{self.solution_code()}"

    def solution_code(self):
        source = textwrap.dedent(inspect.getsource(self.solution))
        source = source.replace("@staticmethod\n", "").replace("def solution(", f"def {self.name}(")
        return f"```python\n{source}```"


class Observation(NamedTuple):
    """What came of calling a function on one case: a plain value, the arguments it changed, or why there is none."""

    value: Any
    changed: tuple = ()
    failure: str = ""


class FunctionProblem(Problem):
    """Write a function. `solution` and each mistake have its signature; `draw` gives its arguments in order.

    cases       how many fresh draws a check uses
    observe     override where an answer is not a value to compare but a behaviour to describe (a sampler, a split):
                give numbers or words in which the solution and every mistake differ
    """

    cases = 6

    @staticmethod
    def solution():
        raise NotImplementedError

    def observe(self, answer, case):
        """What `answer` makes of one case, comparable; by default what it returns."""
        return answer(*case.values())

    def explain_difference(self, case, value, expected):
        """One sentence on a value that is wrong in a way nobody has named."""
        shown = {name: item for name, item in case.items() if not callable(item) and not _is_generator(item)}
        arguments = ", ".join(f"{name} = {brief(item)}" for name, item in shown.items())
        if isinstance(value, dict):
            keys = [*expected, *(key for key in value if key not in expected)]
            key = next(key for key in keys if not same(value.get(key), expected.get(key), self.tolerance))
            value, expected = value.get(key), expected.get(key)
            return f"For {arguments} — {key}: {brief(value)}, and should be {brief(expected)}."
        ratio = _ratio(value, expected)
        telling = ratio is not None and (np.size(value) > 2 or ratio in (-2, -1, -0.5, 0.25, 0.5, 2, 4))
        hint = f" It is {ratio:g} times the right answer." if telling else ""
        if isinstance(value, (np.ndarray, tuple)) and isinstance(expected, (np.ndarray, tuple)):
            return f"For {arguments} it gives {brief(value)}, not {brief(expected)}.{hint}"
        return f"For {arguments} it does something else than it should.{hint}"

    _last = (None, None)

    def _cases(self, seed):
        """Draws on which the solution and all mistakes differ, and what each of them gives there."""
        if self._last[0] != seed:
            self._last = seed, self._draw_cases(seed)
        return self._last[1]

    def _draw_cases(self, seed):
        """Where two answers coincide on all draws, draw again."""
        rng = self.random(seed, "check")
        cases = [self.draw(rng) for _ in range(self.cases)]
        answers = [type(self).solution, *(mistake.answer for mistake in self.mistakes)]
        seen = [[self._look(answer, case) for case in cases] for answer in answers]
        while len(cases) < 4 * self.cases and self._coincide(seen):
            cases.append(self.draw(rng))
            for answer, looks in zip(answers, seen, strict=True):
                looks.append(self._look(answer, cases[-1]))
        return cases, seen[0], seen[1:]

    def _coincide(self, seen):
        return any(self._agree(one, other) for i, one in enumerate(seen) for other in seen[:i])

    def _look(self, answer, case):
        """Observation of answer on a copy of the case: the case itself cannot be changed."""
        handed = fresh(case)
        try:
            with np.errstate(all="ignore"):
                value = self.observe(answer, handed)
        except NotImplementedError:
            return Observation(None, failure="not attempted")
        except MemoryError:
            return Observation(None, failure=_MEMORY)
        except Exception as error:
            return Observation(None, failure=_where(error, answer))
        except SystemExit:
            return Observation(None, failure="it ended the program with exit()")
        spoiled = tuple(name for name, item in case.items() if changed(item, handed[name]))
        try:
            return Observation(plain(value), spoiled)
        except NotNumbers as error:
            return Observation(None, spoiled, f"it should give numbers, and gave {error}")

    def _agree(self, looks, others):
        return all(
            a.failure == b.failure == "" and a.changed == b.changed and same(a.value, b.value, self.tolerance)
            for a, b in zip(looks, others, strict=True)
        )

    def judge(self, answer, seed):
        if answer is None or answer is Ellipsis:
            return not_attempted()
        if not callable(answer):
            return wrong(
                f"Hand in the function itself, `p.check({self.name!r}, {self.name})`; this is {_kind(answer)}."
            )
        cases, expected, known = self._cases(seed)
        refused = _arguments(answer, cases[0])
        if refused:
            return wrong(refused)
        looks = [self._look(answer, cases[0])]
        if looks[0].failure == "not attempted" or _untouched(answer):
            return not_attempted()
        looks += [self._look(answer, case) for case in cases[1:]]
        if self._agree(looks, expected):
            return correct(self.correct_message)
        for entry, others in zip(self.mistakes, known, strict=True):
            if self._agree(looks, others):
                return wrong(entry.message, entry.name)
        return self._unnamed(cases, looks, expected)

    def _unnamed(self, cases, looks, expected):
        """The first thing that is wrong with an answer that makes no mistake we know."""
        for case, look, right in zip(cases, looks, expected, strict=True):
            if look.failure:
                return wrong(look.failure[0].upper() + look.failure[1:] + ("" if look.failure.endswith(".") else "."))
            if look.changed and not right.changed:
                return wrong(
                    f"It changes its argument {look.changed[0]} in place, so whoever called it loses the old value: "
                    "make a new array instead, e.g. `theta - step` in place of `theta -= step`.",
                    "changes its inputs",
                )
            if look.value is None:
                return wrong("It gives None. Is a `return` missing?")
            described = isinstance(look.value, dict) and isinstance(right.value, dict)
            if not described and not same_form(look.value, right.value):
                return wrong(f"It gives {form(look.value)}; expected {form(right.value)}.")
            if not all_finite(look.value) and all_finite(right.value):
                return wrong("It gives NaN or infinity: look for a division by zero, a logarithm of 0 or an overflow.")
            if not same(look.value, right.value, self.tolerance):
                return wrong(self.explain_difference(case, look.value, right.value))
        return wrong("It is right on some draws and not on others.")


class NumberProblem(Problem):
    """Find a number. `solution` and each mistake are functions of the drawn numbers; the answer is a float.

    A seed whose draw would let two answers coincide is drawn again.
    """

    tolerance = 1e-3

    @staticmethod
    def solution():
        raise NotImplementedError

    def given(self, seed):
        rng = self.random(seed, "given")
        for _ in range(1000):
            given = self.draw(rng)
            answers = np.array([self.solution(**given), *(entry.answer(**given) for entry in self.mistakes)], float)
            sizes = np.maximum(np.abs(answers[:, None]), np.abs(answers))
            gaps = (
                np.abs(answers[:, None] - answers)
                - 20 * self.tolerance * sizes
                + np.diag(np.full(len(answers), np.inf))
            )
            if np.all(np.isfinite(answers)) and np.min(gaps, initial=np.inf) > 0:
                return given
        raise RuntimeError(f"{self.name}: no draw tells the solution and its mistakes apart")

    def judge(self, answer, seed):
        if answer is None or answer is Ellipsis:
            return not_attempted()
        try:
            value = plain(answer)
        except NotNumbers:
            value = None
        if not isinstance(value, np.ndarray):
            return wrong(f"The answer is a number; this is {_kind(answer)}.")
        if value.size != 1:
            return wrong(f"The answer is one number; this has {form(value)}.")
        if not np.isfinite(value).all():
            return wrong(f"The answer is a finite number; this is {value.item()}.")
        given = self.given(seed)
        if self._close(value, self.solution(**given)):
            return correct(self.correct_message)
        for entry in self.mistakes:
            if self._close(value, entry.answer(**given)):
                return wrong(entry.message, entry.name)
        near = abs(value.item() - self.solution(**given)) <= 0.05 * abs(self.solution(**given))
        advice = "It is near: work with at least four digits." if near else f'`p.hint("{self.name}")` helps.'
        return wrong(f"{value.item():.6g} is not it. {advice}")

    def _close(self, value, right):
        return bool(abs(value.item() - right) <= self.tolerance * max(abs(right), 1e-9))

    correct_message = "That is the number."


class Item(NamedTuple):
    """One line of a choice problem: what to judge, the right label, and mistake name -> the label it would give."""

    text: str
    label: Any
    traps: dict = MappingProxyType({})


class ChoiceProblem(Problem):
    """Label several items, all drawn afresh by seed: a guesser does not pass.

    labels   the words to choose from
    items    override: rng -> list of Item
    traps    mistake name -> message; an Item says which label each of them would give
    """

    labels = ()
    traps = MappingProxyType({})
    correct_message = "Every item is right."

    def items(self, rng):
        raise NotImplementedError

    def __init_subclass__(cls):
        cls.mistakes = tuple(Mistake(name, message, None) for name, message in cls.traps.items())

    def _items(self, seed):
        """Items of this seed on which every known mistake shows, each with labels of its own."""
        rng = self.random(seed, "items")
        for _ in range(1000):
            items = self.items(rng)
            patterns = [self.fallen(items, name) for name in self.traps] + [[item.label for item in items]]
            if len({tuple(pattern) for pattern in patterns}) == len(patterns):
                return items
        raise RuntimeError(f"{self.name}: no draw shows every mistake")

    @staticmethod
    def fallen(items, name):
        """The answers of someone who makes the mistake `name`."""
        return [item.traps.get(name, item.label) for item in items]

    def show(self, seed):
        items = self._items(seed)
        lines = "\n".join(f"{number}. {item.text}" for number, item in enumerate(items, start=1))
        words = ", ".join(f"`{label!r}`" for label in self.labels)
        return f"{super().show(seed)}\n\n{lines}\n\nAnswer with a list of {len(items)} labels, each one of {words}."

    def solution(self, seed):
        return [item.label for item in self._items(seed)]

    def worked_solution(self, seed):
        return f"{_dedent(self.explanation)}\n\n`{self.name} = {self.solution(seed)!r}`"

    def judge(self, answer, seed):
        if answer is None or answer is Ellipsis:
            return not_attempted()
        items = self._items(seed)
        if isinstance(answer, dict):
            answer = list(answer.values())
        if isinstance(answer, str) or not isinstance(answer, (list, tuple, np.ndarray)):
            return wrong(f"The answer is a list of {len(items)} labels; this is {_kind(answer)}.")
        answer = [label.item() if isinstance(label, np.generic) else label for label in answer]
        if all(label is None or label is Ellipsis for label in answer):
            return not_attempted()
        if len(answer) != len(items):
            return wrong(f"There are {len(items)} items and {len(answer)} labels.")
        answer = [label.strip().lower() if isinstance(label, str) else label for label in answer]
        unknown = [label for label in answer if label not in self.labels]
        if unknown:
            return wrong(f"{unknown[0]!r} is not one of the labels {', '.join(map(repr, self.labels))}.")
        missed = [i for i, item in enumerate(items) if answer[i] != item.label]
        if not missed:
            return correct(self.correct_message)
        count = f"{len(items) - len(missed)} of {len(items)} are right."
        explained = [
            (sum(answer[i] == label for i, label in enumerate(self.fallen(items, name))), name)
            for name in self.traps
            if all(answer[i] == items[i].traps.get(name) for i in missed)
        ]
        if explained:
            name = max(explained, key=lambda pair: pair[0])[1]
            return wrong(f"{count} {self.traps[name]}", name)
        return wrong(f"{count} Which ones, you find by asking of each item what the lesson asked.")


class TextProblem(Problem):
    """Write a sentence. It is not marked: the model answer and a rubric appear once something is written.

    model    the model answer
    rubric   points to hold one's own answer against
    """

    model = ""
    rubric = ()
    fewest_words = 5
    points = 0

    def judge(self, answer, seed):
        if answer is None or answer is Ellipsis or (isinstance(answer, str) and not answer.strip()):
            return not_attempted("Write a sentence of your own first; then a model answer appears here.")
        if not isinstance(answer, str):
            return wrong(f"The answer is a sentence in quotes; this is {_kind(answer)}.")
        if len(answer.split()) < self.fewest_words:
            return not_attempted(f"Write at least {self.fewest_words} words; then a model answer appears here.")
        model, points = " ".join(self.model.split()), "\n".join(f"• {point}" for point in self.rubric)
        return correct(f"Written, and not marked. A model answer: {model}\nHold yours against it:\n{points}")

    def worked_solution(self, seed):
        return _dedent(self.model)


_MEMORY = "it asked for more memory than a learner's function may have. Does it build something of size P × P?"


def _dedent(text):
    return inspect.cleandoc(text)


def _is_generator(value):
    return isinstance(value, np.random.Generator)


def _kind(value):
    return f"{type(value).__name__} `{value!r:.40}`"


def _ratio(value, expected):
    """The one factor between two arrays, None where there is none."""
    if not (isinstance(value, np.ndarray) and isinstance(expected, np.ndarray)) or value.shape != expected.shape:
        return None
    nonzero = np.abs(expected) > 1e-9
    if not nonzero.any() or not np.allclose(value[~nonzero], 0):
        return None
    ratios = value[nonzero] / expected[nonzero]
    return float(f"{ratios.flat[0]:.4g}") if np.allclose(ratios, ratios.flat[0], rtol=1e-5) else None


def _arguments(answer, case):
    """Why the function cannot be called with the case's arguments, "" when it can."""
    try:
        signature = inspect.signature(answer)
    except (TypeError, ValueError):
        return ""
    try:
        signature.bind(*case.values())
    except TypeError:
        return f"It must take {len(case)} arguments, ({', '.join(case)}); yours takes {signature}."
    return ""


def _untouched(answer):
    """Whether the function is still the stub `...`: its code does nothing but return None."""
    code = getattr(answer, "__code__", None)
    idle = {"RESUME", "NOP", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST", "COPY_FREE_VARS"}
    return (
        code is not None and {step.opname for step in dis.get_instructions(code)} <= idle and answer.__doc__ is None
    ) and all(constant is None for constant in code.co_consts)


def _where(error, answer):
    """What an exception said and the learner's line it came from."""
    code = inspect.unwrap(answer).__code__ if hasattr(inspect.unwrap(answer), "__code__") else None
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if code and frame.filename == code.co_filename] or frames[-1:]
    text = f"it raised {type(error).__name__}: {error}".rstrip(": ")
    line = own[-1].line or linecache.getline(own[-1].filename, own[-1].lineno).strip()
    return f"{text} — at `{line}` (line {own[-1].lineno} of its cell)." if line else f"{text}."
