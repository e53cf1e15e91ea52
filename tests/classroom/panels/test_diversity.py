"""Panel "task diversity" and the starts it loads: they do what lesson 10 says of them, and so does their recipe."""

import numpy as np
import pytest

from mlcourse import evaluate_episode, mean_squared_error
from mlcourse.classroom.panels import PANELS
from mlcourse.classroom.panels.diversity import X
from mlcourse.classroom.trained import ALPHA, MODEL, SINUSOIDS, diversity
from mlcourse.tasks import Data
from tests.tested import ROOT, cells


def test_the_dark_region_grows_with_the_number_of_waves_from_everywhere():
    panel = PANELS["task diversity"]()
    shares = []
    for number in diversity.NUMBERS:
        panel.controls["number"].value = number
        assert len(panel.numbers.phases) == len(panel.numbers.amplitudes) == number
        shares.append(np.mean(panel.numbers.errors < 1))
    assert shares[0] < shares[1] and shares[0] < shares[-1] and shares[-1] > 0.7


def test_a_hundred_waves_from_a_third_serve_that_third():
    panel = PANELS["task diversity"]()
    panel.controls["number"].value, panel.controls["spread"].value = 100, "a third of the phases"
    inside = panel.numbers.grid[0] < np.pi / 3
    assert np.mean(panel.numbers.errors[:, inside]) < 0.3 * np.mean(panel.numbers.errors[:, ~inside])
    assert np.max(panel.numbers.phases) < np.pi / 3


def test_the_curve_and_its_error_are_those_of_one_step_on_the_points_shown():
    numbers = PANELS["task diversity"]().numbers
    theta = diversity.load()[numbers.spread, numbers.number]
    objective = mean_squared_error(MODEL)
    theta_prime = theta - ALPHA * objective.grad(theta, numbers.support)
    assert np.allclose(numbers.adapted, MODEL(theta_prime, X)[:, 0])
    assert np.isclose(numbers.error, objective.value(theta_prime, Data(X, numbers.truth[:, None])))


def test_the_stored_starts_give_the_lessons_table():
    new = SINUSOIDS.sample(np.random.default_rng(1000), 300, shots=5, queries=10)
    (shown,) = [
        cell
        for cell in cells(ROOT / "notebooks" / "10_meta_overfitting.ipynb", "code")
        if "diversity.SETS" in cell.source
    ]
    printed = "".join(output.get("text", "") for output in shown.outputs)
    for (phases, number), theta in diversity.load().items():
        after = evaluate_episode(mean_squared_error(MODEL), theta, new, ALPHA, steps=1)
        assert f"{number:3} waves of {phases:21} {after.mean[1]:.2f} ± {after.half_width[1]:.2f}" in printed


def test_they_are_small_and_what_their_recipe_gives():
    assert diversity.PATH.stat().st_size < 60_000
    stored = diversity.on_new_waves(diversity.load()["every phase", 10], tasks=300).mean[1]
    again = diversity.on_new_waves(diversity.train("every phase", 10), tasks=300).mean[1]
    assert again == pytest.approx(stored, rel=0.1)
