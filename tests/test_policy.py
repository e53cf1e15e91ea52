"""Policy gradients: the objective's derivatives, and what they are estimates of."""

from itertools import islice

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from autograd.tracer import getval

from mlcourse import (
    MLP,
    Episode,
    Linear,
    confidence_interval,
    diagnose,
    fomaml,
    joint_training,
    maml,
    mean_squared_error,
    tanh,
)
from mlcourse.policy import (
    GaussianPolicy,
    advantages,
    meta_train_on_policy,
    on_policy_episode,
    policy_gradient,
    returns_after,
    returns_to_go,
    score,
    without_score_term,
)
from mlcourse.robots import GaussianBandit, PointRobot, log_probability, roll_out
from mlcourse.tasks import Data

ROBOT, BANDIT = PointRobot(horizon=4), GaussianBandit()
POLICY, CHANCE = GaussianPolicy(MLP([2, 5, 2], tanh), sigma=0.3), GaussianPolicy(Linear(1, bias=False), sigma=0.5)
OBJECTIVES = [policy_gradient, without_score_term]
each_objective = pytest.mark.parametrize("objective", OBJECTIVES)


class Walk:
    """Two steps on a line, reward -(s - g)^2 after each: with mean action theta, J'' = -2 - 8."""

    horizon, inputs, outputs = 2, 1, 1

    def goals(self, rng, tasks):
        return rng.normal(size=(tasks, 1))

    def start(self, goals, rollouts):
        return np.ones((*goals.shape[:-1], rollouts, 1))

    def step(self, states, actions, goals):
        after = states + actions  # the state is 1 and where it is: the policy below does not look at it
        return after, -((after - 1 - goals[:, None]) ** 2)[..., 0]


class Constant:
    """A policy whose mean action is theta, wherever it is."""

    size = inputs = outputs = 1

    def __call__(self, theta, states):
        return theta[..., None, :] + 0 * states


def drawn(seed, policy=POLICY, tasks=3, rollouts=6):
    rng = np.random.default_rng(seed)
    theta, goals = policy.init(rng), ROBOT.goals(rng, tasks)
    return theta, goals, roll_out(ROBOT, policy, theta, goals, rollouts, rng)


@each_objective
@pytest.mark.parametrize("away", [0.0, 0.1])
def test_the_derivatives_by_hand_are_autograds(objective, away):
    theta, _, seen = drawn(0)
    rng = np.random.default_rng(1)
    theta, v = theta + away * rng.normal(size=(3, POLICY.size)), rng.normal(size=(3, POLICY.size))
    ours, theirs = (objective(POLICY, ROBOT.horizon, derivatives=way) for way in ("by hand", "autograd"))
    assert np.allclose(ours.value(theta, seen.data), theirs.value(theta, seen.data))
    assert np.allclose(ours.grad(theta, seen.data), theirs.grad(theta, seen.data))
    assert np.allclose(ours.hvp(theta, seen.data, v), theirs.hvp(theta, seen.data, v))


@each_objective
def test_where_the_rollouts_were_drawn_value_and_gradient_are_return_and_policy_gradient(objective):
    theta, _, seen = drawn(2)
    theta_each, objective = theta + np.zeros((3, 1)), objective(POLICY, ROBOT.horizon)
    assert np.allclose(objective.value(theta, seen.data), -seen.returns)

    def logs(theta):
        return log_probability(seen.actions[0], POLICY(theta, seen.states[0])[0], POLICY.sigma)

    weights = advantages(returns_to_go(seen.rewards[0]))
    by_scores = -grad(lambda theta: np.sum(logs(theta) * weights) / 5)(theta)
    assert np.allclose(objective.grad(theta_each, seen.data)[0], by_scores)


def test_both_objectives_agree_to_first_order_and_differ_in_the_hessian():
    theta, _, seen = drawn(3)
    kept, dropped = (objective(POLICY, ROBOT.horizon) for objective in OBJECTIVES)
    assert np.allclose(kept.grad(theta, seen.data), dropped.grad(theta, seen.data))
    v = np.ones((3, POLICY.size))
    assert not np.allclose(kept.hvp(theta, seen.data, v), dropped.hvp(theta, seen.data, v), rtol=0.1)


def test_the_hessian_is_that_of_the_expected_return_also_across_time():
    rng, walk, policy = np.random.default_rng(4), Walk(), GaussianPolicy(Constant(), sigma=0.5)
    goals, theta = walk.goals(rng, 4000), np.array([0.2])
    data = roll_out(walk, policy, theta, goals, 10, rng).data
    v = np.ones((4000, 1))
    mean, half = confidence_interval(policy_gradient(policy, 2).hvp(theta, data, v)[:, 0])
    assert abs(mean - 10) < 2 * half
    mean, half = confidence_interval(without_score_term(policy, 2).hvp(theta, data, v)[:, 0])
    assert abs(mean) < 2 * half  # a baseline leaves nothing of it where the mean is linear in theta
    slope = policy_gradient(policy, 2).grad(theta, data)[:, 0]
    mean, half = confidence_interval(slope - (2 * (theta - goals) + 4 * (2 * theta - goals))[:, 0])
    assert abs(mean) < 2 * half


