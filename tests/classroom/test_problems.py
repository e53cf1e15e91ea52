"""Every problem of every lesson: what is right is right, what is wrong is named, a stub is not attempted."""

from importlib import import_module

import numpy as np
import pytest

from mlcourse.classroom.judging import ChoiceProblem, FunctionProblem, NumberProblem, TextProblem
from mlcourse.classroom.problems import lessons, of_lesson
from mlcourse.recipes.explaining import choices

PROBLEMS = [
    pytest.param(number, problem, id=f"{number:02}-{name}")
    for number in lessons()
    for name, problem in of_lesson(number).items()
]
each_problem = pytest.mark.parametrize("number, problem", PROBLEMS)
SEEDS = range(50)


def solution_of(problem, seed):
    if isinstance(problem, FunctionProblem):
        return type(problem).solution
    if isinstance(problem, NumberProblem):
        return problem.solution(**problem.given(seed))
    if isinstance(problem, ChoiceProblem):
        return problem.solution(seed)
    return problem.model


def answer_of(problem, mistake, seed):
    """What someone hands in who makes the mistake."""
    if isinstance(problem, FunctionProblem):
        return mistake.answer
    if isinstance(problem, NumberProblem):
        return mistake.answer(**problem.given(seed))
    return problem.fallen(problem._items(seed), mistake.name)


def answers_written_otherwise(number):
    return import_module(f"tests.classroom.answers.lesson{number:02}")


@each_problem
def test_the_solution_is_right_and_each_mistake_is_named_for_fifty_seeds(number, problem):
    for seed in SEEDS:
        marked = "not marked" if isinstance(problem, TextProblem) else "correct"
        assert problem.judge(solution_of(problem, seed), seed).outcome == marked, seed
        for mistake in problem.mistakes:
            verdict = problem.judge(answer_of(problem, mistake, seed), seed)
            assert (verdict.outcome, verdict.misconception) == ("wrong", mistake.name), (seed, str(verdict))
            assert mistake.message in verdict.message


@each_problem
def test_each_known_deviation_is_named(number, problem):
    for seed in range(3):
        for deviation in getattr(problem, "deviations", ()):
            if problem.skip({deviation.choice: deviation.setting}):
                continue
            name, sentence = problem.told(deviation)
            answer = problem.with_settings({deviation.choice: deviation.setting})
            verdict = problem.judge(answer, seed)
            assert verdict.outcome == "wrong" and name in verdict.misconception, (seed, deviation, str(verdict))
            assert sentence in verdict.message


@each_problem
def test_two_deviations_at_once_are_both_named(number, problem):
    deviations = getattr(problem, "deviations", ())
    rng = np.random.default_rng(0)
    pairs = list(choices(deviations, 2))
    for index in rng.permutation(len(pairs))[:12]:
        settings = {each.choice: each.setting for each in pairs[index]}
        if problem.skip(settings):
            continue
        verdict = problem.judge(problem.with_settings(settings), 0)
        assert verdict.outcome == "wrong" and verdict.misconception, (settings, str(verdict))


@each_problem
def test_a_stub_is_not_attempted(number, problem):
    def stub(*args): ...

    def nbgrader_stub(*args):
        raise NotImplementedError()

    assert problem.judge(None, 0).outcome == problem.judge(..., 0).outcome == "not attempted"
    if isinstance(problem, FunctionProblem):
        assert problem.judge(stub, 0).outcome == problem.judge(nbgrader_stub, 0).outcome == "not attempted"
    if isinstance(problem, TextProblem):
        assert problem.judge("", 0).outcome == problem.judge("  \n", 0).outcome == "not attempted"


@each_problem
def test_a_right_answer_in_another_style_is_right(number, problem):
    if isinstance(problem, TextProblem):
        return
    answers = answers_written_otherwise(number).RIGHT[problem.name]
    assert answers
    for seed in range(5):
        for answer in answers:
            handed = answer
            if isinstance(problem, NumberProblem):
                handed = answer(problem.given(seed))
            elif isinstance(problem, ChoiceProblem):
                handed = answer(problem.solution(seed))
            verdict = problem.judge(handed, seed)
            assert verdict.outcome == "correct", (seed, str(verdict))


@pytest.mark.parametrize("number", lessons())
def test_a_mistake_in_another_style_has_the_same_name(number):
    for name, answers in answers_written_otherwise(number).WRONG.items():
        for misconception, answer in answers:
            verdict = of_lesson(number)[name].judge(answer, 0)
            assert (verdict.outcome, verdict.misconception) == ("wrong", misconception), (name, str(verdict))


@each_problem
def test_a_problem_says_all_it_has_to(number, problem):
    assert problem.title and problem.minutes and problem.difficulty in ("easy", "medium", "hard")
    assert problem.name in problem.show(0)
    assert len(problem.worked_solution(0)) > 40
    if isinstance(problem, TextProblem):
        assert problem.rubric
        return
    assert 2 <= len(problem.hints) <= 3
    assert len(problem.mistakes) + len(getattr(problem, "deviations", ())) >= 2
    assert all(len(mistake.message) > 30 for mistake in problem.mistakes)
    assert len({mistake.name for mistake in problem.mistakes}) == len(problem.mistakes)


@each_problem
def test_another_seed_asks_for_another_answer(number, problem):
    if isinstance(problem, NumberProblem):
        answers = {solution_of(problem, seed) for seed in SEEDS}
        passes = [problem.judge(solution_of(problem, seed), seed + 1).outcome == "correct" for seed in SEEDS]
        assert len(answers) > 40 and np.mean(passes) <= 0.1
    elif isinstance(problem, ChoiceProblem):
        answers = {tuple(map(str, solution_of(problem, seed))) for seed in SEEDS}
        assert len(answers) > 25
        assert len(problem.labels) ** len(problem.solution(0)) >= 64


def test_guessers_do_not_pass_a_choice():
    rng = np.random.default_rng(0)
    choices = [param.values[1] for param in PROBLEMS if isinstance(param.values[1], ChoiceProblem)]
    for problem in choices:
        passed = 0
        for seed in SEEDS:
            guess = [problem.labels[i] for i in rng.integers(len(problem.labels), size=len(problem.solution(seed)))]
            passed += problem.judge(guess, seed).outcome == "correct"
        assert passed <= 3, problem.name


def test_the_first_six_lessons_know_sixty_wrong_answers():
    known = [problem for number, problem in (param.values for param in PROBLEMS) if number <= 6]
    assert sum(len(problem.mistakes) + len(getattr(problem, "deviations", ())) for problem in known) >= 60
