"""The figures of lesson 9 show the numbers that they are given."""

import numpy as np

from mlcourse.classroom.figures import few_shot as figures


def test_every_query_stands_on_the_map_as_its_own_class():
    rng, grid = np.random.default_rng(0), np.linspace(-3, 3, 20)
    prototypes, queries, labels = rng.normal(size=(3, 2)), rng.normal(size=(9, 2)), np.repeat([2, 0, 1], 3)
    classes = np.sum((np.stack(np.meshgrid(grid, grid), axis=-1)[..., None, :] - prototypes) ** 2, axis=-1).argmin(-1)
    (axes,) = figures.linear_map(grid, classes, prototypes, prototypes, queries, labels).axes
    for label in range(3):
        line = next(line for line in axes.lines if line.get_marker() == f"${label}$")
        assert np.array_equal(np.stack(line.get_data(), axis=1), queries[labels == label])


def test_the_support_lies_above_the_star_that_it_may_be_under():
    grid, prototypes = np.linspace(-3, 3, 20), np.array([[-1.0, 0], [1, 0]])
    classes = (np.meshgrid(grid, grid)[0] > 0).astype(int)
    (axes,) = figures.linear_map(grid, classes, prototypes, prototypes, prototypes, np.arange(2)).axes
    markers = [line.get_marker() for line in axes.lines]
    assert markers.index("*") < markers.index("o")
