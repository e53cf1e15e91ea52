"""The worked examples: right for any numbers, and clear about those that they refuse."""

import ast
import re

import autograd.numpy as anp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mlcourse
from mlcourse.classroom.worked import DisagreementError, example_1, example_2, example_3
from mlcourse.classroom.worked.quadratics import QUERY, SUPPORT, Quadratic
from mlcourse.tasks import Data, Episode
from tests.classroom.worked.draws import fast, formulas, network, numbers, quadratics, step_sizes
from tests.tested import cells, notebooks_in


@fast
@given(formulas(), formulas(), numbers, step_sizes)
def test_example_1_agrees_three_ways_for_any_smooth_losses(support, query, theta, alpha):
    shown = example_1(theta, alpha, support, query)
    assert shown.by_hand == pytest.approx(shown.autograd, rel=1e-8, abs=1e-8)
    assert shown.by_hand == pytest.approx(shown.central_difference, rel=1e-5, abs=1e-5)
    assert shown.by_hand == pytest.approx(shown.first_order * (1 - alpha * shown.curvature))


@fast
@given(numbers, numbers, st.lists(numbers, min_size=1, max_size=6), st.floats(0.01, 3))
def test_example_2_is_the_inner_step_of_the_method(theta, slope, x, alpha):
    shown = example_2(theta, slope, x, alpha)
    x = np.array(x)[:, None]
    objective = mlcourse.mean_squared_error(mlcourse.Linear(1, bias=False))
    (theta_prime,) = mlcourse.adapt(objective, np.array([theta]), Data(x, slope * x), alpha, 1)
    for way in (shown.by_hand, shown.autograd, shown.central_difference, shown.theta_prime):
        assert way == pytest.approx(theta_prime, rel=1e-6, abs=1e-6)
    assert shown.c == pytest.approx(2 * alpha * np.mean(x**2))


@fast
@given(st.integers(1, 4).flatmap(lambda size: st.tuples(quadratics(size), quadratics(size))), step_sizes)
def test_example_3_is_the_closed_form_for_any_quadratics(pair, alpha):
    (A_s, b_s), (A_q, b_q) = pair
    theta = np.linspace(-1, 2, len(b_s))
    shown = example_3(theta, alpha, *pair)
    theta_prime = theta - alpha * (A_s @ theta - b_s)
    first_order = A_q @ theta_prime - b_q
    exact = (np.eye(len(b_s)) - alpha * A_s) @ first_order
    np.testing.assert_allclose(shown.first_order, first_order, atol=1e-10)
    for way in (shown.by_hand, shown.autograd, shown.central_difference):
        np.testing.assert_allclose(way, exact, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("sizes", [[1, 5, 1], [1, 40, 40, 1]])
def test_example_3_equals_maml_and_fomaml_of_the_method(sizes):
    objective, theta, episode = network(np.random.default_rng(3), sizes)
    shown = example_3(theta, 0.01, objective=objective, episode=episode)
    exact = mlcourse.maml(objective, theta, episode, 0.01, 1).theta
    np.testing.assert_allclose(shown.by_hand, exact, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(shown.autograd, exact, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(shown.central_difference, exact[shown.coordinates], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(shown.first_order, mlcourse.fomaml(objective, theta, episode, 0.01, 1).theta)


def test_functions_and_formulas_give_the_same():
    formula = example_1(0.7, 0.3, "exp(sin(theta)) + theta**4 / 4", "(theta - 1)**2")
    function = example_1(0.7, 0.3, lambda t: anp.exp(anp.sin(t)) + t**4 / 4, lambda t: (t - 1) ** 2)
    assert function.by_hand == pytest.approx(formula.by_hand, rel=1e-12)


@pytest.mark.parametrize("lesson, example", [(4, example_1), (5, example_2), (4, example_3)])
def test_without_numbers_an_example_is_the_one_that_its_lesson_shows_first(lesson, example):
    (notebook,) = (path for path in notebooks_in("notebooks") if path.name.startswith(f"{lesson:02}"))
    sources = (cell.source for cell in cells(notebook, "code"))
    call = ast.parse(next(source for source in sources if source.startswith(example.__name__)), mode="eval").body
    given = {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords}
    assert str(example()) == str(example(**given))


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"alpha": 0}, "alpha must be a number greater than 0, got 0"),
        ({"alpha": "much"}, "alpha must be a finite number, got 'much'"),
        ({"theta": np.nan}, "theta must be a finite number, got nan"),
        ({"theta": [1, 2]}, "theta must be a finite number, got [1, 2]"),
        (
            {"theta": 2, "support_loss": "abs(theta - 2)"},
            "support_loss is not twice differentiable at theta = 2: its v",
        ),
        ({"theta": 0, "support_loss": "theta * abs(theta)"}, "support_loss is not twice differentiable at theta = 0"),
        ({"theta": 0, "support_loss": "sqrt(theta)"}, "its slope there is inf"),
        ({"theta": 0, "support_loss": "2 * theta", "query_loss": "abs(theta + 0.4)"}, "query_loss is not differenti"),
        ({"theta": -1, "support_loss": "log(theta)"}, "support_loss is nan at theta = -1"),
        ({"support_loss": "theta^2"}, "powers are written **, not ^"),
        ({"support_loss": "x**2"}, "it has no meaning for `x`"),
        ({"support_loss": "sin"}, "sin is a function, as in sin(theta)"),
        ({"support_loss": "(theta"}, "it is not a complete expression"),
        ({"support_loss": "9**9**9 * theta"}, "one of its constants is not a finite number"),
        ({"support_loss": "theta" + " + theta" * 99}, "characters are too many, at most 500"),
        ({"support_loss": 3}, "support_loss must be a formula in theta"),
        ({"support_loss": lambda theta: [theta, theta]}, "support_loss must return one number, got shape (2,)"),
        ({"support_loss": lambda theta: anp.sin(float(theta))}, "autograd cannot differentiate support_loss"),
        ({"support_loss": lambda theta: 1 / 0}, "support_loss fails at theta = 0.8: ZeroDivisionError"),
        ({"theta": 10, "alpha": 1e308, "support_loss": "theta**4"}, "the inner loop diverged"),
    ],
)
def test_example_1_refuses_and_says_the_way_out(arguments, message):
    with pytest.raises((ValueError, TypeError, ArithmeticError), match=re.escape(message)):
        example_1(**arguments)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"x": []}, "x must be one vector (P,) of at least 1 number, got shape (0,)"),
        ({"x": [[1, 2], [3, 4]]}, "x must be one vector (P,) of at least 1 number, got shape (2, 2)"),
        ({"x": [1, np.inf]}, "x must be finite, got 1 of 2 values"),
        ({"x": "abc"}, "x must be a list of numbers, got 'abc'"),
        ({"slope": None}, "slope must be a finite number, got None"),
        ({"alpha": -1}, "alpha must be a number greater than 0"),
        ({"x": [1e200]}, "the inner loop diverged"),
    ],
)
def test_example_2_refuses_and_says_the_way_out(arguments, message):
    with pytest.raises((ValueError, ArithmeticError), match=re.escape(message)):
        example_2(**arguments)