def bandit_gradients(method, objective, theta, goals, alpha, rollouts, rng):
    """Many one-goal meta-gradients, one a row of goals."""
    objective = objective(CHANCE, 1)
    episode = on_policy_episode(BANDIT, CHANCE, objective, theta, goals, rng, rollouts=rollouts, alpha=alpha)
    each = (Episode(*(Data(*(a[i] for a in data)) for data in episode[:2]), {}) for i in range(len(goals)))
    return np.array([method(objective, theta, one, alpha, 1).theta[0] for one in each])


@pytest.mark.parametrize(
    "method, objective, formula",
    [
        (maml, policy_gradient, "meta_gradient"),
        (maml, without_score_term, "first_order"),
        (fomaml, policy_gradient, "first_order"),
    ],
)
def test_on_rollouts_the_bandits_meta_gradient_is_the_closed_form_and_first_order_without_the_score(
    method, objective, formula
):
    rng, theta, alpha = np.random.default_rng(5), np.array([0.4]), 0.2
    goals = np.full((3000, 1), 1.5)
    gradients = bandit_gradients(method, objective, theta, goals, alpha, 200, rng)
    mean, half = confidence_interval(-gradients)  # an objective is minus a return
    other = {"meta_gradient", "first_order"} - {formula}
    assert abs(mean - getattr(BANDIT, formula)(0.4, goals, alpha)) < 2 * half
    assert abs(mean - getattr(BANDIT, other.pop())(0.4, goals, alpha)) > 10 * half


@pytest.mark.parametrize("steps", [1, 3])
def test_in_expectation_the_bandit_is_a_squared_error(steps):
    goals, theta = np.array([[-1.0], [0.5], [3.0]]), np.array([0.4])
    data = Data(np.ones((3, 1, 1)), goals[..., None])
    by_recursion = maml(mean_squared_error(CHANCE.model), theta, Episode(data, data, {}), 0.2, steps).theta[0]
    closed_form = np.mean(-2 * (1 - 0.4) ** (2 * steps) * (0.4 - goals))
    assert np.isclose(-by_recursion, closed_form)
    if steps == 1:
        assert np.isclose(BANDIT.meta_gradient(0.4, goals, 0.2), closed_form)


@pytest.mark.parametrize("keep, told", [(True, "exact"), (False, "first-order gradient")])
def test_diagnose_tells_a_code_that_drops_the_score_term(keep, told):
    """Rewards -(u - z)^4, expectations by quadrature: log p * advantage, differentiated twice, is first-order."""
    epsilon, weights = np.polynomial.hermite_e.hermegauss(7)
    weights, sigma, goals = weights / weights.sum(), 0.5, (-0.5, 0.7, 1.5)

    def loss(theta, z):
        actions = getval(theta) + sigma * epsilon
        rewards = -((actions - z) ** 4)
        log_p = -((actions - theta) ** 2) / (2 * sigma**2)
        surrogate = anp.exp(log_p - getval(log_p)) if keep else log_p
        return -anp.sum(weights * surrogate * (rewards - weights @ rewards))

    def after(theta, z):
        for _ in range(2):
            theta = theta - 0.01 * grad(loss)(theta, z)
        return loss(theta, z)

    def expected(z):
        return lambda theta: (theta[0] - z) ** 4 + 6 * sigma**2 * (theta[0] - z) ** 2 + 3 * sigma**4

    losses = [expected(z) for z in goals]
    report = diagnose(
        lambda theta: sum(grad(after)(theta, z) for z in goals) / 3,
        losses,
        losses,
        np.array([0.1]),
        alpha=0.01,
        steps=2,
    )
    assert told == (report.outcome if keep else report.names)


def test_a_learned_sigma_is_the_last_part_of_theta():
    policy = GaussianPolicy(MLP([2, 3, 2], tanh))
    theta, goals, seen = drawn(6, policy)
    assert policy.size == policy.model.size + 2 and np.allclose(policy(theta, seen.states[0, 0])[1], 0.5)
    objective = policy_gradient(policy, ROBOT.horizon)
    theta_each = theta + np.zeros((3, 1))
    assert np.allclose(objective.value(theta, seen.data), -seen.returns)
    epsilon = 1e-5 * np.eye(policy.size)[-1]
    slope = (objective.value(theta + epsilon, seen.data) - objective.value(theta - epsilon, seen.data)) / 2e-5
    assert np.allclose(objective.grad(theta_each, seen.data)[:, -1], slope)
    rng = np.random.default_rng(0)
    episode = on_policy_episode(ROBOT, policy, objective, theta, goals, rng, rollouts=4, alpha=0.01)
    assert np.all(np.isfinite(maml(objective, theta, episode, 0.01, 1).theta))


