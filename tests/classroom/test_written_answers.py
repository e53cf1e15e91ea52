"""Answers as people write them get the verdict that they should: right ones accepted, wrong ones told what is wrong."""

import re

import pytest

from mlcourse.classroom.problems import of_lesson
from tests.classroom.answers import written_later  # noqa: F401 (its answers are among WRITTEN)
from tests.classroom.answers.written import WRITTEN


@pytest.mark.parametrize(
    "number, problem, answer, told",
    [pytest.param(*case, id=f"{case[0]:02}-{case[1]}-{case[2].__name__}-{i}") for i, case in enumerate(WRITTEN)],
)
def test_an_answer_gets_the_verdict_that_it_should(number, problem, answer, told):
    verdict = of_lesson(number)[problem].judge(answer, 0)
    assert verdict.outcome == ("correct" if told is None else "wrong"), str(verdict)
    if told is not None:
        assert re.search(told, f"{verdict.misconception}: {verdict.message}", re.DOTALL), str(verdict)
    assert " at 0x" not in verdict.message and len(verdict.message) <= 900


def test_the_same_answer_gets_the_same_words():
    for number, problem, answer, _ in WRITTEN[::5]:
        first, second = (of_lesson(number)[problem].judge(answer, 0) for _ in range(2))
        assert first == second
