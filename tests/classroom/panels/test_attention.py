"""The panel "attention": its parts add up to what a gradient step predicts, wherever the context is moved."""

import numpy as np
import pytest

from mlcourse.classroom.panels import attention


@pytest.mark.parametrize("shots", [1, 5, attention.MOST])
@pytest.mark.parametrize("moved", [-4.0, 0.0, 2.5])
def test_attention_predicts_what_one_step_from_zero_predicts(shots, moved):
    task = attention.draw_task(np.random.default_rng(shots))
    for alpha, query in ((0.0, 1.0), (0.3, -1.7), (0.8, 2.0)):
        shown = attention.compute(task, alpha, shots, moved, query)
        assert shown["prediction"] == pytest.approx(shown["w"] * query, abs=1e-12)
        assert np.count_nonzero(shown["parts"]) <= shots


def test_moving_an_example_changes_its_part_alone_and_leaves_the_task():
    task = attention.draw_task(np.random.default_rng(0))
    before, after = (attention.compute(task, 0.3, 5, moved, 1.0) for moved in (0.0, 2.0))
    assert np.flatnonzero(before["parts"] != after["parts"]).tolist() == [0]
    assert np.array_equal(attention.compute(task, 0.3, 5, 0.0, 1.0)["parts"], before["parts"])


def test_the_caption_says_both_numbers():
    panel = attention.panel()
    panel.controls["moved"].value = 3.0
    said = panel.caption.value
    assert said.count(f"{panel.numbers['prediction']:.3f}") == 2
