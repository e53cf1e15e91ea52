"""Panel "attention" (lesson 13): a layer of linear attention beside the gradient step that it is."""

import numpy as np

from mlcourse import Data, Linear, adapt, mean_squared_error
from mlcourse.classroom.figures.where_it_fits import InContext
from mlcourse.classroom.panels.panel import Panel, slider, whole

MOST = 8  # examples in a context
MODEL = Linear(1, bias=False)
OBJECTIVE = mean_squared_error(MODEL)


def draw_task(rng):
    """A context of MOST noisy points of a line through 0."""
    slope = rng.uniform(0.8, 2) * rng.choice([-1, 1])
    x = rng.uniform(0.4, 2, MOST) * rng.choice([-1, 1], MOST)
    return Data(x[:, None], (slope * x + 0.4 * rng.normal(size=MOST))[:, None])


def compute(task, alpha, shots, moved, query):
    """What attention to the first `shots` examples adds up to at x = query, and w after one step on them from 0.

    moved  is added to the y of the first example
    parts  (MOST,) what each example gives to the prediction; 0 for those that are not in the context
    """
    x, y = task.x[:shots], task.y[:shots].copy()
    y[0] += moved
    parts = np.zeros(MOST)
    parts[:shots] = 2 * alpha / shots * y[:, 0] * (x[:, 0] * query)
    w = adapt(OBJECTIVE, np.zeros(1), Data(x, y), alpha, 1)[0]
    return {
        "context": Data(x, y),
        "query": query,
        "parts": parts,
        "prediction": float(parts.sum()),
        "w": float(w),
        "fitted": float(np.sum(x * y) / np.sum(x**2)),
    }


def caption(numbers):
    """One line for whoever watches the picture."""
    shots, at_query = len(numbers["context"].x), numbers["w"] * numbers["query"]
    return (
        f"Attention: {shots} parts add up to {numbers['prediction']:.3f}. One gradient step from 0 ends at "
        f"w = {numbers['w']:.3f}, and w · {numbers['query']:.1f} = {at_query:.3f}."
    )


def panel(seed=0):
    """The panel; it opens on five examples and a step of 0.2."""
    controls = {
        "alpha": slider("inner step size α", 0.0, 0.8, 0.2, 0.02),
        "shots": whole("context K", 1, MOST, 5, "examples"),
        "moved": slider("move the first example's y by", -4.0, 4.0, 0.0, 0.1),
        "query": slider("query x", -2.0, 2.0, 1.5, 0.1),
    }
    return Panel(draw_task=draw_task, compute=compute, drawing=InContext, controls=controls, caption=caption, seed=seed)
