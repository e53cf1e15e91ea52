"""Derivatives from values alone agree with those derived by hand, at kinks and in float32 as far as they can."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlcourse import MLP, Data, mean_squared_error, place, relu, tanh
from mlcourse.recipes.differences import VALUES, Differences, Loss, best_steps, number


def problem(seed=0, tasks=2, sizes=(2, 3, 1), activation=tanh, dtype=float):
    """Plain losses of a network, one a task, and the same network's objective by hand."""
    rng = np.random.default_rng(seed)
    model = MLP(list(sizes), activation=activation)
    data = Data(rng.normal(size=(tasks, 4, sizes[0])), rng.normal(size=(tasks, 4, sizes[-1])))

    def loss(theta, t):
        predictions = model(theta.astype(dtype), data.x[t].astype(dtype))
        return np.mean((predictions - data.y[t].astype(dtype)) ** 2)

    losses = tuple(Loss(f"loss {t}", lambda theta, t=t: loss(theta, t)) for t in range(tasks))
    return losses, mean_squared_error(model), data, rng.normal(size=(tasks, model.size)), rng


def relative(one, other):
    return np.linalg.norm(one - other) / np.linalg.norm(other)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6))
def test_gradient_and_products_are_those_derived_by_hand(seed):
    losses, objective, data, theta, rng = problem(seed)
    ours, by_hand = place(Differences(0.004), theta, losses), place(objective, theta, data)
    v, along = rng.normal(size=(2, *theta.shape))
    assert np.allclose(ours.value, by_hand.value)
    assert relative(ours.grad, by_hand.grad) < 1e-8
    assert relative(ours.hvp(v), by_hand.hvp(v)) < 1e-7
    assert relative(ours.hvp_along(v, along), by_hand.hvp(v) @ along.T) < 1e-7
    assert relative(ours.at(theta + 0.1).grad, by_hand.at(theta + 0.1).grad) < 1e-8


def test_on_a_quadratic_loss_any_step_is_exact():
    matrix = np.array([[2.0, 1.0], [1.0, 3.0]])
    here = Differences(1.0).at(np.array([[0.5, -2.0]]), (Loss("quadratic", lambda theta: theta @ matrix @ theta / 2),))
    assert np.allclose(here.grad, [[0.5, -2.0]] @ matrix)
    assert np.allclose(here.hvp(np.array([[1.0, 4.0]])), [[1.0, 4.0]] @ matrix)
    assert not here.hvp(np.zeros((1, 2))).any()


def test_a_gradient_takes_six_values_a_parameter_and_a_product_as_many():
    losses, _, _, theta, rng = problem(tasks=1)
    here, size = Differences(0.004).at(theta, losses), theta.size
    assert here.value.shape == (1,) and here.grad.shape == theta.shape
    assert losses[0].calls == 1 + VALUES * size
    here.hvp(rng.normal(size=theta.shape))
    assert losses[0].calls == 1 + 2 * VALUES * size + VALUES
    here.hvp_along(rng.normal(size=theta.shape), rng.normal(size=(2, size)))
    assert losses[0].calls == 1 + 2 * VALUES * size + 2 * VALUES + 4 * VALUES


def test_after_many_products_the_whole_hessian_is_there_and_costs_nothing_more():
    losses, objective, data, theta, rng = problem(tasks=1)
    here = Differences(0.004).at(theta, losses)
    for _ in range(theta.size):
        here.hvp(rng.normal(size=theta.shape))
    calls, v = losses[0].calls, rng.normal(size=theta.shape)
    assert relative(here.hvp(v), objective.hvp(theta, Data(data.x, data.y), v)) < 1e-7
    assert relative(here.hvp_along(v, v), here.hvp(v) @ v.T) < 1e-12
    assert losses[0].calls == calls


def test_the_same_loss_at_the_same_theta_is_measured_once():
    losses, _, _, theta, _ = problem()
    objective = Differences(0.004)
    first = objective.at(theta, losses).grad
    calls = [loss.calls for loss in losses]
    assert np.array_equal(objective.at(theta.copy(), losses).grad, first)
    assert [loss.calls for loss in losses] == calls


@pytest.mark.parametrize("distance", [0.001, 0.003, 0.0002])
def test_a_step_that_meets_a_kink_is_made_shorter(distance):
    def loss(theta):
        return abs(theta[0] - distance) + np.sum(np.sin(theta))

    objective, theta = Differences(0.004), np.array([[0.0, 1.0, 2.0, -1.0, 0.5]])
    here = objective.at(theta, (Loss("kink", loss),))
    assert np.allclose(here.grad, np.cos(theta) - [1, 0, 0, 0, 0], atol=1e-8)
    assert objective.kinks
    assert np.allclose(here.hvp(np.ones_like(theta)), -np.sin(theta), atol=1e-3)


def test_a_smooth_loss_has_no_kinks():
    losses, _, _, theta, rng = problem(3, sizes=(2, 6, 4, 1))
    objective = Differences(*best_steps(losses, theta[0], rng)[0])
    objective.at(theta, losses).hvp(rng.normal(size=theta.shape))
    assert objective.at(theta, losses).grad.shape == theta.shape and objective.kinks == 0


@pytest.mark.parametrize(
    "activation, dtype, accuracy", [(tanh, float, 1e-7), (tanh, np.float32, 2e-2), (relu, float, 1e-6)]
)
def test_the_best_step_gives_as_many_digits_as_the_losses_have(activation, dtype, accuracy):
    losses, objective, data, theta, rng = problem(4, activation=activation, dtype=dtype)
    v = rng.normal(size=theta.shape)
    here = Differences(*best_steps(losses, theta[0], rng)[0]).at(theta, losses)
    assert relative(here.grad, objective.grad(theta, data)) < accuracy
    assert relative(here.hvp(v), objective.hvp(theta, data, v)) < accuracy


def test_rounded_losses_are_given_longer_steps():
    steps = {}
    for dtype in (float, np.float32):
        losses, _, _, theta, rng = problem(5, dtype=dtype)
        steps[dtype] = best_steps(losses, theta[0], rng)[0][0]
    assert steps[np.float32] > 8 * steps[float]


def test_a_loss_on_both_sets_is_the_mean_of_the_two():
    one, other = Loss("one", lambda theta: theta[0]), Loss("other", lambda theta: 3 * theta[0])
    assert one.pooled(other)(np.array([5.0])) == 10


def test_a_loss_may_spoil_its_argument():
    def loss(theta):
        theta *= theta
        return theta.sum()

    here = Differences(0.01).at(np.array([[1.0, 3.0]]), (Loss("spoils", loss),))
    assert np.allclose(here.grad, [[2, 6]]) and np.allclose(here.theta, [[1, 3]])


class Tensor:
    """What a torch tensor with a gradient behind it is to NumPy."""

    def __init__(self, value):
        self.value = value

    def detach(self):
        return self.value


@pytest.mark.parametrize("value", [2, 2.0, np.float32(2), np.array([[2.0]]), Tensor(np.array(2.0))])
def test_one_number_comes_in_many_forms(value):
    assert number("loss", value) == 2


@pytest.mark.parametrize(
    "value, what", [(None, "None"), ([1.0, 2.0], r"float64 of shape \(2,\)"), ("2", "<U1"), (2j, "complex128")]
)
def test_what_is_not_one_number_is_refused_by_name(value, what):
    with pytest.raises(TypeError, match=rf"query_losses\[1\] must return one number, the loss, got {what}"):
        number("query_losses[1]", value)
