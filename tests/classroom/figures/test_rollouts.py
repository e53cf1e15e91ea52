"""Figures of lesson 12: the numbers in them are those that they were given."""

import numpy as np

from mlcourse.classroom.figures import rollouts as figures
from mlcourse.classroom.trained.robots import ROBOT, policy_of, start_of
from mlcourse.evaluate import report
from mlcourse.robots import roll_out


def test_the_estimates_are_told_with_their_means_and_spreads():
    rng = np.random.default_rng(0)
    rows = {"plain": rng.normal(2, 1, 500), "with a baseline": rng.normal(2, 0.5, 500)}
    (axes,) = figures.estimates(rows, exact=2.0).axes
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert any(f"plain: mean {rows['plain'].mean():.2f}" in label for label in labels)
    assert f"{rows['plain'].std():.2f} → {rows['with a baseline'].std():.2f}" in axes.get_title(loc="left")
    assert axes.lines[0].get_xdata()[0] == 2.0


def test_meta_gradients_stand_beside_the_closed_forms():
    rows = {"kept": (1.3, 0.1), "dropped": (1.6, 0.2)}
    figure = figures.meta_gradients(rows, {"exact": 1.28, "first-order": 1.6})
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.texts] == ["1.30 ± 0.10", "1.60 ± 0.20"]
    assert [container.lines[0].get_xdata()[0] for container in axes.containers] == [1.3, 1.6]
    assert axes.get_title(loc="left") == "Nearest to the exact 1.28: kept, 1.30"
    assert "exact: 1.28" in [text.get_text() for text in figure.legends[0].get_texts()]


def test_rollouts_are_drawn_where_they_went_in_the_colour_of_their_advantage():
    goal = ROBOT.at_angle(1.0)
    seen = roll_out(ROBOT, policy_of(ROBOT), start_of(ROBOT, 0), goal, 5, np.random.default_rng(0))
    advantages = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    lines = figures.by_advantage(seen, advantages, goal).axes[0].collections[0]
    assert np.allclose(lines.get_segments()[3], seen.states[3])
    assert np.array_equal(lines.get_array(), advantages)


def test_returns_have_a_point_before_and_after_for_every_seed():
    rng = np.random.default_rng(1)
    rows = {name: [report(rng.normal(-10, 1, (2, 30))) for _ in range(3)] for name in ("joint training", "MAML")}
    (axes,) = figures.returns(rows).axes
    shown = [container.lines[0].get_xdata()[0] for container in axes.containers]
    assert np.allclose(shown, [mean for reports in rows.values() for each in reports for mean in each.mean])
    after = np.mean([each.mean[1] for each in rows["MAML"]])
    assert f"MAML {after:.1f}" in axes.get_title(loc="left")
