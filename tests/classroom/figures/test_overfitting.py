"""Figures of lesson 10: the numbers in them are those of the reports."""

import numpy as np

from mlcourse.classroom.figures import overfitting as figures
from mlcourse.evaluate import report


def reported(rng, mean, tasks=50):
    return report(rng.gamma(2.0, mean / 2, (2, tasks)))


def points(container):
    return container.lines[0].get_ydata()


def test_the_gap_has_a_point_for_each_number_of_tasks_with_its_interval():
    rng = np.random.default_rng(0)
    rows = {
        words: {on: reported(rng, mean) for on, mean in zip(figures.LOOKS, (low, 1.0, 2.0), strict=True)}
        for words, low in (("5", 0.2), ("20", 0.5))
    }
    rows["fresh"] = {"new tasks": reported(rng, 1.0)}
    (axes,) = figures.gap_by_tasks(rows).axes
    for container, on in zip(axes.containers, figures.LOOKS, strict=True):
        there = [reports[on] for reports in rows.values() if on in reports]
        assert np.allclose(points(container), [each.mean[1] for each in there])
        tops = [segment[1, 1] for segment in container.lines[2][0].get_segments()]
        assert np.allclose(tops, [each.mean[1] + each.half_width[1] for each in there])
    assert f"{rows['5']['its own tasks'].mean[1]:.2f} on them" in axes.get_title(loc="left")


def test_the_star_marks_the_state_that_is_kept():
    rng = np.random.default_rng(1)
    training, validation = ([reported(rng, mean) for mean in (3, 2, 2.5, 3)] for _ in range(2))
    (axes,) = figures.over_training([100, 200, 300, 400], training, validation, keep=1, stop=3).axes
    star = next(line for line in axes.lines if line.get_marker() == "*")
    assert star.get_xdata()[0] == 200 and star.get_ydata()[0] == validation[1].mean[1]
    assert f"{validation[1].mean[1]:.1f} kept" in axes.get_title(loc="left")


def test_before_and_after_stand_side_by_side_for_every_learner():
    rng = np.random.default_rng(2)
    rows = {learner: {"its own tasks": reported(rng, 0.1), "new tasks": reported(rng, 5)} for learner in ("a", "b")}
    for axes, (learner, reports) in zip(figures.before_and_after(rows).axes, rows.items(), strict=True):
        assert axes.get_title(loc="left") == learner
        assert np.allclose([points(c) for c in axes.containers], [each.mean for each in reports.values()])


def test_remedies_stand_in_their_order_each_with_its_number():
    rng = np.random.default_rng(3)
    rows = {name: reported(rng, mean) for name, mean in (("as it is", 7), ("better", 1))}
    (axes,) = figures.on_new_tasks(rows, nothing=4.0).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == list(rows)
    assert [text.get_text()[:4] for text in axes.texts] == [f"{each.mean[1]:.2f}" for each in rows.values()]


def test_over_steps_draws_the_mean_over_tasks_and_the_floor():
    rng = np.random.default_rng(4)
    plain = {part: rng.gamma(2.0, 2.0, (6, 30)) for part in ("support", "query")}
    left, right = figures.over_steps(plain, {"one": plain["query"], "other": plain["support"]}, floor=4).axes
    assert np.allclose(left.lines[0].get_ydata(), plain["support"].mean(axis=1))
    assert np.allclose(right.lines[0].get_ydata(), plain["query"].mean(axis=1))
    assert {tuple(axes.lines[-1].get_ydata()) for axes in (left, right)} == {(4, 4)}
