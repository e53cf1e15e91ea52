"""What lesson 12 compares: policies of the point robot, each trained by another meta-gradient, from three seeds.

Each sees 150 batches of 20 goals, with 20 rollouts a goal for the inner step and 20 for the outer gradient; joint
training takes no step and uses all 40.
"""

from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mlcourse import (
    MLP,
    GaussianPolicy,
    PointRobot,
    fomaml,
    joint_training,
    maml,
    meta_train_on_policy,
    policy_gradient,
    returns_after,
    tanh,
)
from mlcourse.policy import without_score_term

ALPHA, ROLLOUTS, TASKS, ITERATIONS, LEARNING_RATE = 0.01, 20, 20, 150, 0.01
SEEDS = (0, 1, 2)
ROBOT, SEEING = PointRobot(), PointRobot(sees_goal=True)
PATH = Path(__file__).with_name("robots.npz")


def query_at_theta(objective, theta, episode, alpha, steps):
    """Lesson 12's mistake in FOMAML: both sets were drawn at theta (steps = 0), the second is taken for theta prime's.

    Its objective is `without_score_term`, as `policy_gradient` would reweight the second set to theta prime.
    """
    return fomaml(objective, theta, episode, alpha, 1)


class Learner(NamedTuple):
    """robot; method and objective of meta-training; steps while training, 0 for one policy for all goals at once."""

    robot: PointRobot
    method: Any
    objective: Any
    steps: int


LEARNERS = {
    "joint training": Learner(ROBOT, joint_training, policy_gradient, 0),
    "MAML": Learner(ROBOT, maml, policy_gradient, 1),
    "score term dropped": Learner(ROBOT, maml, without_score_term, 1),
    "FOMAML": Learner(ROBOT, fomaml, policy_gradient, 1),
    "query at θ": Learner(ROBOT, query_at_theta, without_score_term, 0),
    "sees the goal": Learner(SEEING, joint_training, policy_gradient, 0),
}


def policy_of(robot):
    """The policy of a robot: a tanh network with 32 hidden units, sigma 0.3."""
    return GaussianPolicy(MLP([robot.inputs, 32, robot.outputs], tanh), sigma=0.3)


def start_of(robot, seed):
    """theta (P,) before any training."""
    return policy_of(robot).init(np.random.default_rng(seed))


def train(name, seed):
    """Iterator of the states of one learner's meta-training."""
    robot, method, objective, steps = LEARNERS[name]
    policy = policy_of(robot)
    return meta_train_on_policy(
        method,
        robot,
        policy,
        objective(policy, robot.horizon),
        start_of(robot, seed),
        np.random.default_rng(seed),
        alpha=ALPHA,
        tasks=TASKS,
        rollouts=ROLLOUTS,
        learning_rate=LEARNING_RATE,
        steps=steps,
    )


def after_a_step(theta, alpha=ALPHA, tasks=100, seed=1000, robot=ROBOT):
    """The Report of theta's return before and after one step of size alpha, on goals that nobody trained on."""
    rng = np.random.default_rng(seed)
    policy, goals = policy_of(robot), robot.goals(rng, tasks)
    objective = policy_gradient(policy, robot.horizon)
    return returns_after(robot, policy, objective, theta, goals, rng, rollouts=ROLLOUTS, alpha=alpha)


@cache
def load():
    """learner -> theta (seeds, P), as stored."""
    with np.load(PATH) as stored:
        return {name: stored[name].astype(float) for name in LEARNERS}


def make():
    """Train all of them again and store them; prints what each does on new goals."""
    thetas = {}
    for name, learner in LEARNERS.items():
        ends = [next(islice(train(name, seed), ITERATIONS - 1, None)).theta for seed in SEEDS]
        thetas[name] = np.array(ends, dtype=np.float16)
        for seed, theta in zip(SEEDS, thetas[name].astype(float), strict=True):
            print(f"{name}, seed {seed}\n{after_a_step(theta, robot=learner.robot)}", flush=True)
    np.savez_compressed(PATH, **thetas)
