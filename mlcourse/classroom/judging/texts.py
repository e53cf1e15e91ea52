"""Write a sentence: it is not marked, a model answer is shown beside it."""

import inspect

from mlcourse.classroom.judging.problem import Problem, kind, unanswered
from mlcourse.classroom.judging.verdict import not_attempted, not_marked, wrong


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
        if unanswered(answer) or (isinstance(answer, str) and not answer.strip()):
            return not_attempted("Write a sentence of your own first; then a model answer appears here.")
        if not isinstance(answer, str):
            return wrong(f"The answer is a sentence in quotes; this is {kind(answer)}.")
        if len(answer.split()) < self.fewest_words:
            return not_attempted(f"Write at least {self.fewest_words} words; then a model answer appears here.")
        model, points = " ".join(self.model.split()), "\n".join(f"• {point}" for point in self.rubric)
        return not_marked(f"A model answer: {model}\nHold yours against it:\n{points}")

    def worked_solution(self, seed):
        return inspect.cleandoc(self.model)
