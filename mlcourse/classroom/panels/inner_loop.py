"""Panel "inner loop" (lesson 3): a line w x + b and the steps of its two parameters on one task's support loss."""

from typing import Any, NamedTuple

import numpy as np

from mlcourse import Data, DivergenceError, Linear, Polynomials, mean_squared_error, trajectory
from mlcourse.classroom.figures.inner_loop import LossSurface
from mlcourse.classroom.panels.panel import Panel, slider, whole

MODEL = Linear(1)
OBJECTIVE = mean_squared_error(MODEL)
TASKS = Polynomials(degree=1, scale=1.2, noise=0.4, x_range=(-1.5, 1.5))
THETA = np.zeros(2)
MOST_SHOTS = 10
GRID = np.linspace(-3.0, 3.0, 61)
ENDS = np.array([[-1.6], [1.6]])
FAR = 1e3  # well beyond the picture: a diverging path is shown up to here


class Numbers(NamedTuple):
    """What the panel shows.

    thetas (m + 1, 2) holds (w, b), lines (m + 1, 2) the predictions at the ends x; both stop where the path is far.
    """

    grid: Any
    surface: Any
    thetas: Any
    lowest: Any
    truth: Any
    x: Any
    lines: Any
    truth_line: Any
    support: Any
    query: Any
    losses: Any
    curvatures: Any
    kept: Any
    largest: float
    diverges: bool


def draw_task(rng):
    """One line with noise: ten points to take a support set from, twenty query points."""
    return TASKS.sample(rng, (), MOST_SHOTS, 20)


def curvatures(support):
    """The eigenvalues of the support loss's Hessian, steepest first: (2,)."""
    hessian = OBJECTIVE.hvp(THETA, support, np.eye(2))
    return np.maximum(np.linalg.eigvalsh(hessian)[::-1], 0)


def compute(task, alpha, steps, shots):
    """The path from THETA on the loss of the first `shots` support points, and what it does to both losses."""
    support = Data(task.support.x[:shots], task.support.y[:shots])
    try:
        thetas = trajectory(OBJECTIVE, THETA, support, alpha, steps)
    except DivergenceError as error:
        thetas = trajectory(OBJECTIVE, THETA, support, alpha, error.step - 1)
    thetas = thetas[: 1 + np.count_nonzero(np.abs(thetas).max(axis=1) < FAR)]
    w, b = np.meshgrid(GRID, GRID)
    surface = OBJECTIVE.value(np.stack([w, b], axis=-1), support)
    steepness = curvatures(support)
    ends = thetas[[0, -1]]
    losses = np.stack([OBJECTIVE.value(ends, support), OBJECTIVE.value(ends, task.query)])
    truth = task.tasks["coefficients"][::-1]
    features = np.hstack([support.x, np.ones_like(support.x)])
    return Numbers(
        grid=GRID,
        surface=surface,
        thetas=thetas,
        lowest=np.linalg.lstsq(features, support.y, rcond=None)[0][:, 0],
        truth=truth,
        x=ENDS[:, 0],
        lines=MODEL(thetas, ENDS)[..., 0],
        truth_line=MODEL(truth, ENDS)[..., 0],
        support=support,
        query=task.query,
        losses=losses,
        curvatures=steepness,
        kept=np.abs(1 - alpha * steepness),
        largest=float(2 / steepness[0]),
        diverges=bool(alpha * steepness[0] > 2),
    )


def caption(numbers):
    """One line for whoever watches the picture. How far α may go is said only beyond it: the lesson asks for it."""
    steep, flat = numbers.kept
    (support, support_after), (query, query_after) = numbers.losses
    words = f"One step keeps {steep:.2f} of the distance in the steepest direction and {flat:.2f} in the flattest"
    if numbers.diverges:
        return f"{words}: beyond α = {numbers.largest:.2f} the path leaves the valley."
    return f"{words}. Support loss {support:.2f} → {support_after:.2f}, query loss {query:.2f} → {query_after:.2f}."


def panel(seed=29):
    """The panel, opened on the task of this seed: one steep and one flat direction, along which noise has its way."""
    controls = {
        "alpha": slider("inner step size α", 0.01, 1.2, 0.1, 0.01),
        "steps": whole("inner steps m", 0, 30, 8),
        "shots": whole("support points K", 1, MOST_SHOTS, 5),
    }
    return Panel(
        draw_task=draw_task, compute=compute, drawing=LossSurface, controls=controls, caption=caption, seed=seed
    )
