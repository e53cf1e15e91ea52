"""The inner loop, and what it says when it diverges."""

import numpy as np
import pytest

from mlcourse import MLP, Data, DivergenceError, Linear, Lines, adapt, mean_squared_error, trajectory


def scalar_task(slope, x):
    x = np.asarray(x, dtype=float)[:, None]
    return Data(x, slope * x)


def test_one_step_moves_theta_towards_the_slope_by_c():
    objective, support = mean_squared_error(Linear(1, bias=False)), scalar_task(3.0, [0.5, -1.0, 2.0])
    alpha = 0.1
    c = 2 * alpha * np.mean(support.x**2)
    theta_prime = adapt(objective, np.array([1.0]), support, alpha, 1)
    assert theta_prime == pytest.approx([(1 - c) * 1.0 + c * 3.0])


def test_m_steps_shrink_the_distance_by_the_mth_power():
    objective, support = mean_squared_error(Linear(1, bias=False)), scalar_task(3.0, [1.0])
    path = trajectory(objective, np.array([0.0]), support, 0.2, 4)
    assert np.allclose(3.0 - path[:, 0], 3.0 * 0.6 ** np.arange(5))


def test_a_trajectory_begins_at_theta_and_ends_where_adapt_ends():
    model, rng = MLP([1, 5, 1]), np.random.default_rng(0)
    theta, support = model.init(rng), Lines().sample(rng, 3, 4, 1).support
    path = trajectory(mean_squared_error(model), theta, support, 0.05, 3)
    assert path.shape == (4, 3, model.size)
    assert np.array_equal(path[0], np.broadcast_to(theta, (3, model.size)))
    assert np.array_equal(path[-1], adapt(mean_squared_error(model), theta, support, 0.05, 3))


def test_a_step_size_of_zero_keeps_a_parameter_still():
    model, rng = MLP([1, 5, 1]), np.random.default_rng(0)
    theta, support = model.init(rng), Lines().sample(rng, 3, 4, 1).support
    alpha = np.zeros(model.size)
    alpha[model.parts["W2"]] = 0.1
    moved = adapt(mean_squared_error(model), theta, support, alpha, 2) != theta
    assert moved[:, model.parts["W2"]].any() and not np.delete(moved, np.arange(10, 15), axis=1).any()


def test_theta_and_support_are_left_as_they_were():
    model, rng = MLP([1, 5, 1]), np.random.default_rng(0)
    theta, support = model.init(rng), Lines().sample(rng, (), 4, 1).support
    copies = [array.copy() for array in (theta, *support)]
    path = trajectory(mean_squared_error(model), theta, support, 0.05, 2)
    path[:] = 0
    assert all(np.array_equal(a, b) for a, b in zip((theta, *support), copies, strict=True))


def test_a_diverging_loop_says_at_which_step_for_which_tasks_and_what_to_try():
    objective = mean_squared_error(Linear(1, bias=False))
    x = np.ones((3, 1, 1))
    y = np.array([1.0, 1e300, 1.0])[:, None, None]
    with pytest.raises(DivergenceError) as caught:
        adapt(objective, np.array([0.0]), Data(x, y), 1e9, 5)
    assert caught.value.tasks == (1,) and caught.value.step >= 1
    assert f"after step {caught.value.step}" in str(caught.value)
    assert "1 task(s) (index 1)" in str(caught.value)
    assert "alpha = 1e+09" in str(caught.value) and "try alpha = 1e+08" in str(caught.value)


def test_a_single_task_that_diverges_has_no_index():
    objective = mean_squared_error(Linear(1, bias=False))
    with pytest.raises(DivergenceError, match=r"not finite after step \d+ with alpha") as caught:
        adapt(objective, np.array([1e308]), scalar_task(1.0, [10.0]), 1e5, 5)
    assert caught.value.tasks == ()


def test_steps_must_be_a_whole_number_of_at_least_zero():
    objective, support = mean_squared_error(Linear(1, bias=False)), scalar_task(3.0, [1.0])
    with pytest.raises(ValueError, match="steps must be at least 0, got -1"):
        adapt(objective, np.zeros(1), support, 0.1, -1)
    with pytest.raises(TypeError, match=r"steps must be a whole number, got 1\.5"):
        adapt(objective, np.zeros(1), support, 0.1, 1.5)


def test_alpha_has_one_entry_or_one_a_parameter():
    objective, support = mean_squared_error(Linear(1, bias=False)), scalar_task(3.0, [1.0])
    with pytest.raises(ValueError, match=r"alpha must be a number or a vector of 1 step sizes.* got shape \(3,\)"):
        adapt(objective, np.zeros(1), support, np.ones(3), 1)
    with pytest.raises(ValueError, match="alpha must be finite"):
        adapt(objective, np.zeros(1), support, np.nan, 1)
