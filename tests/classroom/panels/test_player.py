"""The player: a control that moves by itself, and the walk that the time line plays."""

import numpy as np
import pytest

from mlcourse import Linear, maml, mean_squared_error
from mlcourse.classroom.panels import PANELS, timeline
from mlcourse.classroom.panels.panel import player


@pytest.fixture
def control():
    return player("Time t", 3)


def test_while_it_plays_the_clock_moves_the_value_and_the_slider(control):
    control.play.playing = True
    control.play.value = 2
    assert control.value == control.slider.value == 2


def test_dragging_the_slider_takes_the_clock_along(control):
    control.slider.value = 2
    assert control.value == control.play.value == 2


def test_a_tick_that_comes_after_the_stop_does_not_count(control):
    control.play.playing = True
    control.play.value = 1
    control.stop()
    control.play.value = 2
    assert control.value == control.slider.value == control.play.value == 1


def test_the_clocks_own_stop_goes_back_to_the_beginning(control):
    control.value = 2
    control.play.playing = False
    control.play.value = 0
    assert control.value == control.slider.value == 0


def test_steps_stand_still_and_stay_in_range(control):
    control.play.playing = True
    for _ in range(5):
        control.forward.click()
    assert control.value == 3 and not control.play.playing
    for _ in range(5):
        control.back.click()
    assert control.value == 0


def test_reset_stops_the_clock():
    panel = PANELS["time line"]()
    clock = panel.controls["t"]
    clock.play.playing = True
    clock.play.value = 5
    panel.reset.click()
    assert clock.value == 0 and not clock.play.playing


def test_the_time_line_walks_where_plain_maml_walks():
    rng, theta = np.random.default_rng(3), timeline.START
    objective = mean_squared_error(Linear(1))
    for turn in timeline.walk(np.random.default_rng(3)):
        np.testing.assert_allclose(turn.theta, theta)
        episode = timeline.LINES.sample(rng, tasks=1, shots=5, queries=10)
        gradient = maml(objective, theta, episode, timeline.ALPHA, steps=1)
        theta = theta - timeline.BETA * gradient.theta
    np.testing.assert_array_equal(turn.theta_next, turn.theta)


def test_where_no_kernel_runs_the_time_line_shows_one_turn_and_the_end():
    panel = PANELS["time line"]()
    picture, words = panel.still()
    assert [line.split(".")[0] for line in words.splitlines()[1:]] == [f"t = {t}" for t in (1, 2, 3, 4, 5, 44)]
    assert "Meta-test" not in words.splitlines()[0] and "θ′ gets" in words.splitlines()[-1]
    assert picture.startswith(b"\x89PNG") and picture != panel.image.value


def test_another_panel_is_still_as_it_stands():
    panel = PANELS["relatedness"]()
    assert panel.still() == (panel.image.value, f"The panel as it opens:\n{panel.caption.value}")
