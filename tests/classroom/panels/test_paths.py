"""The panel "paths" goes where mlcourse's methods go, and says how far they came."""

import numpy as np
import pytest

from mlcourse import fomaml, joint_training, maml, reptile
from mlcourse.classroom.panels import paths

METHODS = {"joint training": joint_training, "Reptile": reptile, "FOMAML": fomaml, "MAML": maml}
START = np.array([0.7, -1.1])


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("alpha, steps", [(0.18, 1), (0.1, 3)])
def test_its_direction_is_the_methods(name, alpha, steps):
    kept = paths.weights(alpha, steps)[name]
    expected = METHODS[name](paths.OBJECTIVE, START, paths.EPISODE, alpha, steps).theta
    assert np.allclose((kept * (START - paths.THETA_STAR)).mean(axis=0), expected)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("alpha, steps", [(0.18, 1), (0.18, 5), (0.05, 3)])
def test_each_method_stands_still_at_its_mark(name, alpha, steps):
    numbers = paths.compute(START, alpha, steps, beta=0.3)
    there = METHODS[name](paths.OBJECTIVE, numbers.ends[name], paths.EPISODE, alpha, steps).theta
    assert np.allclose(there, 0, atol=1e-12)


@pytest.mark.parametrize("steps", range(1, 6))
@pytest.mark.parametrize("alpha", [0.01, 0.1, 0.18, 0.24])
def test_no_mark_has_a_lower_loss_than_mamls(alpha, steps):
    losses = paths.compute(START, alpha, steps, beta=0.3).end_losses
    assert min(losses, key=losses.get) == "MAML" or losses["MAML"] == pytest.approx(min(losses.values()))


def test_who_has_not_arrived_is_told():
    one, five = (paths.compute(START, 0.18, steps, beta=0.05) for steps in (1, 5))
    for numbers in (one, five):
        for name, left in numbers.left.items():
            away = np.abs(numbers.paths[name][-1] - numbers.ends[name]) / np.abs(START - numbers.ends[name])
            assert np.max(away) == pytest.approx(left)
            assert (f"{name} (" in paths.caption(numbers)) == (left >= 0.01)
    assert five.left["MAML"] > one.left["MAML"]


def test_the_paths_fan_out_from_joint_training_over_fomaml_to_maml():
    ends = [paths.compute(START, alpha, 1, beta=0.3).ends for alpha in (0.01, 0.1, 0.18)]
    for end in ends:
        assert np.allclose(end["Reptile"], end["joint training"])
        assert np.all(end["joint training"] < end["FOMAML"]) and np.all(end["FOMAML"] < end["MAML"])
    assert np.linalg.norm(ends[0]["MAML"] - ends[0]["joint training"]) < 0.15
    assert np.linalg.norm(ends[2]["MAML"] - ends[2]["joint training"]) > 1.5
