"""What a check accepts, what it says otherwise, and that nothing a learner writes can hurt."""

import os
import sys
import time

import autograd.numpy as np
import pytest
from autograd import grad as grad_of

from mlcourse.classroom import lesson
from mlcourse.classroom.judging.verdict import VERDICT_TYPE, Verdict

linux = pytest.mark.skipif(sys.platform != "linux", reason="limits of memory and processes are Linux's")


@pytest.fixture
def check(tmp_path, monkeypatch):
    monkeypatch.setenv("MLCOURSE_HOME", str(tmp_path))
    p = lesson(4)
    return lambda answer, name="meta_gradient_1d": p.check(name, answer)


def right(dLs, d2Ls, dLq, theta, alpha):
    return dLq(theta - alpha * dLs(theta)) * (1 - alpha * d2Ls(theta))


@pytest.mark.parametrize(
    "wrap",
    [float, lambda v: [v], np.array, lambda v: np.array([v]), lambda v: (v,), lambda v: [[v]]],
    ids=["float", "list", "0-d array", "array", "tuple", "nested list"],
)
def test_a_right_number_is_right_in_whatever_form_it_comes(check, wrap):
    assert check(lambda *arguments: wrap(right(*arguments))).outcome == "correct"


def test_autograd_inside_an_answer_is_fine(check):
    def answer(dLs, d2Ls, dLq, theta, alpha):
        return dLq(theta - alpha * dLs(theta)) * (1 - alpha * grad_of(dLs)(theta))

    assert check(answer).outcome == "correct"


def test_an_answer_that_is_a_box_of_autograd_is_read(check):
    from mlcourse.classroom.judging.compare import plain

    boxes = []
    grad_of(lambda theta: boxes.append(theta) or theta**2)(3.0)
    assert plain(boxes[0]) == 3.0


@pytest.mark.parametrize(
    "answer, message",
    [
        (3.0, "Hand in the function itself"),
        (lambda a, b: 1.0, "It must take 5 arguments, (dLs, d2Ls, dLq, theta, alpha); yours takes (a, b)"),
        (lambda *a: "0.5", "It gives str '0.5'; expected a number"),
        (lambda *a: [1.0, 2.0], "It gives shape (2,); expected a number"),
        (lambda *a: float("nan"), "It gives NaN or infinity"),
        (lambda *a: 1 / 0, "It raised ZeroDivisionError: division by zero — at"),
        (lambda *a: {1, 2}, "It should give numbers, and gave set"),
        (lambda *a: a[-1].no_such_thing, "AttributeError"),
        (lambda *a: sys.exit("bye"), "ended the program"),
    ],
    ids=["a number", "arguments", "text", "shape", "nan", "exception", "set", "attribute", "exit"],
)
def test_each_way_of_being_unusable_has_its_own_message(check, answer, message):
    verdict = check(answer)
    assert verdict.outcome == "wrong" and message in verdict.message, str(verdict)


def test_a_forgotten_return_is_not_a_stub(check):
    def answer(dLs, d2Ls, dLq, theta, alpha):
        theta_prime = theta - alpha * dLs(theta)  # noqa: F841

    verdict = check(answer)
    assert verdict.outcome == "wrong" and "Is a `return` missing?" in verdict.message


def test_an_exception_is_shown_short_with_the_learners_line(check):
    def answer(dLs, d2Ls, dLq, theta, alpha):
        return dLq(theta) + undefined_name  # noqa: F821

    verdict = check(answer)
    assert "NameError: name 'undefined_name' is not defined" in verdict.message
    assert "return dLq(theta) + undefined_name" in verdict.message and len(verdict.message) < 250


def test_a_constant_factor_is_pointed_out(check):
    assert "It is 2 times the right answer" in check(lambda *arguments: 2 * right(*arguments)).message


def test_fomaml_for_maml_is_told_in_one_sentence_that_teaches(check):
    verdict = check(lambda gs, hs, gq, theta, alpha: gq(theta - alpha * gs(theta)), "meta_gradient")
    assert verdict.misconception == "first-order gradient"
    assert "leaves out the factor (I − αH)" in verdict.message and verdict.message.count(". ") == 0


