"""Goals, rollouts and the bandit's closed forms."""

import numpy as np
import pytest
from autograd import grad

from mlcourse import MLP, tanh
from mlcourse.policy import GaussianPolicy
from mlcourse.robots import GaussianBandit, PointRobot, log_probability, roll_out

BANDIT, ROBOT = GaussianBandit(1.0, 2.0), PointRobot()


def test_the_expected_return_is_that_of_many_actions():
    rng = np.random.default_rng(0)
    rewards = -((0.3 + 0.5 * rng.standard_normal(100_000) - 1.2) ** 2)
    error = 4 * rewards.std() / np.sqrt(rewards.size)
    assert abs(rewards.mean() - BANDIT.expected_return(0.3, 0.5, 1.2)) < error


def test_the_bandits_derivatives_are_those_of_its_returns():
    goals, theta, alpha = np.array([-1.0, 0.5, 3.0]), 0.3, 0.2

    def after(theta):
        return np.mean(BANDIT.return_after(theta, 0.5, goals, alpha))

    assert np.isclose(BANDIT.policy_gradient(theta, 1.2), grad(BANDIT.expected_return)(theta, 0.5, 1.2))
    by_differences = (after(theta + 1e-4) - after(theta - 1e-4)) / 2e-4
    assert np.isclose(BANDIT.meta_gradient(theta, goals, alpha), by_differences)
    assert np.isclose(BANDIT.meta_gradient(theta, goals, alpha), np.mean(-2 * 0.6**2 * (theta - goals)))
    assert np.isclose(BANDIT.first_order(theta, goals, alpha), np.mean(-2 * 0.6 * (theta - goals)))


@pytest.mark.parametrize("environment", [BANDIT, ROBOT, PointRobot(sees_goal=True)])
def test_rollouts_have_their_shapes_and_are_drawn_with_the_policy(environment):
    rng = np.random.default_rng(0)
    policy = GaussianPolicy(MLP([environment.inputs, 4, environment.outputs], tanh), sigma=0.3)
    goals, theta = environment.goals(rng, 3), np.array([policy.init(rng) for _ in range(3)])
    seen = roll_out(environment, policy, theta, goals, 5, rng)
    steps = (3, 5, environment.horizon)
    assert seen.states.shape == (*steps, environment.inputs) and seen.actions.shape == (*steps, environment.outputs)
    assert seen.rewards.shape == seen.log_probabilities.shape == steps and seen.returns.shape == (3,)
    for task in range(3):
        mean = policy.model(theta[task], seen.states[task])
        assert np.allclose(seen.log_probabilities[task], log_probability(seen.actions[task], mean, 0.3))
    x, y = seen.data
    assert np.array_equal(x[1, environment.horizon], seen.states[1, 1, 0])
    assert np.array_equal(y[..., -1].reshape(steps), seen.rewards)


def test_one_goal_needs_no_leading_axis():
    policy = GaussianPolicy(MLP([2, 4, 2], tanh), sigma=0.3)
    theta, rng = policy.init(np.random.default_rng(0)), np.random.default_rng(1)
    assert roll_out(ROBOT, policy, theta, ROBOT.at_angle(0.5), 4, rng).returns.shape == ()


def test_the_robot_moves_no_faster_than_its_speed_and_is_paid_where_it_arrives():
    rng = np.random.default_rng(0)
    policy = GaussianPolicy(MLP([2, 4, 2], tanh), sigma=0.3)
    goals = ROBOT.goals(rng, 4)
    assert np.allclose(np.linalg.norm(goals, axis=1), 1) and np.all(goals[:, 1] >= 0)
    seen = roll_out(ROBOT, policy, policy.init(rng), goals, 6, rng)
    moves = np.diff(seen.states, axis=-2)
    assert np.max(np.linalg.norm(moves, axis=-1)) <= ROBOT.speed + 1e-12
    short = np.linalg.norm(seen.actions[..., :-1, :], axis=-1) < ROBOT.speed
    assert np.allclose(moves[short], seen.actions[..., :-1, :][short])
    distance = np.linalg.norm(seen.states[..., 1:, :] - goals[:, None, None], axis=-1)
    assert np.allclose(seen.rewards[..., :-1], -distance)


def test_a_robot_that_sees_the_goal_has_it_in_its_state():
    seeing = PointRobot(sees_goal=True)
    goals = seeing.goals(np.random.default_rng(0), 2)
    states, _ = seeing.step(seeing.start(goals, 3), np.ones((2, 3, 2)), goals)
    assert np.allclose(states[..., 2:], goals[:, None])


def test_what_cannot_be_used_is_named():
    with pytest.raises(ValueError, match="std must be a number of at least 0"):
        GaussianBandit(std=-1)
    with pytest.raises(ValueError, match="horizon must be at least 1, got 0"):
        PointRobot(horizon=0)
    with pytest.raises(ValueError, match="speed must be a number greater than 0"):
        PointRobot(speed=0)
    with pytest.raises(ValueError, match="actions must be finite"):
        ROBOT.step(np.zeros((3, 2)), np.full((3, 2), np.nan), ROBOT.at_angle(0.0))
    policy = GaussianPolicy(MLP([2, 2]), sigma=0.3)
    with pytest.raises(ValueError, match="rollouts must be at least 1, got 0"):
        roll_out(ROBOT, policy, np.zeros(6), ROBOT.at_angle(0.0), 0, np.random.default_rng(0))
