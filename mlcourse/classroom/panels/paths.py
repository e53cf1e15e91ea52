"""Panel "paths" (lesson 7): theta under each method, on two quadratic tasks in a plane with unequal curvatures."""

from typing import Any, NamedTuple

import numpy as np

from mlcourse import Data, Episode, Linear, adapt, mean_squared_error
from mlcourse.classroom.figures.first_order import Paths
from mlcourse.classroom.panels.panel import Panel, slider, whole

OBJECTIVE = mean_squared_error(Linear(2, bias=False))
CURVATURES = np.array([[4.0, 0.5], [0.5, 4.0]])  # of each task along each axis
OUTER_STEPS = 30


class Numbers(NamedTuple):
    """Task optima (2, 2); by method the path (N + 1, 2), its end (2,) and the loss after adaptation (N + 1,)."""

    centres: Any
    paths: dict
    optima: dict
    losses: dict
    alpha: float
    steps: int


def bowls(centres):
    """Two tasks 1/2 sum_j a_j (theta_j - c_j)^2 as examples of a linear model: x = diag(sqrt(a)), y = x c."""
    x = np.sqrt(CURVATURES)[:, :, None] * np.eye(2)
    data = Data(x, x @ centres[:, :, None])
    return Episode(data, data, {})


def draw_task(rng):
    """The start; the bowls stay where they are."""
    return rng.uniform(-2.6, 2.6, 2)


CENTRES = np.array([[-1.5, 1.0], [1.0, -1.5]])
EPISODE = bowls(CENTRES)


def weights(alpha, steps):
    """What each method keeps of a task, by axis: its direction at theta is the mean of weights * (theta - c)."""
    left = (1 - alpha * CURVATURES) ** steps
    return {
        "joint training": CURVATURES,
        "Reptile": 1 - left,
        "FOMAML": CURVATURES * left,
        "MAML": CURVATURES * left**2,
    }


def compute(start, alpha, steps, beta):
    """OUTER_STEPS of each method from one start, in closed form (the tests hold it equal to mlcourse's methods)."""
    paths, optima, losses = {}, {}, {}
    for name, kept in weights(alpha, steps).items():
        optima[name] = (kept * CENTRES).sum(axis=0) / kept.sum(axis=0)
        # Reptile's direction is about alpha m gradients long: a longer outer step makes up for it
        scale = beta / (alpha * steps) if name == "Reptile" else beta
        shrink = 1 - scale * kept.mean(axis=0)
        paths[name] = optima[name] + shrink ** np.arange(OUTER_STEPS + 1)[:, None] * (start - optima[name])
        adapted = adapt(OBJECTIVE, paths[name][:, None, :], EPISODE.support, alpha, steps)
        losses[name] = OBJECTIVE.value(adapted, EPISODE.query).mean(axis=-1)
    return Numbers(CENTRES, paths, optima, losses, alpha, steps)


def caption(numbers):
    """One line for whoever watches the picture."""
    ends = {name: losses[-1] for name, losses in numbers.losses.items()}
    words = ", ".join(f"{name} {loss:.2f}" for name, loss in sorted(ends.items(), key=lambda pair: pair[1]))
    steps = f"{numbers.steps} inner step{'s' * (numbers.steps != 1)}"
    return f"α = {numbers.alpha:.2f}, {steps}: loss after adaptation at the end: {words}."


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
