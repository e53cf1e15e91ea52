"""Meta-testing: theta is frozen, new tasks are drawn, each is adapted to and judged on its query set."""

from typing import Any, NamedTuple

import numpy as np

from mlcourse.checks import DivergenceError, at_least
from mlcourse.executors import run_all
from mlcourse.inner import adapt, descend
from mlcourse.objectives import for_each_task, place
from mlcourse.tasks import Data


class Report(NamedTuple):
    """Query loss on held-out tasks after 0, 1, … m inner steps.

    mean        (m + 1,)     mean over tasks
    half_width  (m + 1,)     half the width of the 95 % confidence interval of that mean, over tasks
    losses      (m + 1, T)   each task's own
    """

    mean: Any
    half_width: Any
    losses: Any

    def __str__(self):
        rows = (
            f"after {step} step{'s' * (step != 1)}: {mean:.2f} ± {half:.2f}"
            for step, (mean, half) in enumerate(zip(self.mean, self.half_width, strict=True))
        )
        return "\n".join(rows)


def confidence_interval(losses):
    """Mean and 95 % half-width over the last axis, 1.96 s / sqrt(T): one independent draw is one task.

    losses (..., T), T >= 2. Points of one task share its fate, so counting points instead of tasks makes the
    interval too narrow.
    """
    losses = np.asarray(losses)
    if losses.shape[-1] < 2:
        raise ValueError(f"tasks must be at least 2 for a confidence interval, got {losses.shape[-1]}")
    return losses.mean(axis=-1), 1.96 * losses.std(axis=-1, ddof=1) / np.sqrt(losses.shape[-1])


def report(losses):
    """The Report of losses (m + 1, T), or of (T,) for a learner that takes no steps."""
    losses = np.atleast_2d(losses)
    return Report(*confidence_interval(losses), losses)


def evaluate_episode(objective, theta, episode, alpha, steps):
    """The Report of one theta on one batch of tasks; theta (P,) is left unchanged.

    Raises DivergenceError when a theta_i, or a task's loss at it, leaves the finite numbers.
    """
    path = descend(place(objective, theta, episode.support), alpha, steps)
    thetas = (for_each_task(here.theta, np.shape(episode.support.x)[:-2]) for here in path)
    with np.errstate(over="ignore", invalid="ignore"):
        losses = np.stack([objective.value(theta_i, episode.query) for theta_i in thetas])
        spread = np.isfinite(losses**2)
    if not np.all(spread):  # theta is still finite where the loss, or its square in the interval, is not any more
        step = int(np.argmin(spread.all(axis=1)))
        raise DivergenceError(step, np.flatnonzero(~spread[step]), alpha)
    return report(losses)


def meta_test(objective, distribution, theta, rng, *, alpha, steps, tasks, shots, queries):
    """Query loss of theta on fresh tasks after 0 … steps inner steps, with a 95 % confidence interval over tasks.

    alpha, steps    the inner loop at test time; it need not be the one of training
    tasks           how many held-out tasks, at least 2
    shots, queries  K and Q of each
    -> Report. Raises DivergenceError when adaptation does.
    """
    episode = distribution.sample(rng, at_least("tasks", tasks, 2), shots, queries)
    return evaluate_episode(objective, theta, episode, alpha, steps)


def compare(objective, distribution, starts, rng, *, alpha, steps, tasks, shots, queries):
    """Several starting points on the same held-out tasks: name -> Report.

    starts  name -> theta (P,), e.g. {"random start": model.init(rng), "joint training": …, "MAML": …};
            a jointly trained theta after 0 steps is joint training, after m steps it is fine-tuning
    The row "oracle" is added for a distribution that has one: a learner who was told the family, no steps.
    """
    episode = distribution.sample(rng, at_least("tasks", tasks, 2), shots, queries)
    reports = {name: evaluate_episode(objective, theta, episode, alpha, steps) for name, theta in starts.items()}
    if hasattr(distribution, "oracle"):
        predictions = distribution.oracle(episode.support, episode.query.x)
        reports["oracle"] = report(np.mean((predictions - episode.query.y) ** 2, axis=(-2, -1)))
    return reports


def sweep(objective, theta, episode, alphas, steps, limit=1e6, *, executor=None, progress=None):
    """Query loss of one theta for several inner step sizes after 0 … steps steps: (A, m + 1, T).

    alphas  A step sizes, each a scalar or (P,)
    limit   a task whose loss passes it has diverged: infinite from there on, while the other tasks go on
    executor, progress  a job is one alpha: see `run_all`; the losses are the same wherever they are computed
    """
    at_least("steps", steps, 0)
    jobs = [(objective, theta, episode, alpha, steps, limit) for alpha in alphas]
    losses = run_all(_losses_after, jobs, executor, progress=progress)
    return np.reshape(losses, (len(jobs), steps + 1, len(episode.support.x)))


def _losses_after(objective, theta, episode, alpha, steps, limit):
    """Query loss after 0 … steps steps of one alpha: (m + 1, T)."""
    losses = np.full((steps + 1, len(episode.support.x)), np.inf)
    theta_i, going = theta, np.arange(losses.shape[-1])
    for step in range(steps + 1):
        support, query = (Data(data.x[going], data.y[going]) for data in (episode.support, episode.query))
        theta_i = adapt(objective, theta_i, support, alpha, steps=min(step, 1))
        loss = objective.value(theta_i, query)
        going, theta_i, loss = (rows[loss < limit] for rows in (going, theta_i, loss))
        losses[step, going] = loss
        if not going.size:
            break
    return losses
