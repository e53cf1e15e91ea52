"""Panel "trajectories" (lesson 12): where the point robot walks before and after one policy-gradient step."""

from typing import Any, NamedTuple

import numpy as np

from mlcourse import adapt, policy_gradient, roll_out
from mlcourse.classroom.figures.rollouts import Trajectories
from mlcourse.classroom.panels.panel import Panel, choice, slider, whole
from mlcourse.classroom.trained.robots import ALPHA, LEARNERS, ROBOT, ROLLOUTS, load, policy_of, start_of

STARTS = ("random start", "joint training", "MAML", "FOMAML", "sees the goal")
MOST = 40


class Numbers(NamedTuple):
    """Rollouts at theta and at theta', and the goal (2,)."""

    support: Any
    query: Any
    goal: Any
    start: str


def draw_task(rng):
    """The seed of the noise that all rollouts share, whoever draws them."""
    return int(rng.integers(1 << 30))


def _first(rollouts, number):
    return type(rollouts)(*(each[:number] for each in rollouts))


def compute(task, start, angle, alpha, rollouts):
    """One step on the first `rollouts` rollouts at theta, and as many new ones at theta'."""
    robot = LEARNERS[start].robot if start in LEARNERS else ROBOT
    theta = load()[start][0] if start in LEARNERS else start_of(ROBOT, 0)
    policy, goal, rng = policy_of(robot), robot.at_angle(np.deg2rad(angle)), np.random.default_rng(task)
    support = _first(roll_out(robot, policy, theta, goal, MOST, rng), rollouts)
    theta_prime = adapt(policy_gradient(policy, robot.horizon), theta, support.data, alpha, 1)
    return Numbers(support, _first(roll_out(robot, policy, theta_prime, goal, MOST, rng), rollouts), goal, start)


def caption(numbers):
    """One line for whoever watches the picture."""
    before, after = numbers.support.returns, numbers.query.returns
    each = len(numbers.query.rewards)
    return f"{numbers.start}: mean return {before:.1f} at θ, {after:.1f} at θ′, on {each} rollouts each."


def panel():
    """Controls for where the policy starts, for the goal, and for the step."""
    return Panel(
        draw_task=draw_task,
        compute=compute,
        drawing=Trajectories,
        controls={
            "start": choice("start θ", STARTS, "MAML"),
            "angle": slider("goal at", 0, 180, 120, 5, "degrees"),
            "alpha": slider("step size α", 0, 0.04, ALPHA, 0.002),
            "rollouts": whole("rollouts K", 2, MOST, ROLLOUTS),
        },
        caption=caption,
    )
