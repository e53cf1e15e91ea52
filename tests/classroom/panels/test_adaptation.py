"""Panel "adaptation": it opens on what the lesson says of it."""

import numpy as np

from mlcourse.classroom.panels import PANELS


def test_it_opens_on_a_wave_whose_right_half_is_empty_and_which_maml_hits_there():
    numbers = PANELS["adaptation"]().numbers
    assert (numbers.shots, numbers.steps) == (5, 1)
    assert np.all(numbers.support.x < 0.3)
    right = numbers.x[:, 0] > 0.3
    errors = {
        name: np.mean((curves[1][right] - numbers.truth[right]) ** 2) / np.mean(numbers.truth[right] ** 2)
        for name, curves in numbers.curves.items()
    }
    assert errors["MAML"] < 0.1 and errors["joint training"] > 0.5


def test_more_points_bring_its_maml_curve_closer():
    panel = PANELS["adaptation"]()
    losses = []
    for shots in (1, 2, 5, 10):
        panel.controls["shots"].value = shots
        losses.append(panel.numbers.losses["MAML"][1])
    assert losses == sorted(losses, reverse=True) and losses[-1] < 0.1 * losses[0]
