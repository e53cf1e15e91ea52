"""Write a function: it is run on fresh draws, beside the solution and beside each known mistake.

A wrong answer is recognised by what it gives: one known mistake, several of them at once, one of them up to a constant
factor, or the settings of a function that makes every combination (`mlcourse.recipes.explaining`). What nobody has
named is described: how it differs, and where it is right (`telling`).
"""

import dis
import inspect
import linecache
import traceback
from typing import Any, NamedTuple

import numpy as np

from mlcourse.classroom.judging import telling
from mlcourse.classroom.judging.compare import (
    NotNumbers,
    all_finite,
    changed,
    factor,
    form,
    fresh,
    plain,
    same,
    same_form,
)
from mlcourse.classroom.judging.limits import Stopped
from mlcourse.classroom.judging.problem import Problem, kind, unanswered
from mlcourse.classroom.judging.rules import calls_into
from mlcourse.classroom.judging.verdict import correct, not_attempted, wrong
from mlcourse.recipes.deviations import Deviation
from mlcourse.recipes.explaining import fewest

MORE = 12  # draws more at most, where two explanations coincide on the first


class Observation(NamedTuple):
    """What came of calling a function on one case: a plain value, the arguments it changed, or why there is none."""

    value: Any
    changed: tuple = ()
    failure: str = ""


