"""Panel "test bed" (lesson 5): two quadratic tasks, and the theta that each method wants as the inner loop changes.

Where the tasks' optima lie only shifts and scales the picture, so they stay at 2 and 0: there is no other task to draw.
"""

from typing import Any, NamedTuple

import numpy as np

from mlcourse import Linear, Quadratics, adapt, mean_squared_error
from mlcourse.classroom.figures.geometry import TestBed
from mlcourse.classroom.panels.panel import Panel, slider, whole

OBJECTIVE = mean_squared_error(Linear(1, bias=False))
CENTRES = (2.0, 0.0)
GRID = np.linspace(-1.0, 4.0, 161)


class Start(NamedTuple):
    """Where a method puts theta, and the loss after adaptation there; both None where it has no optimum: see `fate`."""

    theta: Any
    loss: Any
    shares: Any
    fate: str


class Numbers(NamedTuple):
    """What the panel shows; `left` is the share of its distance that each task keeps after the inner loop."""

    grid: Any
    centres: Any
    before: Any
    after: Any
    left: Any
    warning: str
    starts: dict


def compute(_, alpha, steps, first, second):
    """Losses over theta, and each method's optimum, for curvatures `first` and `second`."""
    alpha = round(alpha, 2)
    bed = Quadratics([first, second], CENTRES)
    support, query, _ = bed.sample(np.random.default_rng(0), 2, 1, 1)

    def loss(theta, steps):
        theta_prime = adapt(OBJECTIVE, np.reshape(theta, (-1, 1, 1)), support, alpha, steps)
        return OBJECTIVE.value(theta_prime, query).mean(axis=-1)

    optima, weights = bed.optima(alpha, steps), bed.weights(alpha, steps)
    thetas = np.array(list(optima.values()))
    exists = np.isfinite(thetas)
    after = loss(np.append(GRID, np.where(exists, thetas, 0)), steps)
    starts = {
        name: _start(theta, ends, weights[name])
        for name, theta, ends in zip(optima, thetas, after[len(GRID) :], strict=True)
    }
    covered = alpha * bed.curvatures
    return Numbers(GRID, CENTRES, loss(GRID, 0), after[: len(GRID)], (1 - covered) ** steps, _warning(covered), starts)


def _start(theta, loss, weights):
    total = np.abs(weights).sum()
    shares = weights / total if total else np.zeros(2)
    if np.isfinite(theta):
        return Start(float(theta), float(loss), shares, "")
    return Start(None, None, shares, "runs away" if total else "any θ will do")


def _warning(covered):
    if np.max(covered) > 2:
        return " · diverges"
    return " · overshoots" if np.max(covered) > 1 else ""


def caption(numbers):
    """One line for whoever watches the picture."""
    maml, fomaml = numbers.starts["MAML"], numbers.starts["FOMAML"]
    if numbers.warning == " · diverges":
        return (
            "αh is beyond 2: each step throws a task further off, and the best MAML can do is to start near that task."
        )
    if maml.theta is None:
        return "One step finishes both tasks from anywhere: after it, no initialisation is better than another."
    words = f"MAML's θ = {maml.theta:.2f} ends at loss {maml.loss:.3g}"
    if fomaml.theta is None:
        return f"{words}. FOMAML's weights no longer add up to more than 0: it runs away from both tasks."
    if np.min(fomaml.shares) < 0:
        return (
            f"{words}. FOMAML's weight of one task is negative, so its θ = {fomaml.theta:.2f} lies beyond both optima."
        )
    joint = numbers.starts["joint training"]
    return (
        f"{words}, joint training's θ = {joint.theta:.2f} at {joint.loss:.3g}: watch which task each one stands near."
    )


def panel():
    """The panel; its tasks do not change, so it has no button for another."""
    controls = {
        "alpha": slider("inner step size α", 0.01, 0.6, 0.2, 0.01),
        "steps": whole("inner steps m", 1, 5, 1),
        "first": slider("curvature of task 1", 0.5, 6.0, 1.0, 0.5),
        "second": slider("curvature of task 2", 0.5, 6.0, 4.0, 0.5),
    }
    return Panel(draw_task=None, compute=compute, drawing=TestBed, controls=controls, caption=caption)
