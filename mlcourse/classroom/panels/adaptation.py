"""Panel "adaptation" (lesson 6): a new wave, K of its points and m inner steps, from a MAML start and a joint one."""

from typing import Any, NamedTuple

import numpy as np

from mlcourse import Data, adapt, mean_squared_error
from mlcourse.classroom.figures.maml import Adaptation
from mlcourse.classroom.panels.panel import Panel, whole
from mlcourse.classroom.trained import ALPHA, MODEL, SINUSOIDS, load

OBJECTIVE = mean_squared_error(MODEL)
X = np.linspace(-5, 5, 161)[:, None]
MOST_SHOTS, MOST_STEPS = 20, 10
FAR = 1e3  # a loss beyond this has diverged: the path stands still there


class Numbers(NamedTuple):
    """The wave on the grid x; the curves (11, N) and losses (11,) of both starts by steps; what the controls say."""

    x: Any
    truth: Any
    support: Any
    curves: dict
    losses: dict
    steps: int
    shots: int
    diverged: dict


def draw_task(rng):
    """One wave with twenty points of which the first K are shown."""
    return SINUSOIDS.sample(rng, (), MOST_SHOTS, 1)


def _path(theta, support, whole_wave):
    """Curves and losses after 0 … MOST_STEPS steps, and the step at which the loss left every bound (None: never)."""
    curves, losses, diverged = [], [], None
    for step in range(MOST_STEPS + 1):
        if step and diverged is None:
            following = adapt(OBJECTIVE, theta, support, ALPHA, 1)
            if OBJECTIVE.value(following, whole_wave) > FAR:
                diverged = step
            else:
                theta = following
        curves.append(MODEL(theta, X)[:, 0])
        losses.append(float(OBJECTIVE.value(theta, whole_wave)))
    return np.array(curves), np.array(losses), diverged


def compute(task, shots, steps):
    """Both starts on the first `shots` points."""
    truth = task.tasks["amplitude"] * np.sin(X - task.tasks["phase"])
    support = Data(task.support.x[:shots], task.support.y[:shots])
    paths = {
        name: _path(load(stored), support, Data(X, truth))
        for name, stored in {"MAML": "maml_10_shot", "joint training": "joint"}.items()
    }
    curves, losses, diverged = ({name: path[i] for name, path in paths.items()} for i in range(3))
    return Numbers(X, truth[:, 0], support, curves, losses, steps, shots, diverged)


def caption(numbers):
    """One line for whoever watches the picture."""
    maml, joint = (numbers.losses[name][numbers.steps] for name in ("MAML", "joint training"))
    words = f"{numbers.shots} point{'s' * (numbers.shots != 1)}, {numbers.steps} step{'s' * (numbers.steps != 1)}"
    late = numbers.diverged["MAML"]
    if late is not None and numbers.steps >= late:
        return f"{words}: MAML's inner loop diverges at step {late} on these points. It was trained for one step."
    if numbers.steps == 0:
        return f"{words}: before adaptation MAML {maml:.2f}, joint {joint:.2f}. Neither knows the wave yet."
    return f"{words}: error on the whole wave MAML {maml:.2f}, joint {joint:.2f}. Look where there are no points."


def panel():
    """Controls for the number of points and of steps; a new task is another wave."""
    return Panel(
        draw_task=draw_task,
        compute=compute,
        drawing=Adaptation,
        controls={
            "shots": whole("support points K", 1, MOST_SHOTS, 5),
            "steps": whole("inner steps m", 0, MOST_STEPS, 1),
        },
        caption=caption,
        seed=5,  # a wave whose first five points leave its right half empty, and which MAML hits there all the same
    )
