"""An answer that is called in another process gets the verdict, to the word, that it gets in this one."""

import base64
import os
import socket

import numpy as np
import pytest

from mlcourse.classroom.judging import FunctionProblem
from mlcourse.classroom.judging.distant import (
    Distant,
    Gone,
    Line,
    answer_calls,
    bring_to,
    decode,
    encode,
    packed,
    parameters_of,
    state,
)
from mlcourse.classroom.judging.functions import untouched
from mlcourse.classroom.problems import lessons, of_lesson
from mlcourse.classroom.teaching.judge import Judge
from tests.classroom.answers.written import WRITTEN


def judged_from_afar(problem, answer, seed=0):
    """The verdict on an answer that runs in another process, at the other end of a socket."""
    Judge()  # what the problems hand over travels by value
    here, there = socket.socketpair()
    child = os.fork()
    if child == 0:
        try:
            here.close()
            answer_calls(Line(there), answer)
        finally:
            os._exit(0)
    there.close()
    with Line(here) as line:
        verdict = problem.judge(Distant(line, parameters_of(answer), untouched(answer)), seed)
        line.tell(verdict=list(verdict[:3]))
    os.waitpid(child, 0)
    return verdict


FUNCTIONS = [case for case in WRITTEN if isinstance(of_lesson(case[0])[case[1]], FunctionProblem) and callable(case[2])]


@pytest.mark.parametrize(
    "number, name, answer",
    [pytest.param(*case[:3], id=f"{case[0]:02}-{case[1]}-{case[2].__name__}-{i}") for i, case in enumerate(FUNCTIONS)],
)
def test_distance_changes_no_word(number, name, answer):
    problem = of_lesson(number)[name]
    assert judged_from_afar(problem, answer) == problem.judge(answer, 0)


@pytest.mark.parametrize("number", lessons())
def test_each_known_mistake_is_named_from_afar(number):
    for problem in of_lesson(number).values():
        if isinstance(problem, FunctionProblem):
            assert judged_from_afar(problem, type(problem).solution).outcome == "correct", problem.name
            for mistake in problem.mistakes:
                assert judged_from_afar(problem, mistake.answer).misconception == mistake.name


@pytest.mark.parametrize("number", lessons())
def test_nothing_that_is_handed_over_holds_the_answer(number):
    Judge()
    for problem in of_lesson(number).values():
        if isinstance(problem, FunctionProblem):
            case = problem.draw(problem.random(0, "check"))
            assert "solution" not in str(packed_bytes(tuple(case.values()))), problem.name


def packed_bytes(value):
    return base64.b64decode(packed(value))


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        1.5,
        float("inf"),
        10**40,
        "text",
        1 + 2j,
        np.arange(6.0).reshape(2, 3),
        np.float32(2.5),
        np.array(["a", "bcdef"]),
        [1, (2, [3.0])],
        {"a": np.ones(2), np.str_("b"): (1, 2)},
    ],
)
def test_a_value_comes_back_as_it_went(value):
    back = decode(encode(value))
    assert type(back) is type(value)
    assert repr(back) == repr(value)


@pytest.mark.parametrize(
    "said",
    [{}, {"array": "AAAA", "type": "O", "shape": [1], "one": False}, {"is": [1]}, {"record": 3}, {"dict": [1]}],
)
def test_what_is_no_value_is_refused(said):
    with pytest.raises(Gone):
        decode(said)


def test_what_a_call_did_to_its_arguments_is_done_here_too():
    rng, array, items = np.random.default_rng(0), np.zeros(3), [1]
    there = (np.random.default_rng(0), array.copy(), [*items])
    before = (np.random.default_rng(0), array.copy(), [*items])
    drawn = there[0].normal(size=5)
    there[1][1] = 7
    there[2].append(2)
    bring_to((rng, array, items), state(before, there))
    assert np.array_equal(array, [0, 7, 0]) and items == [1, 2]
    assert rng.normal() == there[0].normal() and not np.isin(drawn, rng.normal(size=5)).any()
