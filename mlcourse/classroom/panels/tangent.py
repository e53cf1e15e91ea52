"""Panel "tangent" (lesson 4): the loss after one inner step as a curve in theta, its exact slope and FOMAML's."""

from typing import Any, NamedTuple

import numpy as np

from mlcourse import Data, Episode, adapt, fomaml, maml
from mlcourse.classroom.figures.meta_gradient import Tangent
from mlcourse.classroom.panels.panel import Panel, slider

GRID = np.linspace(-1.0, 5.0, 241)
ALPHAS = np.linspace(0.0, 1.2, 31)


class Wavy:
    """L(theta) = (theta - centre)^2 + sin(theta), the lesson's scalar loss; the centre is the data's y."""

    def value(self, theta, data):
        theta, centre = np.asarray(theta)[..., 0], np.asarray(data.y)[..., 0, 0]
        return (theta - centre) ** 2 + np.sin(theta)

    def grad(self, theta, data):
        return 2 * (theta - np.asarray(data.y)[..., 0]) + np.cos(theta)

    def hvp(self, theta, data, v):
        return (2 - np.sin(theta)) * v


OBJECTIVE = Wavy()


class Numbers(NamedTuple):
    """The curve over GRID; at theta the loss after one step and both slopes; the slopes by alpha."""

    grid: Any
    curve: Any
    alphas: Any
    exact_by_alpha: Any
    first_by_alpha: Any
    theta: float
    alpha: float
    after: float
    exact: float
    first_order: float
    flip: float


def scalar_episode(support, query):
    """One task whose support and query loss have their bowls at `support` and `query`."""
    return Episode(*(Data(np.zeros((1, 1)), np.full((1, 1), float(centre))) for centre in (support, query)), {})


def draw_task(rng):
    """A support bowl near 2 and a query bowl well to its right, so that past the flip there is still a slope to see."""
    centre = rng.uniform(1.6, 2.1)
    return scalar_episode(centre, centre + rng.uniform(1.7, 2.2))


def slopes(task, theta, alpha):
    """The exact and the first-order derivative of the query loss after one step."""
    at = np.array([theta])
    return (float(method(OBJECTIVE, at, task, alpha, 1).theta[0]) for method in (maml, fomaml))


def compute(task, alpha, theta):
    """The curve, both slopes at theta, and how they change with alpha."""
    thetas = np.append(GRID, theta)[:, None]
    after = OBJECTIVE.value(adapt(OBJECTIVE, thetas, task.support, alpha, 1), task.query)
    by_alpha = np.array([list(slopes(task, theta, each)) for each in ALPHAS])
    exact, first_order = slopes(task, theta, alpha)
    curvature = float(OBJECTIVE.hvp(np.array([theta]), task.support, np.ones(1))[0])
    return Numbers(
        GRID, after[:-1], ALPHAS, *by_alpha.T, theta, alpha, float(after[-1]), exact, first_order, 1 / curvature
    )


def caption(numbers):
    """One line for whoever watches the picture."""
    slopes = f"exact slope {numbers.exact:.2f}, FOMAML's {numbers.first_order:.2f}"
    flip = f"1 / L_s″(θ) = {numbers.flip:.2f}"
    if abs(numbers.first_order) < 0.02:
        return f"θ′ stands at the bottom of the query loss: both slopes are nearly zero ({slopes})."
    if abs(numbers.exact) < 0.02:
        return f"α = {numbers.alpha:.2f} is at {flip}: θ′ does not follow θ, and FOMAML moves all the same ({slopes})."
    if numbers.exact * numbers.first_order < 0:
        return f"α = {numbers.alpha:.2f} is beyond {flip}: FOMAML points the wrong way ({slopes})."
    ratio = numbers.exact / numbers.first_order
    return f"α = {numbers.alpha:.2f}, below {flip}: same direction, exact = {ratio:.2f} × FOMAML ({slopes})."


def panel():
    """Two controls, alpha and theta; a new task moves both bowls."""
    return Panel(
        draw_task=draw_task,
        compute=compute,
        drawing=Tangent,
        controls={
            "alpha": slider("inner step size α", 0.0, 1.2, 0.2, 0.01),
            "theta": slider("start θ", 0.0, 3.2, 0.8, 0.05),
        },
        caption=caption,
    )
