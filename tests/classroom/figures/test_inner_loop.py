"""The panel "inner loop" says what its inner loop does."""

import numpy as np
import pytest

from mlcourse.classroom.panels import inner_loop


@pytest.fixture
def task():
    return inner_loop.draw_task(np.random.default_rng(6))


def test_the_share_that_it_says_a_step_keeps_is_the_share_that_the_path_keeps(task):
    numbers = inner_loop.compute(task, alpha=0.2, steps=6, shots=5)
    features = np.hstack([numbers.support.x, np.ones_like(numbers.support.x)])
    _, directions = np.linalg.eigh(2 * features.T @ features / 5)
    distances = np.abs((numbers.thetas - numbers.lowest) @ directions[:, ::-1])
    np.testing.assert_allclose(distances[1:], distances[:-1] * numbers.kept, rtol=1e-8)


def test_it_says_diverges_just_where_the_path_moves_away(task):
    largest = inner_loop.compute(task, alpha=0.1, steps=1, shots=5).largest
    for alpha, diverges in [(0.98 * largest, False), (1.02 * largest, True)]:
        numbers = inner_loop.compute(task, alpha=alpha, steps=30, shots=5)
        lengths = np.linalg.norm(np.diff(numbers.thetas, axis=0), axis=1)
        assert numbers.diverges is diverges
        assert bool(lengths[-1] > lengths[-2]) is diverges


def test_one_point_leaves_theta_where_it_is_along_the_level_direction(task):
    numbers = inner_loop.compute(task, alpha=0.3, steps=30, shots=1)
    x = numbers.support.x[0, 0]
    level = np.array([1.0, -x]) / np.hypot(1, x)
    np.testing.assert_allclose(numbers.thetas @ level, 0, atol=1e-12)


def test_it_opens_on_a_task_that_many_steps_learn_by_heart():
    opened = inner_loop.panel().task
    few, many = (inner_loop.compute(opened, alpha=0.1, steps=steps, shots=5) for steps in (8, 30))
    (support_few, query_few), (support_many, query_many) = few.losses[:, 1], many.losses[:, 1]
    assert support_many < 0.5 * support_few
    assert query_many > 3 * query_few


def test_how_far_alpha_may_go_is_not_said_before_it_is_tried(task):
    largest = inner_loop.compute(task, alpha=0.1, steps=8, shots=5).largest
    below, beyond = (inner_loop.compute(task, factor * largest, steps=8, shots=5) for factor in (0.9, 1.1))
    assert f"{largest:.2f}" not in inner_loop.caption(below)
    assert f"beyond α = {largest:.2f}" in inner_loop.caption(beyond)
