"""Derivatives by hand, by autograd and by central differences are the same."""

import numpy as np
import pytest
from autograd import grad as gradient_of
from hypothesis import given, settings
from hypothesis import strategies as st

from mlcourse import MLP, Data, Linear, cross_entropy, maml, mean_squared_error, relu, tanh
from tests.test_meta import random_problem
from tests.test_objectives import KINDS, draw

SHAPES = [((), (), ()), ((), (4,), (4,)), ((4,), (4,), (4,)), ((4,), (), ()), ((2, 1), (3,), (2, 3)), ((), (), (5,))]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 5), min_size=2, max_size=5),
    st.sampled_from(SHAPES),
    st.sampled_from(sorted(KINDS)),
    st.sampled_from([relu, tanh]),
    st.integers(1, 6),
    st.integers(0, 10**6),
)
def test_by_hand_equals_autograd_for_any_depth_and_any_leading_axes(sizes, shapes, kind, activation, rows, seed):
    rng = np.random.default_rng(seed)
    model = MLP(sizes, activation=activation)
    of_theta, of_data, of_v = shapes
    data = draw(rng, model, of_data, kind, rows)
    theta, v = rng.normal(size=(*of_theta, model.size)), rng.normal(size=(*of_v, model.size))
    ours, peer = KINDS[kind](model), KINDS[kind](model, derivatives="autograd")
    assert type(ours) is not type(peer)
    for one, other in (
        (ours.value(theta, data), peer.value(theta, data)),
        (ours.grad(theta, data), peer.grad(theta, data)),
        (ours.hvp(theta, data, v), peer.hvp(theta, data, v)),
    ):
        assert np.shape(one) == np.shape(other)
        assert np.allclose(one, other, rtol=1e-10, atol=1e-10)


def test_a_linear_model_without_bias_has_no_parameters_left_out():
    rng = np.random.default_rng(0)
    model = Linear(3, 2, bias=False)
    data, theta, v = draw(rng, model, (4,), "mean_squared_error"), rng.normal(size=6), rng.normal(size=6)
    ours, peer = mean_squared_error(model), mean_squared_error(model, derivatives="autograd")
    assert np.allclose(ours.grad(theta, data), peer.grad(theta, data), rtol=1e-10)
    assert np.allclose(ours.hvp(theta, data, v), peer.hvp(theta, data, v), rtol=1e-10)


def test_a_place_that_was_changed_in_place_is_not_taken_for_the_one_in_memory():
    rng = np.random.default_rng(1)
    model = MLP([2, 4, 1])
    objective, data, theta = mean_squared_error(model), draw(rng, model, (), "mean_squared_error"), model.init(rng)
    before = objective.grad(theta, data)
    theta += 0.1
    assert not np.allclose(objective.grad(theta, data), before)
    assert np.allclose(objective.grad(theta - 0.1, data), before)
    data.x[:] = 0
    assert np.allclose(objective.grad(theta, data), mean_squared_error(model).grad(theta, data))


def test_gradients_handed_out_are_the_callers_own():
    rng = np.random.default_rng(2)
    model = MLP([2, 4, 1])
    objective, data, theta = mean_squared_error(model), draw(rng, model, (), "mean_squared_error"), model.init(rng)
    first = objective.grad(theta, data)
    kept = first.copy()
    first[:] = 0
    assert np.array_equal(objective.grad(theta, data), kept)


def test_autograd_may_go_through_an_objective_by_hand():
    rng = np.random.default_rng(3)
    model = MLP([2, 4, 1], activation=tanh)
    objective, data, theta = mean_squared_error(model), draw(rng, model, (), "mean_squared_error"), model.init(rng)

    def after_one_step(theta):
        return objective.value(theta - 0.1 * objective.grad(theta, data), data)

    direction = rng.normal(size=model.size)
    h = 1e-5
    slope = (after_one_step(theta + h * direction) - after_one_step(theta - h * direction)) / (2 * h)
    assert gradient_of(after_one_step)(theta) @ direction == pytest.approx(slope, rel=1e-6)


def test_a_model_that_is_no_mlp_gets_autograd():
    class Cubic:
        size, inputs, outputs = 1, 1, 1

        def __call__(self, theta, x):
            return theta[..., None, :] ** 3 * x

    objective = mean_squared_error(Cubic())
    data = Data(np.ones((1, 1)), np.zeros((1, 1)))
    assert objective.grad(np.array([1.5]), data) == pytest.approx([6 * 1.5**5])


def test_the_choice_of_derivatives_is_named():
    with pytest.raises(ValueError, match="derivatives must be 'by hand' or 'autograd', got 'jax'"):
        cross_entropy(MLP([1, 2]), derivatives="jax")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("steps", [1, 2, 5])
def test_maml_is_the_same_with_either(kind, steps):
    model, objective, theta, episode, _ = random_problem(12, [2, 5, 4, 3], kind)
    by_hand = maml(objective, theta, episode, 0.1, steps)
    by_autograd = maml(KINDS[kind](model, derivatives="autograd"), theta, episode, 0.1, steps)
    assert np.isclose(by_hand.loss, by_autograd.loss, rtol=1e-12)
    assert np.allclose(by_hand.theta, by_autograd.theta, rtol=1e-10, atol=1e-12)
    assert np.isclose(by_hand.alpha, by_autograd.alpha, rtol=1e-10)
