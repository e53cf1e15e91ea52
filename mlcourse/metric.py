"""Metric methods: no inner loop; an embedding in which a query example lies near the support examples of its class.

The embedding z = model(theta, x) is an MLP like any other, and what trains it is a meta-method of the same signature as
maml, so meta_train takes either. The loss of an episode joins both its sets: each query example is classified by the
support examples, and the gradient goes through both. Labels are integers (..., K), leading axes are tasks.
"""

from functools import partial

import autograd.numpy as np
import numpy

from mlcourse import checks
from mlcourse.derivatives import Loss
from mlcourse.meta import in_blocks, mean_gradient, pooled
from mlcourse.objectives import ByHand, objective_of, place
from mlcourse.tasks import Data


def ways_of(labels):
    """N, where the labels are 0 … N - 1."""
    return int(numpy.max(labels)) + 1


def _one_hot(labels, ways):
    return (numpy.arange(ways) == numpy.asarray(labels)[..., None]).astype(float)


def _shares(labels, ways):
    """(..., K, N): 1 / K_n where an example is one of the K_n of class n, else 0."""
    chosen = _one_hot(labels, ways)
    counts = chosen.sum(axis=-2, keepdims=True)
    if not numpy.all(counts):
        raise ValueError(
            f"y must have an example of each of the {ways} classes in each task, got none of class "
            f"{numpy.argwhere(counts == 0)[0, -1]}: draw as many shots of each class"
        )
    return chosen / counts


def log_softmax(scores, axis=-1):
    """log of the softmax of scores over an axis, of the same shape; scores of any size give finite numbers."""
    scores = scores - np.max(scores, axis=axis, keepdims=True)
    return scores - np.log(np.sum(np.exp(scores), axis=axis, keepdims=True))


def prototypes(z, y, ways):
    """c_n, the mean embedding of the examples of class n.

    z (..., K, D) embeddings, y (..., K) labels 0 … ways - 1 -> (..., N, D)
    Raises ValueError where a task has no example of a class. Snell et al. 2017, equation 1.
    """
    checks.classification(Data(z, y), ways)
    return np.swapaxes(_shares(y, ways), -1, -2) @ z


def as_linear(prototypes):
    """The linear classifier that prototypes are: weights (..., D, N), bias (..., N).

    -|z - c|^2 = 2 c·z - |c|^2 - |z|^2, and the last term is the same for all classes, so z @ weights + bias has the
    softmax of minus the squared distances. Snell et al. 2017, section 2.4.
    """
    return 2 * np.swapaxes(prototypes, -1, -2), -np.sum(prototypes**2, axis=-1)


def log_probabilities(z, prototypes):
    """log softmax over classes of -|z - c_n|^2: z (..., Q, D), prototypes (..., N, D) -> (..., Q, N).

    Distances of any size give finite numbers. Snell et al. 2017, equation 2.
    """
    centre = np.mean(prototypes, axis=-2, keepdims=True)  # distances do not change, rounding errors shrink
    weights, bias = as_linear(prototypes - centre)
    return log_softmax((z - centre) @ weights + bias[..., None, :])


def _unit(z):
    """z / |z|, and |z|; next to 0 they are smooth instead of undefined."""
    length = np.sqrt(np.sum(z**2, axis=-1, keepdims=True) + 1e-24)
    return z / length, length


def matching(z_query, z_support, y_support, ways):
    """log p(n | query): the attention that a query example pays to the support examples of class n, all together.

    Attention is the softmax over support examples of the cosine of two embeddings (without full context embeddings).
    z_query (..., Q, D), z_support (..., K, D), y_support (..., K) -> (..., Q, N)
    Raises ValueError where a task has no example of a class. Vinyals et al. 2016, equations 1 and 2.
    """
    checks.classification(Data(z_support, y_support), ways)
    present = _shares(y_support, ways) > 0
    cosines = _unit(z_query)[0] @ np.swapaxes(_unit(z_support)[0], -1, -2)
    return np.log(np.exp(log_softmax(cosines)) @ present)


def _loss(log_p, labels):
    return -np.mean(np.sum(log_p * _one_hot(labels, log_p.shape[-1]), axis=-1), axis=-1)


def _prototypical(z, y, rows, ways):
    """The loss of the examples after the first `rows`, of which the prototypes are."""
    c = prototypes(z[..., :rows, :], y[..., :rows], ways)
    return _loss(log_probabilities(z[..., rows:, :], c), y[..., rows:])


def _prototypical_slope(z, y, rows, ways):
    """dL/dz. With e = dL/d(-|z - c|^2), whose rows sum to 0: dL/dz = 2 e c for a query, dL/dc = 2 (e^T z - c sum e)."""
    support, query, share = z[..., :rows, :], z[..., rows:, :], _shares(y[..., :rows], ways)
    c = share.mT @ support
    e = (np.exp(log_probabilities(query, c)) - _one_hot(y[..., rows:], ways)) / query.shape[-2]
    in_c = 2 * (e.mT @ query - c * e.sum(axis=-2)[..., None])
    return numpy.concatenate([share @ in_c, 2 * e @ c], axis=-2)


def _matching(z, y, rows, ways):
    return _loss(matching(z[..., rows:, :], z[..., :rows, :], y[..., :rows], ways), y[..., rows:])


def _matching_slope(z, y, rows, ways):
    """dL/dz. The cosines' slope is attention to all less attention within the right class; then through z / |z|."""
    u, length = _unit(z)
    support, query = u[..., :rows, :], u[..., rows:, :]
    attention = numpy.exp(log_softmax(query @ support.mT))
    right = attention * (y[..., rows:, None] == y[..., None, :rows])
    e = (attention - right / right.sum(axis=-1, keepdims=True)) / query.shape[-2]
    in_u = numpy.concatenate([e.mT @ query, e @ support], axis=-2)
    return (in_u - u * np.sum(u * in_u, axis=-1, keepdims=True)) / length


def _metric_gradient(loss, slope, objective, theta, episode):
    """The MetaGradient of an episode's loss (z, y, rows, ways), by hand or by autograd as the objective is."""
    split = {"rows": numpy.shape(episode.support.x)[-2], "ways": ways_of(episode.support.y)}
    loss, slope = partial(loss, **split), partial(slope, **split)
    of_episode = objective_of(
        objective.model,
        loss,
        lambda data, outputs: checks.classification(data, split["ways"]),
        Loss(loss, slope, None),
        "by hand" if isinstance(objective, ByHand) else "autograd",
    )
    here = place(of_episode, theta, pooled(episode))
    return mean_gradient(here.value, here.grad)


@in_blocks
def prototypical_networks(objective, theta, episode, alpha, steps):
    """The gradient of the query loss of prototypes in the embedding `objective.model`. alpha and steps are not used.

    objective  cross_entropy(model) of the embedding, say: its loss is not used
    Raises ValueError where a task has no support example of a class. Snell et al. 2017, algorithm 1.
    """
    return _metric_gradient(_prototypical, _prototypical_slope, objective, theta, episode)


@in_blocks
def matching_networks(objective, theta, episode, alpha, steps):
    """The gradient of the query loss of `matching`; otherwise as `prototypical_networks`.

    Vinyals et al. 2016, section 2.
    """
    return _metric_gradient(_matching, _matching_slope, objective, theta, episode)
