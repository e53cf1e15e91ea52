"""Panel "countries" and the starts it loads: every country is held out once, and they do what lesson 14 says."""

import numpy as np
import pytest

from mlcourse import confidence_interval
from mlcourse.baselines import mixed_model, own_line, task_errors
from mlcourse.classroom.panels import PANELS
from mlcourse.classroom.panels.countries import NAMED
from mlcourse.classroom.trained import countries
from tests.tested import ROOT, cells


def test_every_country_is_held_out_once_and_trains_nothing_where_it_is():
    folds = countries.load()
    held_out = [name for fold in folds for name in fold.test.names]
    assert sorted(held_out) == sorted(countries.TABLE.names)
    for fold in folds:
        sides = [set(part.names) for part in fold[:3]]
        assert sum(map(len, sides)) == len(set.union(*sides)) == 142


def test_one_year_leaves_a_line_of_its_own_flat_and_the_others_bend():
    panel = PANELS["countries"]()
    panel.controls["country"].value, panel.controls["shots"].value = "Chad", 1
    rise = {name: curve[-1] - curve[0] for name, curve in panel.numbers.curves.items()}
    assert abs(rise["a line of its own"]) < 1 and min(rise["MAML"], rise["mixed model"]) > 5


def test_the_errors_are_those_on_the_years_that_were_not_given():
    panel = PANELS["countries"]()
    for shots in (2, 5):
        panel.controls["shots"].value = shots
        numbers = panel.numbers
        assert len(numbers.given.y) == shots and len(numbers.asked.y) == 12 - shots
        for name, curve in numbers.curves.items():
            at = np.interp(numbers.asked.x[:, 0], numbers.years, curve)
            assert numbers.errors[name] == pytest.approx(np.sqrt(np.mean((at - numbers.asked.y[:, 0]) ** 2)), rel=1e-6)


def test_every_country_that_is_named_is_one():
    assert set(NAMED) <= set(countries.TABLE.names)


def test_the_stored_starts_give_the_lessons_table():
    (shown,) = [
        cell for cell in cells(ROOT / "notebooks" / "14_capstone.ipynb", "code") if "countries.load()" in cell.source
    ]
    printed = "".join(output.get("text", "") for output in shown.outputs)
    learners = {
        "MAML": lambda fold: fold.maml,
        "a line of its own": lambda fold: own_line([]),
        "mixed model, degree 1": lambda fold: mixed_model(fold.training.data, 1),
        "mixed model, degree 3": lambda fold: mixed_model(fold.training.data, 3),
    }
    for name, learner in learners.items():
        errors = [
            task_errors(learner(fold), fold.test, np.random.default_rng(1), shots=3, queries=9)
            for fold in countries.load()
        ]
        mean, half = confidence_interval(np.concatenate(errors))
        assert f"{name:22} {mean:.2f} ± {half:.2f} years" in printed


def test_they_are_small_and_what_their_recipe_gives():
    assert countries.PATH.stat().st_size < 12_000
    fold = countries.load()[0]
    again = fold._replace(theta=countries.train(fold.training, fold.validation, iterations=500))
    assert countries.errors(again).mean() == pytest.approx(countries.errors(fold).mean(), rel=0.15)
