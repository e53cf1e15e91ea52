"""Panel "task diversity" (lesson 10): which waves a start can adapt to, by the waves it was trained on."""

from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np

from mlcourse import Data, adapt, mean_squared_error
from mlcourse.classroom.figures.overfitting import Diversity
from mlcourse.classroom.panels.panel import Panel, choice, slider
from mlcourse.classroom.trained import ALPHA, MODEL, SINUSOIDS
from mlcourse.classroom.trained.diversity import NUMBERS, PHASES, SHOTS, load, waves

OBJECTIVE = mean_squared_error(MODEL)
X = np.linspace(-5, 5, 61)[:, None]
LOWEST, HIGHEST = 0.1, 10.0  # the ends of the colour scale
GRID = tuple(low + (high - low) * (np.arange(14) + 0.5) / 14 for low, high in (SINUSOIDS.phase, SINUSOIDS.amplitude))


class Numbers(NamedTuple):
    """The error on a grid of waves, the training waves, and one wave with its curves before and after the step."""

    grid: Any
    errors: Any
    phases: Any
    amplitudes: Any
    x: Any
    truth: Any
    start: Any
    adapted: Any
    support: Data
    phase: float
    amplitude: float
    error: float
    number: int
    spread: str


def draw_task(rng):
    """Five places at which every wave is seen."""
    return tuple(np.sort(rng.uniform(*SINUSOIDS.x_range, SHOTS)).tolist())


@cache
def _training(spread):
    """Phases and amplitudes of the training waves, all that are stored."""
    return waves(spread, max(NUMBERS)).tasks


def _after_a_step(theta, x, phase, amplitude):
    """Support sets and curves over X after the step, for waves with these phases and amplitudes (any shape)."""
    phase, amplitude = (np.asarray(each)[..., None, None] for each in (phase, amplitude))
    support = Data(np.broadcast_to(x, (*phase.shape[:-2], *x.shape)), amplitude * np.sin(x - phase))
    theta_prime = adapt(OBJECTIVE, theta, support, ALPHA, 1)
    grid = np.broadcast_to(X, (*phase.shape[:-2], *X.shape))
    truth = amplitude * np.sin(X - phase)
    return support, truth[..., 0], MODEL(theta_prime, grid)[..., 0]


@lru_cache(maxsize=16)
def _on_the_family(task, number, spread):
    """The error of a start on each wave of GRID after a step, which a move of the star does not change."""
    phases, amplitudes = np.meshgrid(*GRID)
    x = np.array(task)[:, None]
    _, truths, curves = _after_a_step(load()[spread, number], x, phases.ravel(), amplitudes.ravel())
    return np.clip(np.mean((curves - truths) ** 2, axis=1).reshape(phases.shape), LOWEST, HIGHEST)


def compute(task, number, spread, phase, amplitude):
    """The start trained on `number` waves of the phases `spread`, on the whole family and on one wave."""
    theta, training = load()[spread, number], _training(spread)
    support, truth, adapted = _after_a_step(theta, np.array(task)[:, None], phase, amplitude)
    return Numbers(
        GRID, _on_the_family(task, number, spread), training["phase"][:number], training["amplitude"][:number],
        X, truth, MODEL(theta, X)[:, 0], adapted, support, phase, amplitude,
        float(np.mean((adapted - truth) ** 2)), number, spread,
    )  # fmt: skip


def caption(numbers):
    """One line for whoever watches the picture."""
    share = np.mean(numbers.errors < 1)
    return (
        f"{numbers.number} training waves of {numbers.spread}: the error is below 1 on {share:.0%} of the family, "
        f"and {numbers.error:.2f} on the wave at the star."
    )


def panel():
    """Controls for the training waves, their number and their phases, and for the wave that is looked at."""
    return Panel(
        draw_task=draw_task,
        compute=compute,
        drawing=Diversity,
        controls={
            "number": choice("training waves N", NUMBERS, NUMBERS[1]),
            "spread": choice("training waves from", tuple(PHASES), next(iter(PHASES))),
            "phase": slider("phase φ of the star", 0, 3.1, 2.5, 0.1),
            "amplitude": slider("amplitude A of the star", 0.2, 5, 3.0, 0.1),
        },
        caption=caption,
    )
