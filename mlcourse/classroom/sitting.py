"""Practice: the problem that is asked for now, to be answered like any of a lesson, and how the answer was rated."""

import inspect
from datetime import date

from mlcourse.classroom.judging import FunctionProblem
from mlcourse.classroom.learner import practice as due
from mlcourse.classroom.learner import progress
from mlcourse.classroom.learner.check import RATINGS
from mlcourse.classroom.learner.notebook import STUB
from mlcourse.classroom.lessons import Lesson


class Sitting(Lesson):
    """One problem that practice brought back: p.check, p.hint and p.solution as in a lesson, and p.rate."""

    def __init__(self, task):
        super().__init__(task.lesson, {task.problem.name: task.problem}, task.seed)
        self.task = task

    def begin(self):
        """Keep that it was asked for; once, also where it is asked for again because it is not answered yet."""
        if self.task.why != due.UNANSWERED:
            self._happened("asked")

    def check(self, name, answer):
        """The Verdict on an answer, as in a lesson; a line says how it was rated, and when the problem comes back."""
        rated_before = self.rating()
        verdict = super().check(name, answer)
        rated = self.rating()
        if rated and not rated_before:
            print(f'{rated} `p.rate("hard")` corrects the rating; `p = practice()` brings the next problem.')
        return verdict

    def rate(self, rating):
        """Correct how the answer was rated: "again", "hard", "good" or "easy". Raises ValueError for another word."""
        if rating not in RATINGS:
            raise ValueError(f"rating must be one of {', '.join(RATINGS)}, got {rating!r}")
        self._happened(rating)
        print(self.rating() or "This problem is none that practice has asked for.")

    def rating(self):
        """One sentence on how the answer was rated and when the problem comes back; "" where it is not answered."""
        record, today = due.read(), date.today()
        found = record and due.review_of(record, self.task.key, self.seed, today)
        if not found:
            return ""
        memory, review = found
        return f"Rated {review.rating}: {review.why}. It comes back {due.day_in_words(memory.due, today)}."

    def __repr__(self):
        name = self.task.problem.name
        return f'p.check("{name}", …), p.hint("{name}"), p.solution("{name}"), p.rate("hard")'

    def _happened(self, what):
        progress.happened(what, self.number, self.task.problem.name, self.seed)


def statement(sitting, spent, minutes=due.MINUTES):
    """Markdown: the problem with its numbers, why it is asked for, and how much of today's practice is done."""
    task = sitting.task
    head = f"**Practice** · lesson {task.lesson:02} · {task.why} · {spent} of {minutes} min done today"
    return f"{head}\n\n{task.problem.show(task.seed)}"


def to_fill_in(problem):
    """The code that an answer begins with: the stub, as in an exercise."""
    if not isinstance(problem, FunctionProblem):
        return f"{problem.name} = {STUB}"
    signature = inspect.signature(type(problem).solution)
    return f"import autograd.numpy as np\n\n\ndef {problem.name}{signature}:\n    {STUB}"
