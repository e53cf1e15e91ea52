"""Panel "relatedness": from identical tasks to unrelated ones, and who learns best on the way."""

import numpy as np

from mlcourse import Data, Lines
from mlcourse.classroom.figures.distributions import Relatedness
from mlcourse.classroom.panels.panel import Panel, slider, whole

MEAN, TASKS, MOST_POINTS, WIDEST = 1.0, 400, 20, 4.0
SHOWN = 25
SQUARE = 1 / 3  # E[x^2] for x uniform on (-1, 1)


def best_trust(tau, variance):
    """c of theta' = (1 - c) theta + c * own slope with the least expected loss: tau^2 / (tau^2 + variance)."""
    return tau**2 / (tau**2 + variance)


def compute(task, tau, noise, shots):
    """Slopes and losses at one setting of the dial.

    task   seed of the tasks; the same seed keeps tasks, inputs and noise while tau, noise and shots move
    tau    spread of the slopes; noise > 0 standard deviation of a point; shots K >= 3
    """
    episode = Lines(MEAN, tau, noise).sample(np.random.default_rng(task), TASKS, MOST_POINTS, 1)
    x, y = episode.support.x[:, :shots], episode.support.y[:, :shots]
    squares = np.sum(x**2, axis=(-2, -1))
    own = np.sum(x[0] * y[0]) / squares[0]
    variance = noise**2 * np.mean(1 / squares)  # of a slope that is learned alone
    spreads = np.linspace(0, WIDEST, 121)
    trust = best_trust(tau, variance)
    return {
        "slopes": episode.tasks["slope"][:SHOWN],
        "support": Data(x[0], y[0]),
        "fits": {"alone": own, "shared": MEAN, "meta-learner": (1 - trust) * MEAN + trust * own},
        "spreads": spreads,
        "curves": _shares(spreads, variance),
        "shares": _shares(tau, variance),
        "losses": {name: share * variance * SQUARE for name, share in _shares(tau, variance).items()},
        "tau": tau,
        "noise": noise,
        "shots": shots,
        "trust": trust,
        "regime": _regime(trust),
    }


def _shares(tau, variance):
    """Expected loss of each learner as a share of learning alone."""
    return {
        "alone": 1.0 + 0.0 * tau,
        "shared": tau**2 / variance,
        "meta-learner": best_trust(tau, variance),
    }


def _regime(trust):
    if trust < 0.1:
        return "sharing suffices"
    return "meta-learning pays" if trust <= 0.9 else "little transfers"


def _caption(numbers):
    losses = ", ".join(f"{name} {loss:.3f}" for name, loss in numbers["losses"].items())
    return (
        f"τ = {numbers['tau']:.2f}, σ = {numbers['noise']:.1f}, {numbers['shots']} points: "
        f"the meta-learner trusts the task's own points {100 * numbers['trust']:.0f} %. Expected loss: {losses}."
    )


def panel(seed=0, tau=0.9, noise=1.0, shots=5):
    """The panel, with the dial at tau."""
    return Panel(
        draw_task=lambda rng: int(rng.integers(2**32)),
        compute=compute,
        drawing=Relatedness,
        controls={
            "tau": slider("spread of the slopes τ", 0, WIDEST, tau, 0.05),
            "noise": slider("noise σ", 0.1, 3, noise, 0.1),
            "shots": whole("points a task K", 3, MOST_POINTS, shots),
        },
        caption=_caption,
        seed=seed,
    )
