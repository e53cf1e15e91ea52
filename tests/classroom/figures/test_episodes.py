import numpy as np
import pytest

from mlcourse.classroom.figures.episodes import EpisodeViewer
from mlcourse.classroom.panels import PANELS
from mlcourse.classroom.panels.episode_viewer import FAMILIES, MOST_QUERIES, MOST_SHOTS, MOST_WAYS, compute, nearest


@pytest.mark.parametrize("dimensions", [1, 400])
def test_every_example_is_its_own_nearest_neighbour(dimensions):
    support = np.random.default_rng(0).uniform(0, 1, (30, dimensions))
    np.testing.assert_array_equal(nearest(support, support), np.arange(30))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_control_adds_examples_to_those_there_were(family):
    few, many = compute(3, family, 2, 1, 1), compute(3, family, MOST_WAYS, MOST_SHOTS, MOST_QUERIES)
    if family == "glyphs":
        for small, large in zip(few["images"], many["images"], strict=True):
            np.testing.assert_array_equal(small, large[:2, :1])
        assert many["wrong"].shape == (MOST_WAYS, MOST_QUERIES)
    else:
        for name in ("support", "query"):
            np.testing.assert_array_equal(few[name].x, many[name].x[:1])


def test_crosses_stand_where_the_nearest_support_picture_has_another_label():
    numbers = compute(0, "glyphs", 5, 2, 3)
    support, query = numbers["images"]
    distance = np.linalg.norm(query[:, :, None, None] - support, axis=-1)  # (way, query, way, shot)
    np.testing.assert_array_equal(numbers["wrong"], distance.min(axis=-1).argmin(axis=-1) != np.arange(5)[:, None])


def test_ways_can_be_moved_only_where_there_are_classes():
    panel = PANELS["episode viewer"]()
    assert not panel.controls["ways"].disabled
    panel.controls["family"].value = "lines"
    assert panel.controls["ways"].disabled
    panel.reset.click()
    assert not panel.controls["ways"].disabled


@pytest.mark.parametrize("ways", [2, 5, MOST_WAYS])
@pytest.mark.parametrize("shots, queries", [(1, 1), (1, MOST_QUERIES), (MOST_SHOTS, 2), (MOST_SHOTS, MOST_QUERIES)])
def test_both_sets_fill_the_sheet_and_stay_on_it(ways, shots, queries):
    viewer = EpisodeViewer(compute(0, "glyphs", 5, 1, 5))
    viewer.update(compute(0, "glyphs", ways, shots, queries))
    right, bottom = viewer.sheet.get_xlim()[1], viewer.sheet.get_ylim()[0]
    rows, columns = ways, shots + 1 + queries
    assert rows <= bottom and columns <= right
    assert rows + 0.3 > bottom or columns + 0.3 > right
    head, renderer = viewer.heads[1], viewer.figure.canvas.get_renderer()
    assert head.get_window_extent(renderer).x1 < viewer.key.get_window_extent(renderer).x0
    assert head.get_window_extent(renderer).x0 > viewer.heads[0].get_window_extent(renderer).x1
