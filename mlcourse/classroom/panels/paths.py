"""Panel "paths" (lesson 7): theta under each method, on two quadratic tasks in a plane with unequal curvatures."""

from typing import Any, NamedTuple

import numpy as np

from mlcourse import Data, Episode, Linear, adapt, mean_squared_error
from mlcourse.classroom.figures.first_order import Paths
from mlcourse.classroom.panels.panel import Panel, slider, whole

OBJECTIVE = mean_squared_error(Linear(2, bias=False))
CURVATURES = np.array([[4.0, 0.5], [0.5, 4.0]])  # of each task along each axis
THETA_STAR = np.array([[-1.5, 1.0], [1.0, -1.5]])
OUTER_STEPS = 100


class Numbers(NamedTuple):
    """Task optima (2, 2); by method the path (N + 1, 2), the loss after adaptation along it (N + 1,), the closed-form
    end (2,), the loss there, and the share of the way to it that is left after N outer steps."""

    theta_star: Any
    paths: dict
    losses: dict
    ends: dict
    end_losses: dict
    left: dict
    alpha: float
    steps: int


def bowls(theta_star):
    """Two tasks 1/2 sum_j h_j (theta_j - theta*_j)^2 as examples of a linear model: x = diag(sqrt(h)), y = x theta*."""
    x = np.sqrt(CURVATURES)[:, :, None] * np.eye(2)
    data = Data(x, x @ theta_star[:, :, None])
    return Episode(data, data, {})


def draw_task(rng):
    """The start; the bowls stay where they are."""
    return rng.uniform(-2.6, 2.6, 2)


EPISODE = bowls(THETA_STAR)


def weights(alpha, steps):
    """How much each method listens to a task, by axis: its direction is the mean of weights * (theta - theta*)."""
    left = (1 - alpha * CURVATURES) ** steps
    return {
        "joint training": CURVATURES,
        "Reptile": 1 - left,
        "FOMAML": CURVATURES * left,
        "MAML": CURVATURES * left**2,
    }


def after_adaptation(theta, alpha, steps):
    """The mean query loss of the two tasks after inner steps from theta (..., 2): (...)."""
    adapted = adapt(OBJECTIVE, theta[..., None, :], EPISODE.support, alpha, steps)
    return OBJECTIVE.value(adapted, EPISODE.query).mean(axis=-1)


def compute(start, alpha, steps, beta):
    """OUTER_STEPS of each method from one start, in closed form (the tests hold it equal to mlcourse's methods)."""
    paths, losses, ends, end_losses, left = {}, {}, {}, {}, {}
    for name, kept in weights(alpha, steps).items():
        ends[name] = (kept * THETA_STAR).sum(axis=0) / kept.sum(axis=0)
        # Reptile's direction is about alpha m gradients long: a longer outer step makes up for it
        scale = beta / (alpha * steps) if name == "Reptile" else beta
        shrink = (1 - scale * kept.mean(axis=0)) ** np.arange(OUTER_STEPS + 1)[:, None]
        paths[name] = ends[name] + shrink * (start - ends[name])
        losses[name] = after_adaptation(paths[name], alpha, steps)
        end_losses[name] = float(after_adaptation(ends[name], alpha, steps))
        left[name] = float(np.max(np.abs(shrink[-1])))
    return Numbers(THETA_STAR, paths, losses, ends, end_losses, left, alpha, steps)


def caption(numbers):
    """One line for whoever watches the picture."""
    words = ", ".join(
        f"{name} {loss:.3g}" for name, loss in sorted(numbers.end_losses.items(), key=lambda pair: pair[1])
    )
    steps = f"{numbers.steps} inner step{'s' * (numbers.steps != 1)}"
    late = [f"{name} ({left:.0%} of the way left)" for name, left in numbers.left.items() if left >= 0.01]
    way = f" Not there after {OUTER_STEPS} outer steps: {', '.join(late)}." if late else ""
    return f"α = {numbers.alpha:.2f}, {steps}. Loss after adaptation at the marks: {words}.{way}"


def panel():
    """Controls for the inner and the outer loop; a new task is another start."""
    return Panel(
        draw_task=draw_task,
        compute=compute,
        drawing=Paths,
        controls={
            "alpha": slider("inner step size α", 0.01, 0.24, 0.18, 0.01),
            "steps": whole("inner steps m", 1, 5, 1),
            "beta": slider("outer step size β", 0.05, 0.4, 0.3, 0.05),
        },
        caption=caption,
    )
