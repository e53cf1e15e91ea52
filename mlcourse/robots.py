"""Tasks of reinforcement learning: an environment with a goal, and rollouts in it.

An environment here is anything with `horizon`, `inputs` and `outputs` (the lengths of a state and of an action),
`goals(rng, tasks)`, `start(goals, rollouts)` and `step(states, actions, goals)`. Leading axes are tasks. A task's data
are rollouts, and what they look like depends on the policy that they were drawn with: a policy is a function
(theta, states) -> (means, standard deviations) of normally distributed actions.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from mlcourse.checks import at_least, finite, not_negative, positive, task_shape
from mlcourse.tasks import Data


class Rollouts(NamedTuple):
    """K rollouts a task of `horizon` steps each, drawn at one theta.

    states (..., K, horizon, inputs); actions (..., K, horizon, outputs); rewards (..., K, horizon)
    log_probabilities (..., K, horizon)  of each action, at the theta it was drawn with
    """

    states: Any
    actions: Any
    rewards: Any
    log_probabilities: Any

    @property
    def returns(self):
        """The sum of rewards, averaged over rollouts: (...), one number a task."""
        return self.rewards.sum(axis=-1).mean(axis=-1)

    @property
    def data(self):
        """As an objective takes them, a row a step: Data, x the states and y = (action, log probability, reward)."""
        columns = [self.actions, self.log_probabilities[..., None], self.rewards[..., None]]
        x, y = self.states, np.concatenate(columns, axis=-1)
        return Data(*(each.reshape(*each.shape[:-3], -1, each.shape[-1]) for each in (x, y)))


def roll_out(environment, policy, theta, goals, rollouts, rng):
    """Draw K rollouts a task with the policy at theta: Rollouts.

    theta (P,) for all tasks or (T, P), one a task; goals (..., g), one a task; rollouts K >= 1
    """
    states = environment.start(goals, at_least("rollouts", rollouts, 1))
    noise = rng.standard_normal((environment.horizon, *states.shape[:-1], environment.outputs))
    steps = []
    for epsilon in noise:
        mean, sigma = policy(theta, states)
        actions = mean + sigma * epsilon
        after, rewards = environment.step(states, actions, goals)
        steps.append((states, actions, rewards, log_probability(actions, mean, sigma)))
        states = after
    at = states.ndim - 1  # the axis of time, after that of the rollouts
    return Rollouts(*(np.stack(each, axis=at) for each in zip(*steps, strict=True)))


def log_probability(actions, mean, sigma):
    """log Normal(actions; mean, sigma^2), summed over an action's entries: (..., k) -> (...)."""
    z = (actions - mean) / sigma
    return (-(z**2) / 2 - np.log(sigma * np.sqrt(2 * np.pi))).sum(axis=-1)


@dataclass(frozen=True)
class GaussianBandit:
    """One action u ~ Normal(theta, sigma^2), one reward -(u - z)^2; goals z ~ Normal(mean, std^2). Hidden: goal.

    All that the lesson measures is known here in closed form, for theta a number and sigma fixed. With sigma as a
    second parameter the return is the same function of both. The one state is the number 1, so `Linear(1, bias=False)`
    is the policy's mean.
    """

    mean: float = 0.0
    std: float = 1.0
    horizon, inputs, outputs = 1, 1, 1

    def __post_init__(self):
        not_negative("std", self.std)

    def goals(self, rng, tasks):
        """-> (T, 1)."""
        return rng.normal(self.mean, self.std, (*task_shape(tasks), 1))

    def start(self, goals, rollouts):
        return np.ones((*np.shape(goals)[:-1], rollouts, 1))

    def step(self, states, actions, goals):
        return states, -((actions - goals[..., None, :]) ** 2).sum(axis=-1)

    @staticmethod
    def expected_return(theta, sigma, goals):
        """E[-(u - z)^2] = -(theta - z)^2 - sigma^2, for each goal."""
        return -((theta - goals) ** 2) - sigma**2

    @staticmethod
    def policy_gradient(theta, goals):
        """Its derivative in theta, -2 (theta - z)."""
        return -2 * (theta - goals)

    def adapted(self, theta, goals, alpha):
        """theta' = theta + alpha * policy gradient, one step uphill for each goal."""
        return theta + alpha * self.policy_gradient(theta, goals)

    def return_after(self, theta, sigma, goals, alpha):
        """The expected return at theta', for each goal: -(1 - 2 alpha)^2 (theta - z)^2 - sigma^2."""
        return self.expected_return(self.adapted(theta, goals, alpha), sigma, goals)

    def meta_gradient(self, theta, goals, alpha):
        """d/d theta of the mean return after the step: the mean over goals of -2 (1 - 2 alpha)^2 (theta - z)."""
        return float(np.mean((1 - 2 * alpha) * self.policy_gradient(self.adapted(theta, goals, alpha), goals)))

    def first_order(self, theta, goals, alpha):
        """The same without the factor 1 - 2 alpha: -2 (1 - 2 alpha) (theta - z)."""
        return float(np.mean(self.policy_gradient(self.adapted(theta, goals, alpha), goals)))


@dataclass(frozen=True)
class PointRobot:
    """A point in the plane starts at (0, 0) and is to reach a goal on a half circle. Hidden: goal (T, 2).

    state    its position, and the goal as well where sees_goal
    action   a velocity, cut to the length `speed`; the position moves by it
    reward   minus the distance to the goal after the move
    After the navigation tasks of Finn et al. 2017, section 5.3, with the half circle of Rothfuss et al. 2019.
    """

    radius: float = 1.0
    horizon: int = 15
    speed: float = 0.2
    sees_goal: bool = False
    outputs = 2

    def __post_init__(self):
        positive("radius", self.radius), positive("speed", self.speed), at_least("horizon", self.horizon, 1)

    @property
    def inputs(self):
        return 4 if self.sees_goal else 2

    def goals(self, rng, tasks):
        """-> (T, 2), uniform on the upper half circle."""
        return self.at_angle(rng.uniform(0, np.pi, task_shape(tasks)))

    def at_angle(self, angle):
        """The goals (..., 2) at these angles, radians from the positive x axis."""
        return self.radius * np.stack([np.cos(angle), np.sin(angle)], axis=-1)

    def start(self, goals, rollouts):
        return self._state(np.zeros((*np.shape(goals)[:-1], rollouts, 2)), goals)

    def _state(self, positions, goals):
        seen = [positions, np.broadcast_to(goals[..., None, :], positions.shape)]
        return np.concatenate(seen, axis=-1) if self.sees_goal else positions

    def step(self, states, actions, goals):
        length = np.linalg.norm(finite("actions", actions), axis=-1, keepdims=True)
        positions = states[..., :2] + actions * np.minimum(1, self.speed / np.maximum(length, 1e-12))
        return self._state(positions, goals), -np.linalg.norm(positions - goals[..., None, :], axis=-1)