class FunctionProblem(Problem):
    """Write a function. `solution` and each mistake have its signature; `draw` gives its arguments in order.

    cases       how many fresh draws a check uses
    observe     override where an answer is not a value to compare but a behaviour to describe (a sampler, a split):
                give facts, name -> numbers or words, in which the solution and every mistake differ
    deviations  known wrong settings of `variant` (mlcourse.recipes.deviations), told alone and `most` at a time
    variant     the solution with the settings as keyword arguments; `made` where settings share work
    sizes       the numbers of a case that a constant factor may come from, such as T; {} where only a plain number may
    simpler     cases on which a wrong answer may be right, by what is special about them
    forbidden   functions that the statement asks not to call, by what to call them
    """

    cases = 6
    deviations = ()
    most = 2
    forbidden = ()

    @staticmethod
    def solution():
        raise NotImplementedError

    def observe(self, answer, case):
        """What `answer` makes of one case, comparable; by default what it returns."""
        return answer(*case.values())

    def maker(self, case):
        """settings (choice -> setting) -> the value that they give on the case, or None."""
        return lambda settings: plain(self.variant(*fresh(case).values(), **settings))

    def with_settings(self, settings):
        """The answer of someone who makes these deviations: a function with the solution's arguments."""
        names = list(inspect.signature(type(self).solution).parameters)
        return lambda *arguments: self.maker(dict(zip(names, arguments, strict=True)))(settings)

    @property
    def misconceptions(self):
        return super().misconceptions | {self.told(deviation)[0] for deviation in self.deviations}

    def sizes(self, case):
        return {}

    def simpler(self, case):
        return {}

    def skip(self, settings):
        """Whether settings need not be tried, as some of them make no difference beside others."""
        return False

    def told(self, deviation):
        """A deviation's (name, sentence) in this problem's words."""
        return deviation.name, deviation.sentence

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
        settings = [{each.choice: each.setting} for each in self.deviations]
        settings = [each for each in settings if not self.skip(each)]
        makers = [self.maker(case) for case in cases] if settings else []
        while len(cases) < 4 * self.cases and (self._coincide(seen) or self._hidden(makers, settings, seen[0])):
            cases.append(self.draw(rng))
            for answer, looks in zip(answers, seen, strict=True):
                looks.append(self._look(answer, cases[-1]))
            if settings:
                makers.append(self.maker(cases[-1]))
        return cases, seen[0], seen[1:]

    def _coincide(self, seen):
        return any(self._agree(one, other) for i, one in enumerate(seen) for other in seen[:i])

    def _hidden(self, makers, settings, expected):
        """Whether a deviation gives what is right on every draw, and so would pass for it."""
        return any(
            all(same(make(each), look.value, self.tolerance) for make, look in zip(makers, expected, strict=True))
            for each in settings
        )

    def _look(self, answer, case):
        """Observation of answer on a copy of the case: the case itself cannot be changed."""
        handed = fresh(case)
        try:
            with np.errstate(all="ignore"):
                value = self.observe(answer, handed)
        except Stopped:
            raise
        except BaseException as error:
            return Observation(None, failure=failure_of(error, answer))
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
        if unanswered(answer):
            return not_attempted()
        if not callable(answer):
            return wrong(f"Hand in the function itself, `p.check({self.name!r}, {self.name})`; this is {kind(answer)}.")
        cases, expected, known = self._cases(seed)
        refused = _arguments(answer, cases[0])
        if refused:
            return wrong(refused)
        looks = [self._look(answer, cases[0])]
        if looks[0].failure == _NOT_ATTEMPTED or untouched(answer):
            return not_attempted()
        looks += [self._look(answer, case) for case in cases[1:]]
        if self._agree(looks, expected):
            watched = getattr(answer, "watched", calls_into)  # an answer that runs elsewhere is watched there
            broken = watched(self.forbidden, lambda: self._look(answer, cases[0]))
            if not broken:
                return correct(self.correct_message)
            return wrong(f"The numbers are right, but it calls {broken}: the statement asks you to do without.")
        for entry, others in zip(self.mistakes, known, strict=True):
            if self._agree(looks, others):
                return wrong(entry.message, entry.name)
        return (
            self._spoiled(looks, expected)
            or self._explained(answer, cases, looks, expected, known, seed)
            or self._unnamed(answer, cases, looks, expected)
        )

    def _spoiled(self, looks, expected):
        """An argument that was changed in place, whatever else is wrong."""
        for look, right in zip(looks, expected, strict=True):
            if look.changed and not right.changed:
                return wrong(
                    f"It changes its argument {look.changed[0]} in place, so whoever called it loses the old value: "
                    "make a new array instead, e.g. `theta - step` in place of `theta -= step`.",
                    "changes its inputs",
                )
        return None

    def _explained(self, answer, cases, looks, expected, known, seed):
        """The fewest known mistakes and settings that reproduce the answer; None where they do not."""
        if any(look.failure or look.value is None or not all_finite(look.value) for look in looks):
            return None
        if all(isinstance(look.value, dict) for look in (*looks, *expected)):
            return self._explained_facts(looks, expected, known)
        found = [look.value for look in looks]
        if not all(same_form(value, right.value) for value, right in zip(found, expected, strict=True)):
            return None
        hits = self._fewest(cases, found, expected, known)
        rng = self.random(seed, "more")
        for _ in range(MORE if len(hits) > 1 else 0):
            case = self.draw(rng)
            look = self._look(answer, case)
            if look.failure or look.value is None:
                break
            hits = [chosen for chosen in hits if self._holds(chosen, case, look.value)] or hits
            if len(hits) == 1:
                break
        return self._said(hits) if hits and hits != [()] else None

    def _holds(self, chosen, case, value):
        """Whether an explanation gives `value`, up to its constant factor, on one more case."""
        settings = {each.choice: each.setting for each in chosen if each.choice != "constant"}
        if "answer" in settings:
            made = self._look(self.mistakes[settings["answer"]].answer, case).value
        else:
            made = self.maker(case)(settings) if settings else self._look(type(self).solution, case).value
        r = factor(value, made, self.tolerance) if made is not None else None
        return r is not None and (r == 1 or len(settings) < len(chosen))

    def _fewest(self, cases, found, expected, known):
        entries = tuple(Deviation("answer", i, entry.name, entry.message) for i, entry in enumerate(self.mistakes))
        makers = [self.maker(case) if self.deviations else None for case in cases]

        def made(index, settings):
            if not settings:
                return expected[index].value
            if "answer" not in settings:
                return makers[index](settings)
            look = known[settings["answer"]][index]
            return look.value if len(settings) == 1 and not look.failure and not look.changed else None

        hits = fewest(
            found,
            made,
            entries + self.deviations,
            sizes=[self.sizes(case) for case in cases],
            most=self.most,
            compare=lambda one, other: factor(one, other, self.tolerance),
            skip=lambda settings: ("answer" in settings and len(settings) > 1) or self.skip(settings),
        )
        without_factor = [chosen for chosen in hits if all(each.choice != "constant" for each in chosen)]
        return without_factor or hits  # a factor 2 that is left out says more than "0.5 times"

    def _said(self, hits):
        """The verdict of one or several explanations."""
        told = [[self.told(deviation) for deviation in chosen] for chosen in hits]
        if any(len(chosen) == 1 and chosen[0].choice == "constant" for chosen in hits):
            told = [
                [(name, text.replace("times that", "times the right answer")) for name, text in each] for each in told
            ]
        names = " or ".join(" + ".join(name for name, _ in chosen) for chosen in told[:2])
        sentences = [" ".join(dict.fromkeys(sentence for _, sentence in chosen)) for chosen in told[:2]]
        if len(told) > 1:
            return wrong("One of these, which give the same here. " + " Or: ".join(sentences), names)
        count = len(told[0])
        return wrong((f"{telling.COUNTS[count]} things at once. " if count > 1 else "") + sentences[0], names)

    def _explained_facts(self, looks, expected, known):
        """The fewest mistakes whose facts together are those of the answer: each explains some of the differences."""

        def differing(observations):
            pairs = zip(observations, expected, strict=True)
            return [telling.differences(one.value, right.value, self.tolerance) for one, right in pairs]

        parts = [
            (Deviation("fact", entry.name, entry.name, entry.message), differing(others))
            for entry, others in zip(self.mistakes, known, strict=True)
            if all(isinstance(other.value, dict) and not other.changed for other in others)
        ]
        chosen = telling.cover(differing(looks), parts, self.tolerance)
        return self._said([chosen]) if chosen else None

    def _unnamed(self, answer, cases, looks, expected):
        """The first thing that is wrong with an answer that makes no mistake we know."""
        for case, look, right in zip(cases, looks, expected, strict=True):
            if look.failure:
                end = "" if look.failure.endswith((".", "?")) else "."
                return wrong(f"{look.failure[0].upper()}{look.failure[1:]}{end}")
            if look.value is None:
                return wrong("It gives None. Is a `return` missing?")
            described = isinstance(look.value, dict) and isinstance(right.value, dict)
            if not described and not same_form(look.value, right.value):
                return wrong(f"It gives {form(look.value)}; expected {form(right.value)}.")
            if not described and not all_finite(look.value) and all_finite(right.value):
                return wrong("It gives NaN or infinity: look for a division by zero, a logarithm of 0 or an overflow.")
            if not same(look.value, right.value, self.tolerance):
                difference = telling.how(case, look.value, right.value, self.tolerance)
                return wrong(telling.cut(" ".join([difference, *self._where_right(answer, cases, looks, expected)])))
        return wrong("It is right on some draws and not on others.")

    def _where_right(self, answer, cases, looks, expected):
        """Sentences on the draws, and on the simpler cases, on which a wrong answer is right."""
        right = [self._agree([look], [other]) for look, other in zip(looks, expected, strict=True)]
        yield from telling.parted(cases, right)
        if any(right):
            return
        for words, case in self.simpler(cases[0]).items():
            if self._agree([self._look(answer, case)], [self._look(type(self).solution, case)]):
                yield f"It is right for {words}."


