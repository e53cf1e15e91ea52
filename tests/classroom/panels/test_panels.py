"""Every panel of the registry, every control to each extreme, each option, and back."""

import dataclasses
from collections.abc import Mapping

import numpy as np
import pytest
from traitlets import TraitError

from mlcourse.classroom.panels import PANELS

each_panel = pytest.mark.parametrize("name", PANELS)


def picture(panel):
    """The PNG that the panel shows now."""
    return bytes(panel.image.value)


def extremes(control):
    """The values at the ends of a control, or all of its options."""
    if hasattr(control, "options"):
        return [option[1] if isinstance(option, tuple) else option for option in control.options]
    if isinstance(control.value, bool):
        return [False, True]
    return [control.min, control.max]


def numbers_in(value):
    """Every number anywhere in what a panel computed."""
    if isinstance(value, (bool, str, bytes)) or value is None or callable(value):
        return
    if isinstance(value, (int, float, np.number)):
        yield np.asarray(float(value))
    elif isinstance(value, np.ndarray):
        if value.dtype.kind in "fiu":
            yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from numbers_in(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from numbers_in(item)
    elif dataclasses.is_dataclass(value) or hasattr(value, "__dict__"):
        yield from numbers_in(vars(value))


def assert_sound(panel):
    assert picture(panel).startswith(b"\x89PNG")
    assert panel.caption.value.strip() and "nan" not in panel.caption.value.lower()
    assert all(np.all(np.isfinite(array)) for array in numbers_in(panel.numbers))


@each_panel
def test_every_control_goes_to_its_extremes_and_back(name):
    panel = PANELS[name]()
    first = picture(panel)
    assert_sound(panel)
    for label, control in panel.controls.items():
        before, pictures = control.value, set()
        for value in extremes(control):
            control.value = value
            assert_sound(panel)
            pictures.add(picture(panel))
        assert len(pictures) > 1, f"{label} changes nothing"
        control.value = before
        assert picture(panel) == first, f"after {label} went back, the picture is another"


@each_panel
def test_all_controls_at_once_may_stand_at_their_extremes(name):
    panel = PANELS[name]()
    for end in (0, -1, 0):
        for control in panel.controls.values():
            control.value = extremes(control)[end]
            assert_sound(panel)


@each_panel
def test_task_and_data_stay_while_a_control_moves(name):
    panel = PANELS[name]()
    task = panel.task
    for control in panel.controls.values():
        control.value = extremes(control)[-1]
    assert panel.task is task


@each_panel
def test_a_new_task_is_another_and_reset_goes_back_to_the_beginning(name):
    panel = PANELS[name]()
    first = picture(panel)
    for control in panel.controls.values():
        control.value = extremes(control)[-1]
    if panel.draw_task is not None:
        before = picture(panel)
        panel.new_task.click()
        assert picture(panel) != before
        assert_sound(panel)
    panel.reset.click()
    assert picture(panel) == first


@each_panel
def test_a_wrong_value_is_refused_by_the_control(name):
    panel = PANELS[name]()
    for control in panel.controls.values():
        before = control.value
        with pytest.raises(TraitError):
            control.value = "no such thing"
        assert control.value == before
        assert_sound(panel)


@each_panel
def test_every_control_says_what_it_is(name):
    for label, control in PANELS[name]().controls.items():
        described = getattr(control, "description", "") or control.slider.description
        assert described, label


@each_panel
def test_a_page_without_a_kernel_gets_the_picture_and_a_line_of_text(name):
    panel = PANELS[name]()
    bundle = panel._repr_mimebundle_()
    assert len(bundle["image/png"]) > 1000 and bundle["text/plain"].strip()


@each_panel
def test_two_panels_of_a_kind_do_not_share_their_state(name):
    one, other = PANELS[name](), PANELS[name]()
    still = picture(other)
    control = next(iter(one.controls.values()))
    control.value = next(value for value in extremes(control) if value != control.value)
    assert picture(other) == still
