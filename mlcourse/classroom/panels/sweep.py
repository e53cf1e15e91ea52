"""Panel "sweep" (lesson 8): alpha times m times seeds from a stored grid; choose alpha, and see what it is worth."""

from typing import Any, NamedTuple

import numpy as np

from mlcourse.classroom.figures.learned_alpha import Sweep
from mlcourse.classroom.panels.panel import Panel, choice, whole
from mlcourse.classroom.trained import step_sizes

MOST = 6.0  # a run that ends above this is drawn there, and counted as that


class Numbers(NamedTuple):
    """What the panel shows of one m and one length of training, on the validation tasks.

    alphas (A,); losses (A, S) of the seeds in hand, and diverged (A, S); mean, mean_of_all (A,), at most MOST
    choice     index of the alpha with the lowest mean; best  the one that all seeds together would choose
    test       loss on the test tasks of the chosen alpha, mean over all seeds; test_best  likewise of `best`
    passes     gradient passes a task that the seeds in hand cost, all alphas together
    """

    alphas: Any
    losses: Any
    diverged: Any
    mean: Any
    mean_of_all: Any
    choice: int
    best: int
    test: float
    test_best: float
    passes: int
    most: float


def compute(order, steps, iterations, seeds):
    """One slice of the stored grid: `seeds` of its seeds, in this order."""
    grid = np.minimum(step_sizes.load()["fixed"], MOST)
    losses = grid[:, step_sizes.STEPS.index(steps), :, step_sizes.ITERATIONS.index(iterations)]
    validation, test = losses[..., 0], losses[..., 1].mean(axis=1)
    own = validation[:, order[:seeds]]
    mean, mean_of_all = own.mean(axis=1), validation.mean(axis=1)
    chosen, best = int(mean.argmin()), int(mean_of_all.argmin())
    passes = len(own) * seeds * iterations * step_sizes.passes(steps)
    return Numbers(
        np.array(step_sizes.ALPHAS), own, own >= MOST, mean, mean_of_all, chosen, best,
        float(test[chosen]), float(test[best]), int(passes), MOST,
    )  # fmt: skip


def caption(numbers):
    """One line for whoever watches the picture."""
    count, chosen, best = numbers.losses.shape[1], numbers.alphas[numbers.choice], numbers.alphas[numbers.best]
    words = f"With {count} seed{'s' * (count != 1)} you choose α = {chosen:g}, for {numbers.passes} passes a task"
    if chosen == best:
        return f"{words}: the one that all seeds choose. On test tasks it has {numbers.test:.2f}."
    tested = f"{numbers.test:.2f} against {numbers.test_best:.2f}"
    return f"{words}. All seeds together choose {best:g}. On test tasks: {tested}."


def panel():
    """The panel; its button deals the seeds in another order."""
    return Panel(
        draw_task=lambda rng: rng.permutation(len(step_sizes.SEEDS)),
        compute=compute,
        drawing=Sweep,
        controls={
            "steps": choice("inner steps m", list(step_sizes.STEPS), 1),
            "iterations": choice("iterations of training", list(step_sizes.ITERATIONS), step_sizes.ITERATIONS[-1]),
            "seeds": whole("seeds", 1, len(step_sizes.SEEDS), 1),
        },
        caption=caption,
        another="Next seed",
    )