def test_an_answer_that_changes_its_inputs_is_noticed_and_the_learners_arrays_are_not_changed(check):
    mine = np.arange(3.0)

    def answer(grad_s, hvp_s, grad_q, theta, alpha):
        mine[:] = -1
        theta -= alpha * grad_s(theta)
        return grad_q(theta)

    verdict = check(answer, "meta_gradient")
    assert verdict.misconception == "changes its inputs" and "theta in place" in verdict.message
    if sys.platform == "linux":
        assert np.array_equal(mine, np.arange(3.0))


def test_an_endless_loop_ends_with_a_verdict(check):
    def answer(*arguments):
        while True:
            pass

    start = time.monotonic()
    verdict = check(answer)
    assert verdict.outcome == "wrong" and "still running" in verdict.message
    assert time.monotonic() - start < 60


def test_an_endless_loop_that_catches_everything_ends_too(check):
    def answer(*arguments):
        while True:
            try:
                pass
            except Exception:
                pass

    assert "still running" in check(answer).message


@linux
def test_a_memory_fault_ends_with_a_verdict(check):
    verdict = check(lambda *arguments: np.ones(10**10).sum())
    assert verdict.outcome == "wrong" and "memory" in verdict.message


@linux
@pytest.mark.parametrize("end", [lambda: os._exit(0), lambda: os.kill(os.getpid(), 11), lambda: os.abort()])
def test_a_process_fault_ends_with_a_verdict(check, end):
    verdict = check(lambda *arguments: end())
    assert verdict.outcome == "wrong" and "Your notebook is unharmed" in verdict.message


def test_endless_recursion_is_an_exception_like_others(check):
    def answer(*arguments):
        return answer(*arguments)

    assert "RecursionError" in check(answer).message


def test_what_an_answer_prints_is_shown(check, capsys):
    def answer(*arguments):
        print("theta is", arguments[3])
        return right(*arguments)

    assert check(answer).outcome == "correct"
    assert "theta is" in capsys.readouterr().out


def test_the_same_answer_gets_the_same_verdict(check):
    def answer(*arguments):
        return right(*arguments) + 0.1

    assert check(answer) == check(answer)


def test_a_verdict_is_readable_as_text_as_a_page_and_by_programs():
    verdict = Verdict("wrong", "first-order gradient", "The factor `I - αH` is missing.", (4, "meta_gradient", 0))
    bundle = verdict._repr_mimebundle_()
    assert "✗ Not yet: first-order gradient" in bundle["text/plain"]
    assert "✗ Not yet: first-order gradient" in bundle["text/html"] and "<code>I - αH</code>" in bundle["text/html"]
    assert bundle[VERDICT_TYPE]["misconception"] == "first-order gradient"


def test_a_message_cannot_smuggle_html_into_the_page():
    verdict = Verdict("wrong", None, "<script>alert(1)</script>", (4, "jacobian", 0))
    assert "<script>" not in verdict._repr_mimebundle_()["text/html"]


def test_require_lets_the_right_pass_and_says_what_is_wrong():
    assert Verdict("correct", None, "").require().outcome == "correct"
    with pytest.raises(AssertionError, match="first-order gradient"):
        Verdict("wrong", "first-order gradient", "Missing factor.").require()
    with pytest.raises(AssertionError, match="Not attempted"):
        Verdict("not attempted", None, "").require()


def test_hints_come_one_after_another_and_then_the_solution_is_named():
    p = lesson(4)
    hints = [p.hint("jacobian") for _ in p.problems["jacobian"].hints]
    for turn, hint in enumerate(hints, start=1):
        assert hint.startswith(f"**Hint {turn} of {len(hints)}.**")
    assert 'p.solution("jacobian")' in p.hint("jacobian")
    assert "np.eye" in p.solution("jacobian")


def test_another_seed_draws_other_numbers_and_the_same_seed_the_same():
    one, again, other = lesson(4, seed=1), lesson(4, seed=1), lesson(4, seed=2)
    assert one.show("sign_flip_alpha") == again.show("sign_flip_alpha") != other.show("sign_flip_alpha")


def test_a_misspelt_problem_and_a_missing_lesson_are_named():
    with pytest.raises(ValueError, match=r"name must be a problem of this lesson, .* Did you mean 'jacobian'\?"):
        lesson(4).check("jacobain", None)
    with pytest.raises(ValueError, match="number must be a lesson with exercises"):
        lesson(0)
    with pytest.raises(ValueError, match="seed must be a whole number of at least 0, got -1"):
        lesson(4, seed=-1)
