"""Panel "trajectories" and the policies that lesson 12 compares: they do what it says, and so do their recipes."""

from itertools import islice

import numpy as np
import pytest

from mlcourse import adapt, on_policy_episode, policy_gradient
from mlcourse.classroom.panels import PANELS
from mlcourse.classroom.trained import robots
from tests.tested import ROOT, cells


def test_the_right_picture_is_one_step_on_what_the_left_one_shows():
    panel = PANELS["trajectories"]()
    panel.controls["rollouts"].value = 12
    support, query = panel.numbers.support, panel.numbers.query
    policy, theta = robots.policy_of(robots.ROBOT), robots.load()["MAML"][0]
    for seen, where in (
        (support, theta),
        (query, adapt(policy_gradient(policy, robots.ROBOT.horizon), theta, support.data, robots.ALPHA, 1)),
    ):
        assert seen.rewards.shape == (12, robots.ROBOT.horizon)
        mean, sigma = policy(where, seen.states)
        logs = (-(((seen.actions - mean) / sigma) ** 2) / 2 - np.log(sigma * np.sqrt(2 * np.pi))).sum(axis=-1)
        assert np.allclose(seen.log_probabilities, logs)


def test_with_no_step_the_policy_stays_and_the_noise_is_another():
    panel = PANELS["trajectories"]()
    panel.controls["alpha"].value = 0.0
    numbers = panel.numbers
    assert not np.allclose(numbers.support.states, numbers.query.states)
    assert abs(numbers.support.returns - numbers.query.returns) < 2


def test_mamls_step_follows_the_goal_and_joint_trainings_hardly_does():
    panel = PANELS["trajectories"]()

    def turned(start):
        panel.controls["start"].value = start
        ends = []
        for angle in (20, 160):
            panel.controls["angle"].value = angle
            ends.append(panel.numbers.query.states[:, -1, 0].mean())
        return ends[0] - ends[1]

    assert turned("MAML") > 2 * turned("joint training") > 0


def test_the_stored_policies_give_the_lessons_table():
    (shown,) = [
        cell
        for cell in cells(ROOT / "notebooks" / "12_meta_reinforcement_learning.ipynb", "code")
        if "after, minus MAML" in cell.source
    ]
    printed = "".join(output.get("text", "") for output in shown.outputs)
    reports = [robots.after_a_step(theta) for theta in robots.load()["MAML"]]
    after = np.mean([report.mean[1] for report in reports])
    assert f"MAML {' ' * 15}" in printed and f"→  {after:.2f}" in printed


def test_fomaml_and_the_mistake_differ_in_where_the_query_rollouts_are_drawn_and_in_nothing_else():
    rng, robot, theta = np.random.default_rng(0), robots.ROBOT, robots.load()["FOMAML"][0]
    policy = robots.policy_of(robot)
    right, wrong = (robots.LEARNERS[name] for name in ("FOMAML", "query at θ"))
    kept, plain = (each.objective(policy, robot.horizon) for each in (right, wrong))

    def both(steps):
        goals = robot.goals(rng, 5)
        episode = on_policy_episode(robot, policy, kept, theta, goals, rng, rollouts=6, alpha=0.01, steps=steps)
        return right.method(kept, theta, episode, 0.01, 1).theta, wrong.method(plain, theta, episode, 0.01, 0).theta

    assert np.allclose(*both(steps=right.steps))
    assert not np.allclose(*both(steps=wrong.steps))


def test_they_are_small_and_what_their_recipe_gives():
    assert robots.PATH.stat().st_size < 12_000
    state = next(islice(robots.train("FOMAML", 0), robots.ITERATIONS - 1, None))
    again, stored = (robots.after_a_step(theta).mean[1] for theta in (state.theta, robots.load()["FOMAML"][0]))
    assert again == pytest.approx(stored, abs=1.0)
