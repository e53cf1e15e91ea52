"""Meta-gradients: how the loss after adaptation changes with what adaptation starts from.

A meta-method is a function (objective, theta, episode, alpha, steps) -> MetaGradient. It needs nothing of the
objective but value, grad and hvp, so one method can be swapped for another, and one model for another.
"""

from functools import wraps
from itertools import pairwise
from math import prod
from typing import Any, NamedTuple

import numpy as np

from mlcourse.checks import DivergenceError
from mlcourse.inner import adapt, descend
from mlcourse.objectives import place
from mlcourse.tasks import Data, Episode


class MetaGradient(NamedTuple):
    """What one batch of tasks says, averaged over its tasks.

    loss   number   the mean loss that the method reports
    theta  (P,)     gradient in theta
    alpha  as alpha gradient in alpha, None for methods that have none
    """

    loss: float
    theta: Any
    alpha: Any


def mean_over_tasks(values, axes=1):
    """Mean over all leading axes of (..., P) -> (P,); with axes=0 of (...) -> one number."""
    rows = np.reshape(values, (-1, *np.shape(values)[np.ndim(values) - axes :]))
    return rows.sum(axis=0) * (1 / len(rows))  # P divisions would take three times as long as the sum


def mean_gradient(losses, in_theta, in_alpha=None, alpha=None):
    """The average MetaGradient of each task's loss (...), gradient in theta (..., P) and, if it has one, in alpha."""
    if in_alpha is not None:
        in_alpha = mean_over_tasks(in_alpha, axes=np.ndim(alpha))
    return MetaGradient(float(mean_over_tasks(losses, axes=0)), mean_over_tasks(in_theta), in_alpha)


def _in_alpha(alpha, grad, v):
    """Each task's grad * v (..., P), or its sum (...) where alpha is one number for all parameters."""
    return grad * v if np.ndim(alpha) else np.vecdot(grad, v)


BLOCK = 300_000  # numbers that the place of a block keeps, 2.4 MB: about what a processor's own cache holds


def in_blocks(method):
    """The meta-method on a few tasks at a time, averaged: quicker, and its memory does not grow with the tasks.

    A divergence is reported as on all tasks at once: the earliest step, and the tasks that left at it.
    """

    @wraps(method)
    def averaged(objective, theta, episode, alpha, steps, **options):
        tasks, blocks = _cut(objective, theta, episode.support, episode.query)
        if blocks == 1:
            return method(objective, theta, episode, alpha, steps, **options)
        mean, diverged = MetaGradient(0.0, 0.0, 0.0), []
        for start, end in pairwise(tasks * block // blocks for block in range(blocks + 1)):
            support, query = (data._make(each[start:end] for each in data) for data in (episode.support, episode.query))
            try:
                part = method(objective, theta, Episode(support, query, {}), alpha, steps, **options)
            except DivergenceError as error:
                diverged.append((start, error))
            else:
                mean = _plus(mean, (end - start) / tasks, part)
        if diverged:
            raise _of_all_tasks(diverged, prod(np.shape(episode.support.x)[1:-2]))
        return mean

    return averaged


def _cut(objective, theta, support, query):
    """How many tasks the first axis has, and into how many blocks to cut it; one block where it cannot be cut."""
    batch = np.shape(support.x)[:-2]
    arrays = (*support, *query) if hasattr(support, "_make") and hasattr(query, "_make") else ()
    alike = np.shape(query.x)[:-2] == batch and all(np.shape(each)[: len(batch)] == batch for each in arrays)
    if not batch or not arrays or not alike or np.ndim(theta) > 1:
        return 1, 1
    examples = max(np.shape(support.x)[-2], np.shape(query.x)[-2])
    units = sum(getattr(getattr(objective, "model", None), "sizes", ()))
    kept = 2 * np.shape(theta)[-1] + 3 * examples * units  # theta and its gradient; a, phi' and delta of each unit
    return batch[0], min(batch[0], -(-prod(batch) * kept // BLOCK))


def _plus(mean, share, part):
    """The MetaGradient mean + share * part; its alpha is None where that of the part is."""
    alpha = None if part.alpha is None else share * part.alpha + mean.alpha
    return MetaGradient(share * part.loss + mean.loss, share * part.theta + mean.theta, alpha)


def _of_all_tasks(diverged, rows):
    """One DivergenceError of those of the blocks, (start, error) each; an entry of the first axis is `rows` tasks."""
    step = min(error.step for _, error in diverged)
    tasks = [rows * start + task for start, error in diverged if error.step == step for task in error.tasks]
    return DivergenceError(step, tasks, diverged[0][1].alpha)


@in_blocks
def maml(objective, theta, episode, alpha, steps):
    """The exact meta-gradient of the mean query loss after `steps` inner steps.

    theta_0 = theta, theta_{i+1} = theta_i - alpha * grad L_s(theta_i); then backwards, with no unrolled graph,
    v_m = grad L_q(theta_m), v_i = v_{i+1} - H_s(theta_i) (alpha * v_{i+1}). The gradient in theta is v_0, the one
    in alpha is -sum_i grad L_s(theta_i) * v_{i+1}. Arguments as in `inner.trajectory`, theta (P,); steps >= 0.
    The places on the way down are kept for the way back. Raises DivergenceError when the inner loop does.
    Finn et al. 2017, algorithm 1.
    """
    path = list(descend(place(objective, theta, episode.support), alpha, steps))
    end = place(objective, theta, episode.query).at(path.pop().theta)
    losses, v, in_alpha = end.value, end.grad, np.zeros_like(alpha, dtype=float)
    del end  # a place that is let go of leaves the way back its memory, still in the cache
    while path:
        here = path.pop()
        in_alpha = in_alpha - _in_alpha(alpha, here.grad, v)
        v = v - here.hvp(alpha * v)
    return mean_gradient(losses, v, in_alpha, alpha)


@in_blocks
def fomaml(objective, theta, episode, alpha, steps):
    """First-order MAML: grad L_q(theta') alone, as if theta' did not depend on theta.

    What `maml` calls v_m. The gradient in alpha keeps each step's direct effect and drops the rest likewise.
    Finn et al. 2017, section 5.2.
    """
    total = np.zeros(np.shape(theta)[-1])
    for step, here in enumerate(descend(place(objective, theta, episode.support), alpha, steps)):
        if step < steps:
            total = total + here.grad
    end = place(objective, theta, episode.query).at(here.theta)
    return mean_gradient(end.value, end.grad, -_in_alpha(alpha, total, end.grad), alpha)


@in_blocks
def reptile(objective, theta, episode, alpha, steps):
    """Reptile's direction theta - theta': a plain outer step of size epsilon is theta + epsilon (theta' - theta).

    The loss reported is the query loss at theta'; Reptile itself never looks at the query set.
    Nichol et al. 2018, algorithm 1.
    """
    theta_prime = adapt(objective, theta, episode.support, alpha, steps)
    return mean_gradient(objective.value(theta_prime, episode.query), theta - theta_prime)


def pooled(episode):
    """Each task's support and query examples as one Data, in this order."""
    (x, y), (x_query, y_query) = episode.support, episode.query
    examples = np.ndim(x) - 2
    return Data(np.concatenate([x, x_query], axis=examples), np.concatenate([y, y_query], axis=examples))


@in_blocks
def joint_training(objective, theta, episode, alpha, steps):
    """One model for all tasks: the gradient at theta on all examples of the batch. alpha and steps are not used."""
    here = place(objective, theta, pooled(episode))
    return mean_gradient(here.value, here.grad)
