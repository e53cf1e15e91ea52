"""Independent implementations that the tests compare with: autograd straight through the unrolled inner loop."""

import autograd.numpy as np
import numpy
from autograd import grad

from mlcourse import Data


def loss_of(model, kind):
    """A plain loss (theta, data) for one task, written without the package's objectives."""

    def mean_squared_error(theta, data):
        return np.mean((model(theta, data.x) - data.y) ** 2)

    def cross_entropy(theta, data):
        logits = model(theta, data.x)
        total = 0.0
        for row, label in zip(range(len(data.y)), data.y, strict=True):
            total = total + np.log(np.sum(np.exp(logits[row]))) - logits[row][label]
        return total / len(data.y)

    return {"mean_squared_error": mean_squared_error, "cross_entropy": cross_entropy}[kind]


def unrolled(loss, support, query, steps):
    """(theta, alpha) -> query loss after `steps` inner steps, the whole loop left to autograd."""

    def query_loss(theta, alpha):
        for _ in range(steps):
            theta = theta - alpha * grad(loss)(theta, support)
        return loss(theta, query)

    return query_loss


def task(data, index):
    """One task of a batch."""
    return Data(data.x[index], data.y[index])


def unrolled_gradient(loss, theta, episode, alpha, steps):
    """Loss, and gradients in theta and alpha, averaged over the batch one task after another."""
    values, thetas, alphas = [], [], []
    for index in range(len(episode.support.x)):
        query_loss = unrolled(loss, task(episode.support, index), task(episode.query, index), steps)
        values.append(query_loss(theta, alpha))
        thetas.append(grad(query_loss, 0)(theta, alpha))
        alphas.append(grad(query_loss, 1)(theta, alpha) if steps else numpy.zeros(numpy.shape(alpha)))
    return numpy.mean(values), numpy.mean(thetas, axis=0), numpy.mean(alphas, axis=0)


def central_difference(f, point, directions, h=1e-5):
    """Directional derivatives of f at a vector."""
    return numpy.array([(f(point + h * d) - f(point - h * d)) / (2 * h) for d in directions])
