"""Meta-testing: intervals over tasks, theta untouched, the baselines."""

import numpy as np
import pytest

from mlcourse import (
    MLP,
    DivergenceError,
    Linear,
    Lines,
    Sinusoids,
    adapt,
    compare,
    confidence_interval,
    mean_squared_error,
    meta_test,
)

SETTINGS = {"alpha": 0.1, "steps": 2, "tasks": 50, "shots": 5, "queries": 5}


def test_the_interval_is_that_of_a_mean_over_tasks():
    losses = np.random.default_rng(0).normal(size=400)
    mean, half_width = confidence_interval(losses)
    assert mean == pytest.approx(losses.mean())
    assert half_width == pytest.approx(1.96 * losses.std(ddof=1) / 20)


def test_the_interval_holds_the_truth_about_95_times_in_100():
    mean, half_width = confidence_interval(np.random.default_rng(0).exponential(size=(2000, 200)))
    assert np.mean(np.abs(mean - 1.0) <= half_width) == pytest.approx(0.95, abs=0.02)


def test_an_interval_needs_two_tasks():
    with pytest.raises(ValueError, match="tasks must be at least 2 for a confidence interval, got 1"):
        confidence_interval(np.ones(1))


def test_the_report_is_the_query_loss_after_each_step():
    objective, family = mean_squared_error(Linear(1, bias=False)), Lines()
    theta = np.array([0.5])
    report = meta_test(objective, family, theta, np.random.default_rng(3), **SETTINGS)
    episode = family.sample(np.random.default_rng(3), 50, 5, 5)
    for steps in range(3):
        theta_prime = adapt(objective, theta, episode.support, 0.1, steps)
        assert report.mean[steps] == pytest.approx(objective.value(theta_prime, episode.query).mean())
    assert report.losses.shape == (3, 50) and report.mean.shape == report.half_width.shape == (3,)


def test_theta_is_frozen():
    model = MLP([1, 4, 1])
    theta = model.init(np.random.default_rng(0))
    before = theta.copy()
    meta_test(mean_squared_error(model), Sinusoids(), theta, np.random.default_rng(0), **SETTINGS | {"alpha": 0.01})
    assert np.array_equal(theta, before)


def test_starts_are_compared_on_the_same_tasks_with_the_oracle_where_there_is_one():
    objective, starts = mean_squared_error(Linear(1, bias=False)), {"one": np.ones(1), "again": np.ones(1)}
    reports = compare(objective, Lines(), starts, np.random.default_rng(0), **SETTINGS)
    assert np.array_equal(reports["one"].losses, reports["again"].losses)
    assert reports["oracle"].mean[0] == pytest.approx(0, abs=1e-6)


def test_a_report_reads_as_a_sentence_a_step():
    report = meta_test(
        mean_squared_error(Linear(1, bias=False)), Lines(), np.zeros(1), np.random.default_rng(0), **SETTINGS
    )
    lines = str(report).splitlines()
    assert lines[0].startswith("after 0 steps: ") and lines[1].startswith("after 1 step: ") and "±" in lines[2]


def test_a_divergence_at_test_time_is_not_averaged_away():
    with pytest.raises(DivergenceError):
        meta_test(
            mean_squared_error(Linear(1, bias=False)),
            Lines(),
            np.ones(1),
            np.random.default_rng(0),
            **SETTINGS | {"alpha": 1e200},
        )


def test_a_loss_that_overflows_while_theta_is_still_finite_is_a_divergence():
    with pytest.raises(DivergenceError) as caught:
        meta_test(
            mean_squared_error(Linear(1, bias=False)),
            Lines(),
            np.ones(1),
            np.random.default_rng(0),
            **SETTINGS | {"alpha": 1e90, "steps": 1},
        )
    assert caught.value.step == 1 and caught.value.tasks
