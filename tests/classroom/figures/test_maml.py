"""Figures of lesson 6: the numbers in them are those of the reports."""

import numpy as np

from mlcourse.classroom.figures import maml as figures
from mlcourse.evaluate import report


def reported(rng, mean):
    return report(rng.gamma(2.0, mean / 2, (2, 50)))


def test_every_learner_has_a_bar_for_each_set_of_tasks_it_was_tested_on():
    rng = np.random.default_rng(0)
    own, new, all_new = (reported(rng, mean) for mean in (0.5, 1.3, 0.9))
    rows = {
        "trained on 3 waves": {"its training waves": own, "new waves": new},
        "trained on all waves": {"new waves": all_new},
    }
    (axes,) = figures.train_and_new(rows).axes
    assert np.allclose([bar.get_height() for bar in axes.patches], [each.mean[1] for each in (own, new, all_new)])
    colours = [bar.get_facecolor() for bar in axes.patches]
    assert colours[1] == colours[2] != colours[0]
    assert f"{own.mean[1]:.1f} on its training waves" in axes.get_title(loc="left")
    assert len(axes.get_legend().get_texts()) == 2


def test_the_bands_are_the_half_widths_that_are_handed_in():
    rng = np.random.default_rng(1)
    reports = {name: reported(rng, 1.0) for name in ("random start", "joint training", "MAML")}
    wide = {name: each._replace(half_width=2 * each.half_width) for name, each in reports.items()}

    def heights(reports):
        (axes,) = figures.starts_by_steps(reports).axes
        return [np.ptp(band.get_paths()[0].vertices[:, 1]) for band in axes.collections]

    assert np.all(np.array(heights(wide)) > heights(reports))