GOOD = ([[2, 1], [1, 3]], [1, 0])


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"support": ([[2, 1], [0, 3]], [1, 0]), "query": GOOD}, "(A + A.T) / 2 gives the same loss"),
        ({"support": GOOD}, "query must be given too"),
        ({"support": GOOD, "query": ([[1]], [1])}, "P = 2 as in support, got shapes (1, 1) and (1,)"),
        ({"support": ([[1, 2]], [1]), "query": GOOD}, "support must be a pair (A, b) with A of shape (P, P)"),
        ({"support": 5, "query": GOOD}, "support must be a pair (A, b), such as"),
        ({"support": ([[np.nan]], [1]), "query": ([[1]], [1])}, "A of support must be finite"),
        ({"theta": [1, 2, 3]}, "theta must have 2 entries, one a row of A, got 3"),
        ({"alpha": 0}, "alpha must be a number greater than 0"),
        ({"objective": 3}, "objective must have value, grad and hvp, got int without value"),
        ({"objective": Quadratic()}, "theta must be given with an objective"),
        ({"objective": Quadratic(), "theta": [1.0]}, "episode must be given with an objective"),
        ({"objective": Quadratic(), "support": GOOD}, "support and query are for quadratics"),
        ({"episode": 3}, "episode needs its objective"),
    ],
)
def test_example_3_refuses_and_says_the_way_out(arguments, message):
    with pytest.raises((ValueError, TypeError), match=re.escape(message)):
        example_3(**arguments)


def test_a_batch_of_tasks_is_refused_with_the_way_to_one():
    rng = np.random.default_rng(0)
    objective, theta, _ = network(rng, [1, 5, 1])
    with pytest.raises(ValueError, match=re.escape("got 3 of them: sample it with tasks=()")):
        example_3(theta, 0.1, objective=objective, episode=mlcourse.Sinusoids().sample(rng, 3, 5, 5))


class WrongHessian(Quadratic):
    def hvp(self, theta, data, v):
        return 1.01 * super().hvp(theta, data, v)


class PlainNumbers(Quadratic):
    def value(self, theta, data):
        return float(super().value(theta, data))


EPISODE = Episode(Data(*map(np.array, SUPPORT)), Data(*map(np.array, QUERY)), {})


def test_derivatives_that_do_not_belong_to_the_loss_are_found_out():
    with pytest.raises(DisagreementError, match="by hand and autograd differ by"):
        example_3([1.0, -1.0], objective=WrongHessian(), episode=EPISODE)
    with pytest.raises(TypeError, match=r"autograd cannot differentiate objective\.value"):
        example_3([1.0, -1.0], objective=PlainNumbers(), episode=EPISODE)


def test_what_autograd_cannot_see_is_found_by_central_differences():
    def detached(theta):
        return theta**2 + 3 * getattr(theta, "_value", theta)

    with pytest.raises(DisagreementError, match="by hand and central differences differ by"):
        example_1(query_loss=detached)
