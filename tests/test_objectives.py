"""value, grad and hvp against central differences and closed forms."""

import numpy as np
import pytest
from autograd import grad as gradient_of
from hypothesis import given, settings
from hypothesis import strategies as st

from mlcourse import MLP, Data, Linear, cross_entropy, mean_squared_error, place, tanh
from tests.reference import central_difference, loss_of

KINDS = {"mean_squared_error": mean_squared_error, "cross_entropy": cross_entropy}


class Foreign:
    """An objective that has value, grad and hvp, and no places of its own."""

    def __init__(self, objective):
        self.objective = objective

    def value(self, theta, data):
        return self.objective.value(theta, data)

    def grad(self, theta, data):
        return self.objective.grad(theta, data)

    def hvp(self, theta, data, v):
        return self.objective.hvp(theta, data, v)


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


def objectives(kind, model):
    """With places of its own, by autograd, and with nothing but value, grad and hvp."""
    return [KINDS[kind](model), KINDS[kind](model, derivatives="autograd"), Foreign(KINDS[kind](model))]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("of_theta, of_data", [((), ()), ((), (4,)), ((4,), (4,)), ((4,), ()), ((2, 1), (3,))])
def test_a_place_knows_what_its_objective_says_there(kind, of_theta, of_data):
    rng = np.random.default_rng(5)
    model = MLP([2, 3, 4, 3], activation=tanh)
    data = draw(rng, model, of_data, kind)
    batch = np.broadcast_shapes(of_theta, of_data)
    for objective in objectives(kind, model):
        theta, elsewhere = rng.normal(size=(*of_theta, model.size)), rng.normal(size=(*batch, model.size))
        here = place(objective, theta, data)
        for theta_i, there in ((theta, here), (elsewhere, here.at(elsewhere)), (theta, here)):
            assert np.array_equal(np.broadcast_to(theta_i, there.theta.shape), there.theta)
            assert np.array_equal(there.value, objective.value(theta_i, data)) and there.value.shape == batch
            assert np.array_equal(there.grad, objective.grad(theta_i, data))
            assert there.grad.shape == (*batch, model.size)
            v = rng.normal(size=there.grad.shape)
            assert np.array_equal(there.hvp(v), objective.hvp(theta_i, data, v))


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_in_which_a_place_is_asked_does_not_matter(kind):
    rng = np.random.default_rng(6)
    model = MLP([2, 4, 3], activation=tanh)
    data, theta, v = draw(rng, model, (2,), kind), model.init(rng), rng.normal(size=(2, model.size))
    for objective in objectives(kind, model):
        one, other = place(objective, theta, data), place(objective, theta, data)
        first = [one.value, one.grad, one.hvp(v)]
        last = [other.hvp(v), other.grad, other.value][::-1]
        assert all(np.array_equal(a, b) for a, b in zip(first, last, strict=True))


def test_what_a_place_keeps_cannot_be_changed_from_outside():
    rng = np.random.default_rng(7)
    model = MLP([2, 4, 1])
    data, theta = draw(rng, model, (2,), "mean_squared_error"), model.init(rng)
    for objective in objectives("mean_squared_error", model):
        here = place(objective, theta, data)
        for array in (here.value, here.grad):
            with pytest.raises(ValueError, match="read-only"):
                array[:] = 0
        product = here.hvp(np.ones((2, model.size)))
        kept = product.copy()
        product[:] = 0
        assert np.array_equal(here.hvp(np.ones((2, model.size))), kept)
    ours = objectives("mean_squared_error", model)[0]
    assert all(array.flags.writeable for array in (ours.value(theta, data), ours.grad(theta, data)))


def test_one_task_has_a_loss_that_is_a_number():
    rng = np.random.default_rng(8)
    model = MLP([2, 4, 1])
    data, theta = draw(rng, model, (), "mean_squared_error"), model.init(rng)
    for objective in objectives("mean_squared_error", model):
        assert f"{objective.value(theta, data):.1f}" and np.shape(place(objective, theta, data).value) == ()


def test_many_directions_at_one_place_and_one_direction_at_many():
    rng = np.random.default_rng(9)
    model = MLP([2, 3, 3, 1], activation=tanh)
    data, theta = draw(rng, model, (), "mean_squared_error"), model.init(rng)
    for objective in objectives("mean_squared_error", model):
        hessian = place(objective, theta, data).hvp(np.eye(model.size))
        assert np.allclose(hessian, hessian.T, atol=1e-12)
        v, thetas = rng.normal(size=model.size), theta + rng.normal(size=(5, model.size))
        assert np.allclose(hessian @ v, objective.hvp(theta, data, v))
        each = [objective.hvp(theta_i, data, v) for theta_i in thetas]
        assert np.allclose(place(objective, thetas, data).hvp(v), each, atol=1e-12)


def test_a_place_that_autograd_is_differentiating_is_autograd_s():
    rng = np.random.default_rng(10)
    model = MLP([2, 4, 1], activation=tanh)
    data, theta = draw(rng, model, (), "mean_squared_error"), model.init(rng)
    for objective in objectives("mean_squared_error", model):
        slope = gradient_of(lambda theta, objective=objective: place(objective, theta, data).value)(theta)
        assert np.allclose(slope, objective.grad(theta, data))


def test_a_loss_that_overflows_is_infinite_and_no_nan():
    model = MLP([1, 1, 1])
    theta = np.array([-1e200, 0.0, 1.0, 0.0])  # a hidden unit at -1e400 is off
    data = Data(np.array([[1e200]]), np.array([[2.0]]))
    with np.errstate(over="ignore"):
        assert mean_squared_error(model).value(theta, data) == 4.0
