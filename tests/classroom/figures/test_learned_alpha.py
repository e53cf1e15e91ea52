"""What lesson 8's figures show of losses that leave the finite numbers, and of the end of a path."""

import numpy as np

from mlcourse.classroom.figures import learned_alpha


def texts(figure):
    (axes,) = figure.axes
    return [text.get_text() for text in axes.texts]


def test_a_curve_that_leaves_the_figure_says_so_and_the_others_do_not():
    curves = {"tame": np.array([3.0, 1.0, 0.9]), "wild": np.array([3.0, 0.6, np.inf])}
    figure = learned_alpha.by_steps(curves, most=10)
    assert "wild: beyond 10" in texts(figure) and not any("tame" in text for text in texts(figure))
    assert figure.png().startswith(b"\x89PNG")


def test_the_end_of_the_path_is_named_with_both_numbers():
    grid = np.linspace(0, 1, 5)
    path = np.array([[0.5, 0.2], [0.75, 0.25]])
    figure = learned_alpha.theta_and_alpha(grid, grid, np.ones((5, 5)), path, fixed=(0.4, 0.2))
    named = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert "end: θ = 0.75, α = 0.25" in named


def test_each_layer_has_a_curve_and_a_median():
    own, layer_of = np.full(9, 0.01), np.repeat(range(3), 3)
    figure = learned_alpha.step_sizes(range(4), np.full((4, 3), 0.01), own, layer_of, begin=0.01)
    left, right = figure.axes
    assert len(left.lines) == 4 and len(right.lines) == 2 * 3 + 1
