"""What stands in for a problem where a submission runs: it asks the judge, and knows no answer."""

from mlcourse.classroom.judging import FunctionProblem, NumberProblem, Problem
from mlcourse.classroom.judging.distant import Gone, answer_calls, encode, parameters_of, unpacked
from mlcourse.classroom.judging.functions import untouched
from mlcourse.classroom.judging.verdict import Verdict, wrong
from mlcourse.classroom.learner.notebook import has_stub

KINDS = {"function": FunctionProblem, "number": NumberProblem}
FIELDS = ("title", "difficulty", "minutes", "place")


def problem(number, described, asked, line):
    """A problem of lesson `number` as the judge describes it: name, title, difficulty, minutes, place, kind.

    asked   says something to the judge and gives the answer
    line    opens a conversation with the judge, for a check
    """
    name = described["name"]

    def show(self, seed):
        return asked(show=[number, name], seed=seed)["text"]

    def given(self, seed):
        return unpacked(asked(given=[number, name], seed=seed)["packed"])

    def worked_solution(self, seed):
        return "While a submission is marked, no solution is shown."

    def judge(self, answer, seed):
        with line() as open_line:
            is_function = callable(answer)
            open_line.tell(
                check=[number, name],
                seed=seed,
                function=is_function,
                parameters=parameters_of(answer) if is_function else None,
                untouched=is_function and untouched(answer),
                stub=has_stub(answer),
                value=None if is_function else encode(answer),
            )
            try:
                return Verdict(*answer_calls(open_line, answer))
            except Gone:
                return wrong("The judge gave no verdict.")

    def solution(self):
        return unpacked(asked(use=[number, name])["packed"])

    fields = {key: described[key] for key in FIELDS}
    methods = {"show": show, "given": given, "worked_solution": worked_solution, "judge": judge}
    base = KINDS.get(described["kind"], Problem)
    return type(name, (base,), fields | methods | {"solution": property(solution)})()
