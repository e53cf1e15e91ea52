"""Figures of lesson 14: the numbers in them are those they are handed; the lesson's cells take a table of one's own."""

from copy import deepcopy

import numpy as np
import pytest

from mlcourse import FromTable, confidence_interval
from mlcourse.classroom.data import LIFE_EXPECTANCY
from mlcourse.classroom.figures import capstone as figures
from mlcourse.classroom.teaching.execute import run
from tests.tested import ROOT, notebook_of


def title(axes):
    return axes.get_title(loc="left")


def test_every_task_is_a_line_and_those_named_are_named():
    table = FromTable(LIFE_EXPECTANCY, task="country", x="year", y="lifeExp")
    (axes,) = figures.some_tasks(table, ["Japan", "Chad"], "all of them").axes
    assert len(axes.lines) == 142 + 2
    named = {line.get_label(): line.get_ydata() for line in axes.lines[-2:]}
    assert np.array_equal(named["Chad"], table.rows["Chad"].y[:, 0])


def test_a_name_that_is_no_task_is_refused_with_some_that_are():
    table = FromTable(LIFE_EXPECTANCY, task="country", x="year", y="lifeExp")
    with pytest.raises(
        ValueError, match=r"names must be among the tasks of .*, such as 'Afghanistan', .* got 'Atlantis'"
    ):
        figures.some_tasks(table, ["Chad", "Atlantis"], "")


def test_a_name_with_dollars_is_no_formula():
    table = FromTable(LIFE_EXPECTANCY, task="country", x="year", y="lifeExp")
    table.rows = {r"a$\b$": table.rows["Chad"], "b": table.rows["Cuba"]}
    (axes,) = figures.some_tasks(table, [r"a$\b$"], r"in $\money$").axes
    axes.figure.png()
    assert title(axes) == r"in $\money$"


@pytest.mark.parametrize("unit", [1e-4, 1.0, 1e9])
def test_settings_have_a_few_labels_in_any_unit(unit):
    tried = {(0.1, 1): 3.0 * unit, (0.1, 5): 2.0 * unit, (0.3, 1): 40.0 * unit, (0.3, 5): np.inf}
    (axes,) = figures.settings(tried, "years").axes
    low, high = axes.get_ylim()
    assert 4 <= sum(low <= tick <= high for tick in axes.get_yticks()) <= 8


@pytest.mark.parametrize(
    "unit, text", [(1e-5, "0.000030 ± "), (0.01, "0.030 ± "), (1, "3.00 ± "), (1e6, "3,000,000 ± ")]
)
def test_errors_are_written_so_that_they_can_be_read(unit, text):
    (axes,) = figures.learners({"mixed": unit * np.array([2.0, 3.0, 4.0])}, "units").axes
    assert axes.texts[0].get_text().startswith(text)


def test_an_interval_that_is_narrow_is_not_written_as_none():
    narrow = np.array([0.30, 0.302, 0.304])
    (axes,) = figures.learners({"mixed": narrow, "one line for all": 5 * narrow}, "units").axes
    assert {text.get_text() for text in axes.texts} == {"0.302 ± 0.002", "1.51 ± 0.01"}


def test_learners_stand_in_the_order_of_their_errors_with_their_intervals():
    rng = np.random.default_rng(0)
    errors = {
        "one line for all": rng.gamma(5, 2, 20),
        "MAML, a line": rng.gamma(5, 0.2, 20),
        "mixed": rng.gamma(5, 1, 20),
    }
    (axes,) = figures.learners(errors, "years").axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == sorted(errors, key=lambda name: -errors[name].mean())
    for container, name in zip(axes.containers, names, strict=True):
        mean, half = confidence_interval(errors[name])
        ((left, right),) = (segment[:, 0] for segment in container.lines[2][0].get_segments())
        assert (left, right) == pytest.approx((mean - half, mean + half))
    assert "least error with MAML, a line" in title(axes)


def test_the_setting_that_is_chosen_has_the_star_and_one_that_diverged_is_on_the_edge():
    tried = {(0.1, 1): 3.0, (0.1, 5): 2.0, (0.3, 1): 4.0, (0.3, 5): np.inf}
    (axes,) = figures.settings(tried, "years").axes
    star = next(line for line in axes.lines if line.get_marker() == "*")
    assert (star.get_xdata()[0], star.get_ydata()[0]) == (0.1, 2.0)
    five_steps = next(line for line in axes.lines if line.get_label() == "m = 5")
    assert five_steps.get_ydata()[-1] == axes.get_ylim()[1]


def test_the_iteration_that_is_kept_is_marked():
    curve = {"training tasks": [(100, 3.0), (200, 2.0)], "validation tasks": [(100, 2.5), (200, 2.8)]}
    (axes,) = figures.over_training(curve, 100, "years").axes
    assert axes.lines[1].get_ydata().tolist() == [2.5, 2.8]
    assert axes.lines[2].get_xdata()[0] == 100


def test_the_lesson_runs_on_another_table_when_one_cell_is_changed(tmp_path):
    rng, lines = np.random.default_rng(0), ["ward,dose,day,pulse"]
    for i in range(20):
        w = rng.normal([70, 5, -3], [5, 1, 1])
        lines += [f"ward {i},{a:.3f},{b:.3f},{w @ [1, a, b] + rng.normal():.3f}" for a, b in rng.normal(size=(9, 2))]
    (tmp_path / "mine.csv").write_text("\n".join(lines) + "\n")
    notebook = deepcopy(notebook_of(ROOT / "notebooks" / "14_capstone.ipynb"))
    (changed,) = [cell for cell in notebook.cells if cell.source.startswith("table = FromTable(")]
    changed.source = (
        'table = FromTable("mine.csv", task="ward", x=["dose", "day"], y="pulse")\n'
        'shots, queries, held_out, unit = 3, 6, 5, "beats"\nnamed = ["ward 3"]\n'
    )
    run(notebook, tmp_path)
    said = "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", ()))
    assert "beats" in said and "0 of the 5 test tasks are among those" in " ".join(said.split())
