"""The panel "sweep" chooses on validation tasks and reports on test tasks."""

import numpy as np
import pytest

from mlcourse.classroom.panels import PANELS, sweep
from mlcourse.classroom.trained import step_sizes

ORDER = np.arange(len(step_sizes.SEEDS))


@pytest.mark.parametrize("steps", step_sizes.STEPS)
@pytest.mark.parametrize("seeds", [1, 3, 5])
def test_the_choice_is_the_lowest_validation_mean_of_the_seeds_in_hand(steps, seeds):
    numbers = sweep.compute(ORDER, steps, 1000, seeds)
    grid = step_sizes.load()["fixed"][:, step_sizes.STEPS.index(steps), :seeds, -1, 0]
    assert numbers.choice == np.minimum(grid, sweep.MOST).mean(axis=1).argmin()
    assert numbers.losses.shape == (len(step_sizes.ALPHAS), seeds)


def test_with_all_seeds_the_choice_is_that_of_all_seeds_whatever_their_order():
    for order in (ORDER, ORDER[::-1]):
        numbers = sweep.compute(order, 1, 1000, len(ORDER))
        assert numbers.choice == numbers.best and numbers.test == numbers.test_best


def test_more_seeds_and_longer_trainings_cost_in_proportion():
    one, more = sweep.compute(ORDER, 1, 250, 1), sweep.compute(ORDER, 1, 1000, 5)
    assert one.passes == 6 * 250 * 4.5 and more.passes == 20 * one.passes


def test_it_opens_on_one_seed_of_one_step_after_the_whole_training():
    panel = PANELS["sweep"]()
    assert panel.values == {"steps": 1, "iterations": 1000, "seeds": 1}


def test_its_button_names_what_it_deals():
    panel = PANELS["sweep"]()
    assert panel.new_task.description == "Next seed"
    before = panel.task
    panel.new_task.click()
    assert sorted(panel.task) == sorted(before) and list(panel.task) != list(before)
