"""What a meta-learner is to be compared with on regression tasks: learners of one task, of all at once, of both.

Each is a function of the training tasks, a list of Data, that gives a predictor: predict(support, x) -> y, where
support is Data x (..., K, d), y (..., K, 1) and x (..., Q, d) -> (..., Q, 1). Tasks may differ in their number of rows.
"""

from typing import Any, NamedTuple

import numpy as np

from mlcourse.checks import at_least
from mlcourse.tasks import posterior_mean


def powers(x, degree=1):
    """1, x, x^2, … x^degree of each column, no products of columns: (..., K, d) -> (..., K, 1 + d degree)."""
    return np.concatenate([x[..., :1] ** 0, *(x ** (k + 1) for k in range(at_least("degree", degree, 1)))], axis=-1)


def support_mean(tasks):
    """The mean of the support set's y, whatever x is. Learns nothing from other tasks."""
    return lambda support, x: np.zeros((*np.shape(x)[:-1], 1)) + np.mean(support.y, axis=-2, keepdims=True)


def one_line(tasks):
    """The least-squares line through all training tasks' rows, the same for every task. Looks at no support set."""
    x, y = (np.concatenate(rows) for rows in zip(*tasks, strict=True))
    weights = np.linalg.lstsq(powers(x), y)[0]
    return lambda support, x: powers(x) @ weights


def own_line(tasks):
    """The least-squares line through the support set, the flattest where several fit. Ignores other tasks."""

    def predict(support, x):
        middle = [np.mean(part, axis=-2, keepdims=True) for part in support]
        slope = np.linalg.pinv(support.x - middle[0]) @ (support.y - middle[1])
        return middle[1] + (x - middle[0]) @ slope

    return predict


class MixedModel(NamedTuple):
    """y = w_0 + w_1 x + … + w_p x^p + noise, with w ~ Normal(mean, covariance) drawn afresh for each task.

    mean (F,), covariance (F, F), noise std; calling it is predict(support, x): the posterior mean of the curve
    """

    mean: Any
    covariance: Any
    noise: float
    degree: int

    def __call__(self, support, x):
        prior = self.mean, self.covariance, self.noise
        return powers(x, self.degree) @ posterior_mean(powers(support.x, self.degree), support.y, *prior)[..., None]


def mixed_model(tasks, degree=1, iterations=300):
    """The MixedModel under which the training tasks are most likely, by EM (Laird & Ware 1982, section 4).

    E: each task's w has a Normal posterior. M: from those, its mean and covariance over tasks, and the noise.
    Meta-learning in one line of algebra: the prior is learned across tasks, adaptation is Bayes' rule.
    """
    features = [powers(x, degree) for x, _ in tasks]
    gram = np.stack([a.T @ a for a in features])
    moment = np.stack([a.T @ y for a, (_, y) in zip(features, tasks, strict=True)])
    squares, rows = sum(np.sum(y**2) for _, y in tasks), sum(len(y) for _, y in tasks)
    mean, covariance, variance = np.zeros((gram.shape[-1], 1)), np.eye(gram.shape[-1]), 1.0
    floor = 1e-6 * squares / rows  # for tasks without noise, or all alike: neither variance reaches 0
    for _ in range(iterations):
        precision = np.linalg.inv(covariance)
        spread = np.linalg.inv(gram / variance + precision)
        w = spread @ (moment / variance + precision @ mean)
        mean = w.mean(axis=0)
        second = spread + w @ np.swapaxes(w, 1, 2)
        covariance = second.mean(axis=0) - mean @ mean.T + floor * np.eye(len(mean))
        variance = max((squares - 2 * np.sum(w * moment) + np.sum(gram * second)) / rows, floor)
    return MixedModel(mean[:, 0], covariance, float(np.sqrt(variance)), degree)


def task_errors(predict, part, rng, *, shots, queries, draws=20):
    """Root mean squared error on each task of a table's part, in the units of the file, (T,) in the order of `names`.

    Each task's is an average over `draws` choices of its K support rows: the same choices for the same rng.
    """
    errors = np.zeros((at_least("draws", draws, 1), len(part.names)))
    for row in errors:
        support, query, tasks = part.sample(rng, len(part.names), shots, queries)
        squared = (predict(support, query.x) - query.y) ** 2
        row[tasks["task"]] = part.scale.y_std * np.sqrt(squared.mean(axis=(-2, -1)))
    return errors.mean(axis=0)