_NOT_ATTEMPTED = "not attempted"
_MEMORY = "it asked for more memory than a learner's function may have. Does it build something of size P × P?"


def failure_of(error, answer):
    """What to say of an exception that came out of an answer; where it came out elsewhere, it was said there."""
    if hasattr(error, "elsewhere"):
        return error.elsewhere
    if isinstance(error, MemoryError):
        return _MEMORY
    if isinstance(error, SystemExit):
        return "it ended the program with exit()"
    own = _raised_by(error) is getattr(inspect.unwrap(answer), "__code__", None)
    if isinstance(error, NotImplementedError) and own and not str(error):
        return _NOT_ATTEMPTED
    return _where(error, answer)


def _raised_by(error):
    """The code of the frame in which an exception was raised."""
    frame = error.__traceback__
    while frame.tb_next:
        frame = frame.tb_next
    return frame.tb_frame.f_code


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
    names = list(signature.parameters)
    if sorted(names) == sorted(case) and names != list(case):
        return f"Its arguments come as ({', '.join(case)}); yours takes them in another order, ({', '.join(names)})."
    return ""


def untouched(answer):
    """Whether the function is still the stub `...`: its code does nothing but return None."""
    if hasattr(answer, "untouched"):  # it runs elsewhere, and that was seen there
        return answer.untouched
    code = getattr(answer, "__code__", None)
    idle = {"RESUME", "NOP", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST", "COPY_FREE_VARS"}
    documented = (answer.__doc__,) if code is not None else ()
    return (
        code is not None
        and {step.opname for step in dis.get_instructions(code)} <= idle
        and all(constant is None or constant in documented for constant in code.co_consts)
    )


def _where(error, answer):
    """What an exception said and the learner's line it came from."""
    code = inspect.unwrap(answer).__code__ if hasattr(inspect.unwrap(answer), "__code__") else None
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if code and frame.filename == code.co_filename] or frames[-1:]
    text = telling.cut(f"it raised {type(error).__name__.lstrip('_')}: {error}".rstrip(": "))
    line = own[-1].line or linecache.getline(own[-1].filename, own[-1].lineno).strip()
    line = line if len(line) <= 120 else f"{line[:118].rsplit(' ', 1)[0]} …"
    place = f"{text} — at `{line}` (line {own[-1].lineno} of its cell)." if line else f"{text}."
    return f"{place} {_meant(error)}".rstrip()


def _meant(error):
    """What a TypeError says about functions that are arguments, in a beginner's words; "" for any other error."""
    text = str(error) if isinstance(error, TypeError) else ""
    if "ellipsis" in text:
        return "`...` stands there still: something is to be written in its place."
    if "object is not callable" in text:
        return "Something is called there that is no function: are two arguments in another order?"
    if "operand" in text and ("function" in text or "method" in text):
        return (
            "A function stands there without a call: `grad(theta)` is the gradient, `grad` the function that gives it."
        )
    return ""
