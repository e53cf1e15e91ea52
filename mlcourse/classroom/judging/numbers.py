"""Find a number, drawn afresh by seed."""

import numpy as np

from mlcourse.classroom.judging.compare import NotNumbers, form, plain
from mlcourse.classroom.judging.limits import Stopped
from mlcourse.classroom.judging.problem import Problem, kind, unanswered
from mlcourse.classroom.judging.verdict import correct, not_attempted, wrong


class NumberProblem(Problem):
    """Find a number. `solution` and each mistake are functions of the drawn numbers; the answer is a float.

    digits  significant digits that are enough, as the statement says; None for a whole number, which must be exact
    A seed whose draw would let two answers coincide is drawn again. The function of `p.solution` is an answer too.
    """

    digits = 3
    correct_message = "That is the number."

    @staticmethod
    def solution():
        raise NotImplementedError

    def show(self, seed):
        enough = "a whole number" if self.digits is None else f"{self.digits} significant digits are enough"
        return f"{super().show(seed)}\n\nThe answer is one number; {enough}." if self.digits else super().show(seed)

    _last = (None, None)

    def given(self, seed):
        if self._last[0] != seed:
            self._last = seed, self._draws(seed)
        rng = self.random(seed, "given")
        for _ in range(self._last[1] - 1):
            self.draw(rng)
        return self.draw(rng)

    def _draws(self, seed):
        """How many draws it takes until the answers can be told apart."""
        rng = self.random(seed, "given")
        for number in range(1, 1001):
            given = self.draw(rng)
            answers = [float(self.solution(**given)), *(float(entry.answer(**given)) for entry in self.mistakes)]
            if all(map(np.isfinite, answers)) and self._apart(answers):
                return number
        raise RuntimeError(f"{self.name}: no draw tells the solution and its mistakes apart")

    def _apart(self, answers):
        """Whether no two answers could be taken for one another, also when each is rounded."""
        rooms = [3 * self._room(answer) for answer in answers]
        return all(
            abs(one - other) > max(rooms[i], rooms[j])
            for i, one in enumerate(answers)
            for j, other in enumerate(answers[:i])
        )

    def _room(self, right):
        """How far a number may be from the right one: half a unit of the last digit that counts."""
        if self.digits is None or not right:
            return 1e-9
        unit = 10.0 ** (np.floor(np.log10(abs(right))) - self.digits + 1)
        return max(0.5 * unit * (1 + 1e-9), 1e-3 * abs(right))

    def judge(self, answer, seed):
        if unanswered(answer):
            return not_attempted()
        given = self.given(seed)
        if callable(answer):
            try:
                answer = answer(**given)
            except (MemoryError, Stopped):
                raise
            except BaseException as error:
                return wrong(
                    f"The answer is a number. The function that came instead, called with the numbers of "
                    f'`p.given("{self.name}")`, raised {type(error).__name__}: {error}.'
                )
        try:
            value = plain(answer)
        except NotNumbers:
            value = None
        if isinstance(value, str):
            return wrong(f"The answer is a number; this is text, {kind(answer)}. Write it without quotation marks.")
        if not isinstance(value, np.ndarray):
            return wrong(f"The answer is a number; this is {kind(answer)}.")
        if value.size != 1:
            return wrong(f"The answer is one number; this has {form(value)}.")
        if not np.isfinite(value).all():
            return wrong(f"The answer is a finite number; this is {value.item()}.")
        right = float(self.solution(**given))
        if self._close(value.item(), right):
            return correct(self.correct_message)
        for entry in self.mistakes:
            if self._close(value.item(), float(entry.answer(**given))):
                return wrong(entry.message, entry.name)
        if self._close(value.item(), -right):
            return wrong(f"{value.item():.6g} is not it. Its size is right, its sign is not.")
        for entry in self.mistakes:
            if self._close(-value.item(), float(entry.answer(**given))):
                return wrong(f"Two things at once. {entry.message} And the sign is turned.", f"{entry.name} + sign")
        return wrong(f"{value.item():.6g} is not it. {self._advice(value.item(), right)}")

    def _close(self, value, right):
        return abs(value - right) <= self._room(right)

    def _advice(self, value, right):
        """What a number that nobody has named says."""
        if self.digits is None:
            if value != round(value):
                return "The answer is a whole number."
            if abs(value - right) <= 2:
                return "It is off by a little: count again, from the first step and to the last."
        elif abs(value - right) <= 0.05 * abs(right):
            off = abs(value - right) / abs(right)
            return f"It is near, off by {off:.1g} of the right number: keep more digits on the way, and round last."
        if right:
            for times in (2, 3, 4, 5, 10, 100, 1000):
                if self._close(value, times * right):
                    return f"It is {times} times the right number."
                if self._close(times * value, right):
                    return f"It is 1/{times} of the right number."
        return f'`p.hint("{self.name}")` helps.'
