"""Few-shot classifiers judged on the same episodes: accuracy with its interval, and passes a task, counted.

A few-shot classifier is a function (objective, theta, support, x, alpha, steps) -> labels (..., Q) of the examples
x (..., Q, d), so a method that adapts and one that compares can be swapped; one that takes no gradient steps leaves
alpha and steps alone. MAML, FOMAML, ANIL (`head_only`), a random start and a new head on joint training are all
`by_gradient_steps`, each from its theta.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from mlcourse.evaluate import confidence_interval
from mlcourse.inner import adapt
from mlcourse.metric import log_probabilities, matching, prototypes, ways_of
from mlcourse.tasks import Data


def by_gradient_steps(objective, theta, support, x, alpha, steps):
    """The largest output of the model after `steps` gradient steps on the support set."""
    return objective.model(adapt(objective, theta, support, alpha, steps), x).argmax(axis=-1)


def by_prototypes(objective, theta, support, x, alpha, steps):
    """The class of the nearest prototype in the embedding `objective.model`."""
    c = prototypes(objective.model(theta, support.x), support.y, ways_of(support.y))
    return log_probabilities(objective.model(theta, x), c).argmax(axis=-1)


def by_matching(objective, theta, support, x, alpha, steps):
    """The class that gets the most attention in the embedding `objective.model`."""
    z = objective.model(theta, support.x)
    return matching(objective.model(theta, x), z, support.y, ways_of(support.y)).argmax(axis=-1)


def by_pixels(objective, theta, support, x, alpha, steps):
    """The class of the nearest support example, by the distance of the inputs themselves: nothing is learned."""
    distance = np.sum(support.x**2, axis=-1)[..., None, :] - 2 * x @ support.x.mT
    return np.take_along_axis(np.asarray(support.y), distance.argmin(axis=-1), axis=-1)


def head_only(model, alpha):
    """The step sizes (P,) of ANIL: alpha for the last layer, its biases too, and 0 for the body. Raghu et al. 2020."""
    steps = np.zeros(model.size)
    steps[model.parts[f"W{len(model.sizes) - 1}"].start :] = alpha
    return steps


def with_new_head(theta, model, new_model):
    """The theta of `new_model` with the body of `model`'s theta and a last layer of zeros.

    model, new_model  MLPs that differ in their number of outputs at most
    """
    if model.sizes[:-1] != new_model.sizes[:-1]:
        raise ValueError(
            f"new_model must have the body of model, layers {model.sizes[:-1]}, got {new_model.sizes[:-1]}: "
            "only the number of outputs may differ"
        )
    body, new = head_only(new_model, 1) == 0, np.zeros(new_model.size)
    new[body] = theta[head_only(model, 1) == 0]
    return new


@dataclass(frozen=True)
class SameLabels:
    """The tasks of a distribution with labels that mean the same in all of them: what joint training needs.

    distribution  Glyphs, Omniglot or another whose tasks have the hidden classes (T, N)
    A label is then an index into all the classes of the split; the model has an output for each.
    """

    distribution: Any

    def sample(self, rng, tasks, shots, queries):
        """-> Episode as the distribution's, with y 0 … number of classes - 1."""
        episode = self.distribution.sample(rng, tasks, shots, queries)
        support, query = (
            Data(data.x, np.take_along_axis(episode.tasks["classes"], data.y, axis=-1)) for data in episode[:2]
        )
        return episode._replace(support=support, query=query)


class Accuracy(NamedTuple):
    """Share of query examples that were labelled rightly.

    mean        mean over episodes
    half_width  half the width of its 95 % confidence interval, over episodes
    correct     (T,)  each episode's own
    gradients, forward  passes through the network for one task, with its support or its query set: a gradient is one
                pass forward and back; the others go forward only
    """

    mean: float
    half_width: float
    correct: Any
    gradients: float
    forward: float

    def __str__(self):
        return (
            f"{self.mean:.3f} ± {self.half_width:.3f}, {self.gradients:g} gradients and {self.forward:g} forward passes"
        )


class _Counted:
    """An objective, or its model, that counts the passes made through it, one for each task of each call."""

    def __init__(self, counted, passes):
        self._counted, self._passes = counted, passes

    def __getattr__(self, name):
        return getattr(self._counted, name)

    def __call__(self, theta, x):
        self._passes["forward"] += int(np.prod(x.shape[:-2]))
        return self._counted(theta, x)


class _CountedObjective(_Counted):
    at = None  # or else steps would be taken at places that nobody counts

    @property
    def model(self):
        return _Counted(self._counted.model, self._passes)

    def value(self, theta, data):
        self._passes["forward"] += int(np.prod(data.x.shape[:-2]))
        return self._counted.value(theta, data)

    def grad(self, theta, data):
        self._passes["gradients"] += int(np.prod(data.x.shape[:-2]))
        return self._counted.grad(theta, data)


TASKS = 50  # at once: what a network keeps of so many stays small


def few_shot_accuracy(classifier, objective, theta, episode, alpha=0.0, steps=0):
    """The Accuracy of a classifier on a batch of at least 2 episodes; theta (P,) is left unchanged.

    classifier    by_gradient_steps, by_prototypes, by_matching, by_pixels or any function of their signature
    alpha, steps  its inner loop, where it has one: alpha a number or (P,)
    Give all methods the same episode: then they are compared on the same tasks. Raises DivergenceError when the inner
    loop does.
    """
    passes, correct = Counter(), []
    counted = _CountedObjective(objective, passes)
    support, query = (
        Data(np.reshape(x, (-1, *np.shape(x)[-2:])), np.reshape(y, (-1, np.shape(y)[-1]))) for x, y in episode[:2]
    )
    for start in range(0, len(query.x), TASKS):
        part = slice(start, start + TASKS)
        given = Data(support.x[part], support.y[part])
        labels = classifier(counted, theta, given, query.x[part], alpha, steps)
        correct.append(np.mean(labels == query.y[part], axis=-1))
    correct = np.concatenate(correct)
    mean, half_width = confidence_interval(correct)
    each = len(correct)
    return Accuracy(float(mean), float(half_width), correct, passes["gradients"] / each, passes["forward"] / each)
