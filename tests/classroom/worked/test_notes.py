"""What the examples say about their numbers."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlcourse.classroom.worked import example_1, example_2, example_3
from mlcourse.classroom.worked.derivation import to_text
from mlcourse.classroom.worked.quadratics import QUERY
from tests.classroom.worked.draws import fast, numbers, quadratics


def noticed(shown):
    return to_text(" ".join(shown.notes))


def test_first_order_equals_exact_where_curvature_is_zero():
    shown = example_1(support_loss="3 * theta")
    assert shown.by_hand == shown.first_order and "FOMAML equals MAML" in noticed(shown)
    flat = example_3([1.0, 2.0], 0.1, (np.zeros((2, 2)), [1, 0]), QUERY)
    assert not flat.dropped.any() and "FOMAML equals MAML" in noticed(flat)


def test_the_meta_gradient_vanishes_where_alpha_is_one_over_the_curvature():
    shown = example_1(alpha=0.5, support_loss="(theta - 2)**2", query_loss="(theta - 3)**2")
    assert shown.by_hand == 0 and shown.first_order == -2 and "the meta-gradient vanishes" in noticed(shown)


@pytest.mark.parametrize("alpha, says", [(0.4, "points the right way"), (0.6, "points the wrong way")])
def test_first_order_turns_round_at_alpha_one_over_the_curvature(alpha, says):
    shown = example_1(alpha=alpha, support_loss="(theta - 2)**2", query_loss="(theta - 3)**2")
    assert (shown.by_hand * shown.first_order > 0) == (says == "points the right way") and says in noticed(shown)


def test_first_order_is_too_short_where_the_curvature_is_negative():
    shown = example_1(alpha=0.1, support_loss="-theta**2", query_loss="theta**2")
    assert abs(shown.by_hand) > abs(shown.first_order) and "too short, 0.83333 times the exact" in noticed(shown)


def test_both_gradients_are_zero_where_the_step_lands_on_the_query_optimum():
    shown = example_1(theta=0.0, alpha=0.5, support_loss="(theta - 2)**2", query_loss="(theta - 2)**2")
    assert shown.by_hand == shown.first_order == 0 and "both gradients are zero" in noticed(shown)


@pytest.mark.parametrize("support_loss", ["(theta - 2)**2", "-((theta - 2)**2)"])
def test_a_difference_in_no_digit_shown_is_not_called_too_long_or_too_short(support_loss):
    said = noticed(example_1(alpha=1e-9, support_loss=support_loss))
    assert "as long as the exact gradient in the first five digits" in said
    assert "too long" not in said and "too short" not in said


def test_a_step_too_small_for_the_digits_still_drops_something():
    shown = example_1(alpha=1e-20)
    assert shown.by_hand == shown.first_order and shown.dropped and "equals MAML" not in noticed(shown)


def test_what_is_dropped_is_told_as_a_share_of_the_exact_gradients_length():
    shown = example_3()
    share = np.linalg.norm(shown.dropped) / np.linalg.norm(shown.by_hand)
    assert f"FOMAML is off by {100 * share:.1f} % of the exact gradient's length" in noticed(shown)
    longer = np.linalg.norm(shown.first_order) / np.linalg.norm(shown.by_hand)
    assert f"from the exact gradient and {longer:.3g} times as long" in noticed(shown)
    assert "FOMAML is off by 9 times the exact" in noticed(example_1(1.0, 0.3, "theta**4 / 4", "(theta - 1)**2"))


@pytest.mark.parametrize("curvatures", [(0.5, 1.5), (3.0, -1.0)])
def test_at_alpha_one_over_the_curvature_along_it_fomaml_is_at_a_right_angle(curvatures):
    plane = ([[1, 0], [0, 1]], [-1, -1])
    shown = example_3([0, 0], 1.0, (np.diag(curvatures), [0, 0]), plane)
    assert shown.by_hand @ shown.first_order == 0 and shown.by_hand.any()
    said = noticed(shown)
    assert "α h_v is 1: FOMAML is at a right angle" in said and "neither lowers nor raises the loss" in said
    assert "less than 1" not in said and "vanishes" not in said
    nearly = noticed(example_3([0, 0], 0.99999, (np.diag(curvatures), [0, 0]), plane))
    assert "is less than 1: FOMAML is 89.99" in nearly, "90 degrees would not lower the loss"


def test_what_is_less_than_1_is_not_shown_as_1():
    said = noticed(example_1(alpha=0.5 - 1e-8, support_loss="theta**2"))
    assert "α L_s''(θ) = 0.99999998 is less than 1" in said


def test_in_several_dimensions_the_meta_gradient_can_vanish_as_well():
    said = noticed(example_3([0, 0], 0.5, ([[2, 0], [0, 2]], [0, 0]), ([[1, 0], [0, 1]], [-1, -1])))
    assert "α h_v = 1: to first order" in said and "the meta-gradient vanishes" in said


@fast
@given(quadratics(2), st.floats(0.05, 3), numbers)
def test_a_step_against_fomaml_does_to_the_loss_what_is_said(support, alpha, start):
    A, b = support
    plane = (np.eye(2), np.array([1.0, 1.0]))
    shown = example_3([start, 1.0], alpha, support, plane)

    def after_one_step(theta):
        return 0.5 * np.sum((theta - alpha * (A @ theta - b) - plane[1]) ** 2)

    epsilon = 1e-6
    moved = epsilon * shown.first_order
    rise = (after_one_step(shown.theta - moved) - after_one_step(shown.theta + moved)) / (2 * epsilon)
    if abs(rise) > 1e-4:
        assert ("makes the loss after adaptation rise" in noticed(shown)) == (rise > 0)
        assert ("still lowers the loss" in noticed(shown)) == (rise < 0 and shown.dropped.any())


@pytest.mark.parametrize("alpha", [1e-7, 0.2])
def test_numbers_in_sentences_are_set_as_formulas(alpha):
    for shown in (example_1(alpha=alpha), example_2(alpha=alpha), example_3(alpha=alpha)):
        outside = re.sub(r"\$[^$]*\$", "", " ".join(shown.notes))
        assert "\\" not in outside, outside


@fast
@given(st.tuples(quadratics(2), quadratics(2)), st.floats(0.05, 3))
def test_example_3_says_wrong_way_exactly_when_the_gradients_point_apart(pair, alpha):
    shown = example_3([1.0, -0.5], alpha, *pair)
    inner = shown.by_hand @ shown.first_order
    if abs(inner) > 1e-6:
        assert ("points the wrong way" in noticed(shown)) == (inner < 0)


@pytest.mark.parametrize(
    "alpha, says",
    [
        (0.2, "between θ and a, a convex combination"),
        (0.5, "lands on a exactly"),
        (0.7, "overshoots, to 0.4 of the distance"),
        (1.0, "to and fro for ever"),
        (1.2, "1.4 times as far away"),
    ],
)
def test_c_outside_0_and_1_is_computed_and_explained(alpha, says):
    shown = example_2(theta=0.0, slope=1.0, x=[1.0, -1.0], alpha=alpha)
    assert shown.theta_prime == pytest.approx(2 * alpha) and says in noticed(shown)
    assert ("no convex combination any more" in noticed(shown)) == (alpha > 0.5)


def test_a_task_that_says_nothing_or_is_reached_already_is_said_so():
    assert "c = 0, no step is taken" in noticed(example_2(x=[0.0, 0.0]))
    assert "the step does not move" in noticed(example_2(theta=2.0, slope=2.0))
