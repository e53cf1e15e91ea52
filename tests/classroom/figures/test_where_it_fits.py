"""Figures of lesson 13: the numbers in them are those that they were given."""

import numpy as np
import pytest

from mlcourse.classroom.figures import where_it_fits as figures
from mlcourse.classroom.panels import attention


def test_each_start_has_a_point_with_its_interval_for_each_number_of_steps():
    rng = np.random.default_rng(0)
    curves = {name: (rng.uniform(0.3, 0.9, 4), rng.uniform(0.01, 0.1, 4)) for name in ("MAML", "joint training")}
    first, second = figures.by_passes((1, 2, 5, 50), {"1 shot": curves, "5 shots": curves}, "accuracy").axes
    for axes in (first, second):
        for container, (mean, half) in zip(axes.containers, curves.values(), strict=True):
            assert np.allclose(container.lines[0].get_ydata(), mean)
            assert np.allclose([bar[1, 1] for bar in container.lines[2][0].get_segments()], mean + half)
        assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "2", "5", "50"]


def test_the_black_lines_have_the_slopes_that_they_were_given():
    lams = np.geomspace(0.1, 10, 30)
    at, slopes = np.array([0.5, 2.0]), np.array([-1.5, 0.25])
    (axes,) = figures.validation_over_lambda(lams, lams, lams, at, at, slopes).axes
    lines = [line for line in axes.lines if len(line.get_xdata()) == 2]
    for line, lam, slope in zip(lines, at, slopes, strict=True):
        (x_0, x_1), (y_0, y_1) = line.get_xdata(), line.get_ydata()
        assert (y_1 - y_0) / np.log(x_1 / x_0) == pytest.approx(lam * slope)


def test_what_was_descended_and_what_it_is_worth_stand_in_one_row():
    rows = {"λ": ((1.5, 0.1), (1.8, 0.2)), "y": ((0.4, 0.1), (1.9, 0.2))}
    (axes,) = figures.judges(rows).axes
    means = [float(container.lines[0].get_xdata()[0]) for container in axes.containers]
    assert means == [1.5, 1.8, 0.4, 1.9]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["λ", "y"]


def test_the_steps_of_a_layer_stand_beside_those_of_the_formula():
    keys, found, formula = np.arange(12.0).reshape(4, 3), np.array([0.1, 0.3, 0.8]), np.array([0.2, 0.3, 0.7])
    left, right = figures.found_steps(keys, found, formula, 0.25).axes
    assert [float(text.get_text()) for text in left.texts] == keys.ravel().tolist()
    drawn = {line.get_label(): line.get_ydata() for line in right.lines}
    assert np.array_equal(drawn["trained layer"], found) and np.array_equal(drawn["formula"], formula)


def test_the_panel_has_room_for_what_it_shows_and_stands_still_where_it_can():
    task = attention.draw_task(np.random.default_rng(0))
    drawing = figures.InContext(attention.compute(task, 0.2, 5, 0.0, 1.0))
    before = drawing.limits
    assert not drawing.update(attention.compute(task, 0.21, 5, 0.1, 1.0)) and drawing.limits == before
    shown = attention.compute(task, 0.8, 1, 4.0, 2.0)
    drawing.update(shown)
    for axis, values in zip(
        (drawing.plane.get_ylim(), drawing.bars.get_xlim()), ([shown["prediction"]], shown["parts"]), strict=True
    ):
        assert axis[0] < np.min(values) and np.max(values) < axis[1]