def test_support_rollouts_are_drawn_at_theta_and_query_rollouts_at_theta_prime():
    theta, goals, _ = drawn(7)
    objective = policy_gradient(POLICY, ROBOT.horizon)
    rng = np.random.default_rng(0)
    episode = on_policy_episode(ROBOT, POLICY, objective, theta, goals, rng, rollouts=5, alpha=0.05)
    theta_prime = theta - 0.05 * objective.grad(theta, episode.support)
    for data, where in ((episode.support, theta + np.zeros((3, 1))), (episode.query, theta_prime)):
        logs = log_probability(data.y[..., :2], POLICY(where, data.x)[0], POLICY.sigma)
        assert np.allclose(data.y[..., 2], logs)


def test_returns_to_go_by_a_loop():
    rewards, gamma = np.random.default_rng(8).normal(size=(2, 3, 5)), 0.9
    looped = np.zeros_like(rewards)
    for t in range(4, -1, -1):
        looped[..., t] = rewards[..., t] + (gamma * looped[..., t + 1] if t < 4 else 0)
    assert np.allclose(returns_to_go(rewards, gamma), looped)
    assert np.allclose(returns_to_go(rewards)[..., 0], rewards.sum(axis=-1))
    assert np.allclose(returns_to_go(rewards, 0), rewards)


def test_the_score_is_the_slope_of_the_log_probability():
    actions = np.array([[0.3, -1.0]])
    slope = grad(lambda mean: np.sum(log_probability(actions, mean, 0.7)))(np.array([[0.1, 0.4]]))
    assert np.allclose(score(actions, np.array([[0.1, 0.4]]), 0.7), slope)


def test_training_on_the_bandit_reaches_the_mean_goal():
    bandit, objective = GaussianBandit(mean=2.0, std=0.5), policy_gradient(CHANCE, 1)
    states = meta_train_on_policy(
        maml, bandit, CHANCE, objective, np.zeros(1), np.random.default_rng(0),
        alpha=0.1, tasks=50, rollouts=20, learning_rate=0.05,
    )  # fmt: skip
    assert abs(np.mean([state.theta[0] for state in islice(states, 100, 200)]) - 2) < 0.1


def test_training_goes_on_bit_for_bit():
    objective = policy_gradient(POLICY, ROBOT.horizon)

    def train(rng, **options):
        theta = POLICY.init(np.random.default_rng(0))
        return meta_train_on_policy(
            maml, ROBOT, POLICY, objective, theta, rng, alpha=0.01, tasks=3, rollouts=4, learning_rate=0.01, **options
        )

    states = list(islice(train(np.random.default_rng(1)), 4))
    (again,) = islice(train(np.random.default_rng(5), resume=states[1]), 1, 2)
    assert np.array_equal(again.theta, states[3].theta) and again.iteration == 4


def test_joint_training_with_no_step_is_the_policy_gradient_on_all_goals():
    theta, goals, _ = drawn(11)
    objective = policy_gradient(POLICY, ROBOT.horizon)
    rng = np.random.default_rng(0)
    episode = on_policy_episode(ROBOT, POLICY, objective, theta, goals, rng, rollouts=5, alpha=0.05, steps=0)
    of_both = joint_training(objective, theta, episode, 0.05, 0)
    ten = Data(*(np.concatenate(each, axis=1) for each in zip(episode.support, episode.query, strict=True)))
    assert np.allclose(of_both.theta, objective.grad(theta + np.zeros((3, 1)), ten).mean(axis=0))
    assert np.isclose(of_both.loss, np.mean([objective.value(theta, data) for data in episode[:2]]))


def test_one_step_helps_on_new_rollouts():
    theta, goals, _ = drawn(9, tasks=40)
    objective = policy_gradient(POLICY, ROBOT.horizon)
    report = returns_after(ROBOT, POLICY, objective, theta, goals, np.random.default_rng(0), rollouts=40, alpha=0.05)
    assert report.losses.shape == (2, 40)
    gain, half = confidence_interval(report.losses[1] - report.losses[0])
    assert gain > half


def test_what_cannot_be_used_is_named():
    theta, _, seen = drawn(10)
    objective = policy_gradient(POLICY, ROBOT.horizon)
    with pytest.raises(ValueError, match="sigma must be a number greater than 0"):
        GaussianPolicy(POLICY.model, sigma=0.0)
    with pytest.raises(ValueError, match="horizon must be at least 1, got 0"):
        policy_gradient(POLICY, 0)
    with pytest.raises(ValueError, match=r"at least 2 rollouts of 4 steps, got 4 rows"):
        objective.value(theta, Data(seen.data.x[:, :4], seen.data.y[:, :4]))
    with pytest.raises(ValueError, match="give roll_out"):
        objective.value(theta, Data(seen.data.x, seen.data.y[..., :2]))
    with pytest.raises(ValueError, match="y must be finite"):
        objective.value(theta, Data(seen.data.x, np.nan * seen.data.y))
    with pytest.raises(ValueError, match="rollouts must be at least 2, got 1"):
        meta_train_on_policy(
            maml, ROBOT, POLICY, objective, theta, np.random.default_rng(0),
            alpha=0.1, tasks=2, rollouts=1, learning_rate=0.1,
        )  # fmt: skip
