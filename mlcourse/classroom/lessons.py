"""`lesson(4)`: the problems of a lesson, their statements, checks, hints and solutions."""

from difflib import get_close_matches

import numpy as np

from mlcourse.classroom.judging import NumberProblem
from mlcourse.classroom.judging.contain import contained
from mlcourse.classroom.judging.limits import CPU_SECONDS, WALL_SECONDS
from mlcourse.classroom.judging.problem import judged
from mlcourse.classroom.judging.verdict import not_attempted, wrong
from mlcourse.classroom.learner import progress
from mlcourse.classroom.learner.notebook import OPEN, Words, has_stub
from mlcourse.classroom.problems import of_lesson

_ENDINGS = {
    "time": f"It was still running after {CPU_SECONDS} s and was stopped. Does a loop never end?",
    "slow": f"It was still running after {WALL_SECONDS} s and was stopped. Does a loop never end?",
    "waited": (
        f"It waited for {WALL_SECONDS} s, computed next to nothing and was stopped. Does it sleep, wait for another "
        "process, or use a library with threads of its own, such as JAX or PyTorch?"
    ),
    "memory": "It asked for more memory than it may have and was stopped. Does it build something of size P × P?",
    "died": "It ended the Python process it ran in (a crash, `exit()` or `os._exit`). Your notebook is unharmed.",
}


def lesson(number, seed=0):
    """The problems of lesson `number` with the numbers that `seed` draws. Raises ValueError for another lesson."""
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise ValueError(f"seed must be a whole number of at least 0, got {seed!r}")
    return Lesson(number, of_lesson(number), int(seed))


class Lesson:
    """What `lesson` gives: p.show(name), p.given(name), p.check(name, answer), p.hint(name), p.solution(name).

    p.use(name, answer) hands on the answer to a gap, or the course's own.
    """

    def __init__(self, number, problems, seed):
        self.number, self.problems, self.seed = number, problems, seed
        self._hinted = {}

    def _problem(self, name):
        if name not in self.problems:
            close = get_close_matches(str(name), self.problems, n=1)
            meant = f" Did you mean {close[0]!r}?" if close else ""
            raise ValueError(f"name must be a problem of this lesson, {', '.join(self.problems)}, got {name!r}.{meant}")
        return self.problems[name]

    def show(self, name):
        """The statement, with this seed's numbers."""
        return Words(self._problem(name).show(self.seed))

    def given(self, name):
        """The numbers that the statement names, as a dict; each call gives fresh copies."""
        return self._problem(name).given(self.seed)

    def check(self, name, answer):
        """The Verdict on an answer, kept in the learner's progress. Never raises for what the answer is or does."""
        verdict, heard = self._verdict(self._problem(name), answer)
        heard.give_out()
        progress.record(verdict)
        return verdict

    def use(self, name, answer):
        """The learner's answer to a gap of the lesson where it is right, else the course's own; a line says which.

        Bind it to another name than the gap's own, so that a second check still judges what the learner wrote. It is
        judged as `check` does, and not kept in the progress.
        """
        problem = self._problem(name)
        outcome = self._verdict(problem, answer)[0].outcome
        if outcome == "correct":
            print(f"This uses your own `{name}`.")
        else:
            wanted = "written" if outcome == "not attempted" else "right"
            print(f"The course's own `{name}` stands in until yours is {wanted}.")
            answer = problem.solution
        is_formula = isinstance(problem, NumberProblem) and callable(answer)
        return answer(**problem.given(self.seed)) if is_formula else answer

    def _verdict(self, problem, answer):
        """The Verdict on an answer, and what the answer printed meanwhile."""
        ending = contained(lambda: judged(problem, answer, self.seed))
        verdict = ending.value if ending.how == "value" else wrong(_ENDINGS[ending.how])
        if verdict.outcome != "correct" and has_stub(answer):
            verdict = not_attempted(OPEN)
        return verdict._replace(problem=(self.number, problem.name, self.seed)), ending.heard

    def hint(self, name):
        """The next hint; the last one says where the solution is."""
        hints = self._problem(name).hints
        progress.happened("hint", self.number, name, self.seed)
        turn = self._hinted.get(name, 0)
        self._hinted[name] = turn + 1
        if turn < len(hints):
            return Words(f"**Hint {turn + 1} of {len(hints)}.** {hints[turn]}")
        return Words(f'That was the last hint. `p.solution("{name}")` shows a worked solution.')

    def solution(self, name):
        """The worked solution."""
        problem = self._problem(name)
        progress.happened("solution", self.number, name, self.seed)
        return Words(problem.worked_solution(self.seed))

    def __repr__(self):
        rows = "\n".join(
            f"  {name:28} {problem.difficulty:7} {problem.minutes:3} min  {problem.title}"
            for name, problem in self.problems.items()
        )
        return f"Lesson {self.number:02}, seed {self.seed}: {len(self.problems)} problems\n{rows}"
