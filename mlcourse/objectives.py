"""The loss of a model on data, with its derivatives.

An objective is anything with `value`, `grad` and `hvp`; the meta-methods ask for no more.

    value(theta, data)   -> (...)      one number a task
    grad(theta, data)    -> (..., P)   its gradient in theta
    hvp(theta, data, v)  -> (..., P)   its Hessian times v, without the Hessian

theta (..., P) and the data's leading axes broadcast: one theta meets T tasks and gives T losses.
"""

import autograd.numpy as np
import numpy
from autograd import grad

from mlcourse import checks


class Objective:
    """value, grad and hvp of `loss(model(theta, x), y)` by autograd.

    model  a function (theta, x) with `size`, `inputs` and `outputs`
    loss   (predictions (..., K, out), y) -> (...), differentiable by autograd
    check  raises ValueError or TypeError when the data do not fit
    """

    def __init__(self, model, loss, check):
        self.model, self._loss, self._check = model, loss, check

    def _total(self, theta, data):
        return np.sum(self._loss(self.model(theta, data.x), data.y))

    def _fit(self, theta, data, *others):
        """Check the arguments and give theta the tasks' leading axes, so that each task has its own copy."""
        checks.parameters("theta", theta, self.model.size)
        checks.finite("x", data.x)
        self._check(data, self.model.outputs)
        batch = numpy.broadcast_shapes(
            numpy.shape(theta)[:-1], numpy.shape(data.x)[:-2], *(numpy.shape(other)[:-1] for other in others)
        )
        return theta if numpy.shape(theta)[:-1] == batch else theta + np.zeros((*batch, 1))

    def value(self, theta, data):
        """The loss, one number a task."""
        self._fit(theta, data)
        return self._loss(self.model(theta, data.x), data.y)

    def grad(self, theta, data):
        """Each task's gradient. Tasks do not mix: the gradient of their sum holds each one's in its row."""
        return grad(self._total)(self._fit(theta, data), data)

    def hvp(self, theta, data, v):
        """Each task's Hessian times its v (..., P): the gradient of <gradient, v> (Pearlmutter 1994)."""
        theta = self._fit(theta, data, v)
        return grad(lambda theta: np.sum(grad(self._total)(theta, data) * v))(theta)


def mean_squared_error(model):
    """Mean over examples and outputs of (model(theta, x) - y)^2. Data: y (..., K, out).

    Raises ValueError for a theta of another length, for x and y of other shapes and for NaN or infinity.
    """
    return Objective(model, lambda predictions, y: np.mean((predictions - y) ** 2, axis=(-2, -1)), checks.regression)


def cross_entropy(model):
    """Mean over examples of -log softmax(model(theta, x))[label]. Data: y (..., K) integer labels.

    Raises ValueError for a label outside 0 … outputs - 1, TypeError for labels that are not integers.
    """

    def loss(logits, labels):
        logits = logits - np.max(logits, axis=-1, keepdims=True)
        log_total = np.log(np.sum(np.exp(logits), axis=-1))
        chosen = numpy.arange(model.outputs) == numpy.asarray(labels)[..., None]
        return np.mean(log_total - np.sum(logits * chosen, axis=-1), axis=-1)

    return Objective(model, loss, checks.classification)
