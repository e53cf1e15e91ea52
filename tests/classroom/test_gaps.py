"""A gap of a lesson: what is drawn below it is the learner's own where it is right, and the course's otherwise."""

import pytest

from mlcourse.classroom import lesson
from mlcourse.classroom.learner import progress


@pytest.fixture
def p(tmp_path, monkeypatch):
    monkeypatch.setenv("MLCOURSE_HOME", str(tmp_path))
    return lesson(4)


def open_gap(hessian, alpha):
    """A docstring does not fill it."""
    moved = ...  # your code here
    return moved


def half_filled(dLs, d2Ls, dLq, theta, alpha):
    factor = 1 - alpha * d2Ls(theta)
    theta_prime = theta
    ...  # your code here
    return dLq(theta_prime) * factor


def wrong(hessian, alpha):
    return 1 - alpha * hessian


def right(hessian, alpha):
    return [[(i == j) - alpha * entry for j, entry in enumerate(row)] for i, row in enumerate(hessian)]


def endless(hessian, alpha):
    while True:
        pass


def test_an_open_gap_is_not_attempted_even_where_it_makes_a_known_mistake(p):
    for name, answer in (("jacobian", open_gap), ("meta_gradient_1d", half_filled), ("sign_flip_alpha", ...)):
        assert p.check(name, answer).outcome == "not attempted"
    assert "Still open" in str(p.check("jacobian", open_gap))


def test_a_stub_left_above_a_right_answer_does_no_harm(p):
    def answer(hessian, alpha):
        ...  # your code here
        return right(hessian, alpha)

    assert p.check("jacobian", answer).outcome == "correct"


def test_a_right_answer_is_used_and_any_other_is_stood_in_for(p, capsys):
    assert p.use("jacobian", right) is right
    own = p.problems["jacobian"].solution
    for answer in (open_gap, wrong, endless, None, ..., 3.0, lambda: None):
        assert p.use("jacobian", answer) is own
    assert capsys.readouterr().out.splitlines() == [
        "This uses your own `jacobian`.",
        "The course's own `jacobian` stands in until yours is written.",
        "The course's own `jacobian` stands in until yours is right.",
        "The course's own `jacobian` stands in until yours is right.",
        "The course's own `jacobian` stands in until yours is written.",
        "The course's own `jacobian` stands in until yours is written.",
        "The course's own `jacobian` stands in until yours is right.",
        "The course's own `jacobian` stands in until yours is right.",
    ]


def test_a_number_is_handed_on_as_a_number(p):
    given = p.given("sign_flip_alpha")
    number = p.problems["sign_flip_alpha"].solution(**given)
    for answer in (number, ..., 2 * number, p.problems["sign_flip_alpha"].solution):
        assert p.use("sign_flip_alpha", answer) == number


def test_use_is_no_attempt(p):
    p.use("jacobian", right)
    assert not progress.begun()
