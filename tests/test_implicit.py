"""The implicit meta-gradient against closed forms and against a long unrolled loop."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlcourse import Linear, Quadratics, conjugate_gradient, imaml, mean_squared_error, place, tanh
from mlcourse.implicit import Pulled
from mlcourse.inner import arrive
from tests.test_meta import METHODS, random_problem


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 6), st.sampled_from([(), (3,), (2, 3)]), st.integers(0, 10**6))
def test_conjugate_gradients_solve_every_tasks_own_system(size, shape, seed):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(*shape, size, size))
    matrix = root @ np.swapaxes(root, -1, -2) + np.eye(size)
    b = rng.normal(size=(*shape, size))
    x = conjugate_gradient(lambda v: (matrix @ v[..., None])[..., 0], b, 4 * size)
    assert np.allclose(x, np.linalg.solve(matrix, b[..., None])[..., 0], rtol=1e-6, atol=1e-8)


def test_a_right_hand_side_of_zero_has_the_solution_zero():
    assert np.array_equal(conjugate_gradient(lambda v: 2 * v, np.zeros((2, 3)), 5), np.zeros((2, 3)))


@pytest.mark.parametrize("pull", [0.3, 1.0, 5.0])
def test_on_quadratics_the_gradient_is_the_closed_form(pull):
    bed, objective = Quadratics([1.0, 4.0], [2.0, 0.0]), mean_squared_error(Linear(1, bias=False))
    episode, theta = bed.sample(np.random.default_rng(0), 2, 1, 1), np.array([0.7])
    a, c = episode.tasks["curvature"], episode.tasks["centre"]
    theta_prime = (a * c + pull * theta) / (a + pull)
    expected = np.mean(a * (theta_prime - c) * pull / (a + pull))
    assert imaml(objective, theta, episode, 0.1, 400, pull=pull).theta == pytest.approx([expected], rel=1e-8)


def test_on_a_network_it_is_how_the_query_loss_after_a_long_loop_changes_with_theta():
    _, objective, theta, episode, _ = random_problem(3, [2, 4, 1], "mean_squared_error", activation=tanh)
    implicit = imaml(objective, theta, episode, 0.1, 2000, pull=2.0, iterations=60).theta

    directions = np.eye(theta.size)[::3]

    def after(moved):
        theta_prime = arrive(Pulled(place(objective, moved, episode.support), 2.0), 0.1, 2000).theta
        return objective.value(theta_prime, episode.query).mean()

    slopes = [(after(theta + 1e-5 * d) - after(theta - 1e-5 * d)) / 2e-5 for d in directions]
    assert np.allclose(directions @ implicit, slopes, rtol=1e-5, atol=1e-8)


def test_it_has_the_signature_of_the_other_methods():
    _, objective, theta, episode, _ = random_problem(4, [2, 4, 1], "mean_squared_error")
    results = [method(objective, theta, episode, 0.05, 3) for method in (*METHODS, imaml)]
    assert all(result.theta.shape == theta.shape and np.isfinite(result.loss) for result in results)


def test_a_pull_must_be_positive():
    _, objective, theta, episode, _ = random_problem(5, [2, 4, 1], "mean_squared_error")
    with pytest.raises(ValueError, match="pull must be a number greater than 0, got 0"):
        imaml(objective, theta, episode, 0.05, 3, pull=0)


def test_a_pulled_place_has_the_derivatives_of_its_value():
    _, objective, theta, episode, rng = random_problem(6, [2, 4, 1], "mean_squared_error", activation=tanh)
    here = Pulled(place(objective, theta, episode.support), 0.7).at(theta + rng.normal(size=(3, theta.size)))
    v, h = rng.normal(size=here.grad.shape), 1e-5
    up, down = here.at(here.theta + h * v), here.at(here.theta - h * v)
    assert np.allclose(np.sum(here.grad * v, axis=-1), (up.value - down.value) / (2 * h), rtol=1e-6)
    assert np.allclose(here.hvp(v), (up.grad - down.grad) / (2 * h), rtol=1e-5, atol=1e-7)
    distance = np.sum((here.theta - theta) ** 2, axis=-1)
    assert np.allclose(here.value - objective.value(here.theta, episode.support), 0.35 * distance)
