"""value, grad and hvp against central differences and closed forms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlcourse import MLP, Data, Linear, cross_entropy, mean_squared_error, tanh
from tests.reference import central_difference, loss_of

KINDS = {"mean_squared_error": mean_squared_error, "cross_entropy": cross_entropy}


def draw(rng, model, shape, kind, rows=4):
    x = rng.normal(size=(*shape, rows, model.inputs))
    y = rng.normal(size=(*shape, rows, model.outputs))
    if kind == "cross_entropy":
        y = rng.integers(model.outputs, size=(*shape, rows))
    return Data(x, y)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(1, 5), min_size=2, max_size=4),
    st.sampled_from([(), (1,), (3,), (2, 3)]),
    st.sampled_from(sorted(KINDS)),
    st.integers(0, 10**6),
)
def test_grad_and_hvp_agree_with_central_differences(sizes, shape, kind, seed):
    rng = np.random.default_rng(seed)
    model = MLP(sizes, activation=tanh)
    objective, data = KINDS[kind](model), draw(rng, model, shape, kind)
    theta, v = rng.normal(size=(*shape, model.size)), rng.normal(size=(*shape, model.size))
    h = 1e-5
    slope = (objective.value(theta + h * v, data) - objective.value(theta - h * v, data)) / (2 * h)
    assert np.allclose(np.sum(objective.grad(theta, data) * v, axis=-1), slope, rtol=1e-6, atol=1e-7)
    change = (objective.grad(theta + h * v, data) - objective.grad(theta - h * v, data)) / (2 * h)
    assert np.allclose(objective.hvp(theta, data, v), change, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_the_value_is_that_of_a_loss_written_without_the_package(kind):
    rng = np.random.default_rng(1)
    model = MLP([2, 5, 3])
    data, theta = draw(rng, model, (), kind), rng.normal(size=model.size)
    assert np.isclose(KINDS[kind](model).value(theta, data), loss_of(model, kind)(theta, data))


def test_one_theta_meets_many_tasks_and_each_gets_its_own_gradient():
    rng = np.random.default_rng(2)
    model = MLP([1, 4, 1])
    objective, data = mean_squared_error(model), draw(rng, model, (6,), "mean_squared_error")
    theta = model.init(rng)
    together = objective.grad(theta, data)
    alone = np.array([objective.grad(theta, Data(x, y)) for x, y in zip(*data, strict=True)])
    assert together.shape == (6, model.size) and np.allclose(together, alone)


def test_cross_entropy_does_not_overflow():
    model = Linear(1, 2, bias=False)
    data = Data(np.array([[1000.0]]), np.array([1]))
    assert cross_entropy(model).value(np.array([1.0, -1.0]), data) == pytest.approx(2000)


def test_the_hessian_of_a_linear_model_is_that_of_least_squares():
    rng = np.random.default_rng(3)
    model, x = Linear(3, bias=False), rng.normal(size=(7, 3))
    data, v = Data(x, rng.normal(size=(7, 1))), rng.normal(size=3)
    assert np.allclose(mean_squared_error(model).hvp(np.zeros(3), data, v), 2 * x.T @ x @ v / 7)


def test_central_difference_of_the_reference_finds_a_known_slope():
    assert np.allclose(central_difference(lambda t: np.sum(t**2), np.array([1.0, 2.0]), np.eye(2)), [2, 4])


def test_arguments_are_left_as_they_were():
    rng = np.random.default_rng(4)
    model = MLP([2, 3, 2])
    objective, data = mean_squared_error(model), draw(rng, model, (2,), "mean_squared_error")
    theta, v = model.init(rng), rng.normal(size=(2, model.size))
    copies = [array.copy() for array in (theta, *data, v)]
    objective.value(theta, data), objective.grad(theta, data), objective.hvp(theta, data, v)
    assert all(np.array_equal(now, then) for now, then in zip((theta, *data, v), copies, strict=True))
