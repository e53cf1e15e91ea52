"""Task distributions: what a draw is made of, and what they refuse."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlcourse import Lines, Polynomials, Quadratics, Sinusoids

FAMILIES = [
    Lines(mean=1.0, noise=0.1),
    Sinusoids(noise=0.1),
    Polynomials(degree=2, noise=0.1),
    Quadratics([1.0, 4.0], [2.0, 0.0]),
]
each_family = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: type(family).__name__)


@each_family
@settings(max_examples=15, deadline=None)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 4), st.integers(0, 1000))
def test_an_episode_has_one_row_a_task_and_shots_and_queries_rows_of_data(family, tasks, shots, queries, seed):
    episode = family.sample(np.random.default_rng(seed), tasks, shots, queries)
    assert episode.support.x.shape == episode.support.y.shape == (tasks, shots, 1)
    assert episode.query.x.shape == episode.query.y.shape == (tasks, queries, 1)
    assert all(len(hidden) == tasks for hidden in episode.tasks.values())
    assert episode.support.x.dtype == np.float64


@each_family
def test_one_task_has_no_leading_axis(family):
    episode = family.sample(np.random.default_rng(0), (), 3, 2)
    assert episode.support.x.shape == (3, 1) and episode.query.y.shape == (2, 1)


@each_family
def test_the_same_seed_draws_the_same_episode_and_another_seed_another(family):
    one, same, other = (family.sample(np.random.default_rng(seed), 3, 4, 4) for seed in (1, 1, 2))
    assert np.array_equal(one.support.y, same.support.y)
    assert not np.array_equal(one.support.y, other.support.y)


def test_points_of_a_line_lie_on_its_slope():
    episode = Lines(mean=2.0, std=0.5).sample(np.random.default_rng(0), 5, 4, 4)
    assert np.allclose(episode.query.y, episode.tasks["slope"][:, None, None] * episode.query.x)


def test_slopes_have_the_mean_and_spread_that_were_asked_for():
    slopes = Lines(mean=2.0, std=0.5).sample(np.random.default_rng(0), 20_000, 1, 1).tasks["slope"]
    assert slopes.mean() == pytest.approx(2.0, abs=0.02) and slopes.std() == pytest.approx(0.5, abs=0.02)


def test_noise_is_fresh_at_every_point():
    episode = Lines(std=0.0, noise=1.0).sample(np.random.default_rng(0), 50, 40, 1)
    assert episode.support.y.std(axis=1).min() > 0.5
    assert abs(np.corrcoef(episode.support.y[:, 0, 0], episode.support.y[:, 1, 0])[0, 1]) < 0.5


def test_points_of_a_sinusoid_have_its_amplitude_and_phase():
    episode = Sinusoids().sample(np.random.default_rng(0), 6, 3, 5)
    amplitude, phase = (episode.tasks[name][:, None, None] for name in ("amplitude", "phase"))
    assert np.allclose(episode.query.y, amplitude * np.sin(episode.query.x - phase))
    assert amplitude.min() >= 0.1 and amplitude.max() <= 5 and phase.min() >= 0 and phase.max() <= np.pi


@pytest.mark.parametrize("family", [Lines(), Sinusoids(), Polynomials(degree=2)], ids=lambda f: type(f).__name__)
def test_an_oracle_with_enough_clean_points_knows_the_task(family):
    episode = family.sample(np.random.default_rng(0), 20, 6, 10)
    assert np.allclose(family.oracle(episode.support, episode.query.x), episode.query.y, atol=1e-3)


def test_an_oracle_with_noise_shrinks_towards_the_mean_of_the_family():
    family = Lines(mean=1.0, std=0.1, noise=2.0)
    episode = family.sample(np.random.default_rng(0), 500, 1, 1)
    ones = np.ones((500, 1, 1))
    slopes = family.oracle(episode.support, ones)
    assert slopes.std() < 0.02 and slopes.mean() == pytest.approx(1.0, abs=0.02)


def test_a_quadratic_task_has_the_loss_and_curvature_of_the_test_bed():
    from mlcourse import Linear, mean_squared_error

    bed, objective = Quadratics([1.0, 4.0], [2.0, 0.0]), mean_squared_error(Linear(1, bias=False))
    episode = bed.sample(np.random.default_rng(0), 2, 1, 1)
    a, c = episode.tasks["curvature"], episode.tasks["centre"]
    theta = np.array([0.7])
    assert np.allclose(objective.value(theta, episode.support), a / 2 * (0.7 - c) ** 2)
    assert np.allclose(objective.hvp(theta, episode.support, np.ones(1))[:, 0], a)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: Lines().sample(np.random.default_rng(0), 2, 0, 1), "shots must be at least 1, got 0"),
        (lambda: Lines().sample(np.random.default_rng(0), 2, 1, 0), "queries must be at least 1, got 0"),
        (lambda: Lines().sample(np.random.default_rng(0), 0, 1, 1), "tasks must be at least 1, got 0"),
        (lambda: Lines(std=-1.0), "std must be a number of at least 0, got -1.0"),
        (lambda: Sinusoids(amplitude=(5, 1)), r"amplitude must be a pair \(low, high\) with low <= high, got \(5, 1\)"),
        (lambda: Polynomials(degree=-1), "degree must be at least 0, got -1"),
        (lambda: Quadratics([1.0, -4.0], [2.0, 0.0]), "curvatures must be greater than 0, got -4"),
        (lambda: Quadratics([1.0], [2.0, 0.0]), "two lists of the same length"),
        (lambda: Quadratics([np.nan], [2.0]), "curvatures must be finite, got 1 of 1 values"),
    ],
)
def test_bad_input_is_named_with_what_came_and_what_was_expected(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_shots_must_be_a_whole_number():
    with pytest.raises(TypeError, match=r"shots must be a whole number, got 2\.5"):
        Lines().sample(np.random.default_rng(0), 2, 2.5, 1)
