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
from autograd.extend import Box

from mlcourse import checks
from mlcourse.derivatives import ACTIVATIONS, CROSS_ENTROPY, SQUARES, Point
from mlcourse.tasks import Data


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


class ByHand(Objective):
    """The same for an MLP by the derivatives of lesson 11, several times faster.

    The two latest places are kept, so that a gradient and a Hessian-vector product at one theta share its forward pass.
    Under autograd (a theta that autograd is differentiating) it is autograd all the way.
    """

    def __init__(self, model, loss, check, derivatives):
        super().__init__(model, loss, check)
        self._derivatives, self._kept = derivatives, []

    def at(self, theta, data):
        """The Point at theta and data, from memory when all their numbers are those of a place that is kept."""
        theta, x, y = _shared(numpy.asarray(theta), data), numpy.asarray(data.x), numpy.asarray(data.y)
        for place, point in self._kept:
            if all(_same(kept, now) for kept, now in zip(place, (theta, x, y), strict=True)):
                return point
        checks.parameters("theta", theta, self.model.size)
        checks.finite("x", data.x)
        self._check(data, self.model.outputs)
        checks.input_width(data.x, self.model.inputs)
        place = theta.copy(), x.copy(), y.copy()
        point = Point(self.model, self._derivatives, place[0], Data(*place[1:]))
        self._kept = [*self._kept[-1:], (place, point)]
        return point

    def value(self, theta, data):
        return super().value(theta, data) if isinstance(theta, Box) else self.at(theta, data).value()

    def grad(self, theta, data):
        return super().grad(theta, data) if isinstance(theta, Box) else self.at(theta, data).grad()

    def hvp(self, theta, data, v):
        boxed = isinstance(theta, Box) or isinstance(v, Box)
        return super().hvp(theta, data, v) if boxed else self.at(theta, data).hvp(v)


def _shared(theta, data):
    """theta without the axes that only repeat it for every task: then one matrix product serves all tasks."""
    repeats = theta.ndim > 1 and not any(theta.strides[:-1]) and theta.shape[:-1] == numpy.shape(data.x)[:-2]
    return theta[(0,) * (theta.ndim - 1)] if repeats else theta


def _same(kept, now):
    """numpy.array_equal, quick to say no: another theta differs in its first parameters already."""
    return numpy.array_equal(kept[..., :1], now[..., :1]) and numpy.array_equal(kept, now)


def _objective(model, loss, check, by_hand, derivatives):
    if derivatives not in ("by hand", "autograd"):
        raise ValueError(f"derivatives must be 'by hand' or 'autograd', got {derivatives!r}")
    known = getattr(model, "activation", None) in ACTIVATIONS
    return ByHand(model, loss, check, by_hand) if known and derivatives == "by hand" else Objective(model, loss, check)


def mean_squared_error(model, derivatives="by hand"):
    """Mean over examples and outputs of (model(theta, x) - y)^2. Data: y (..., K, out).

    derivatives  "by hand" (lesson 11) for an MLP with relu or tanh, autograd for any other model; "autograd" forces it
    Raises ValueError for a theta of another length, for x and y of other shapes and for NaN or infinity.
    """

    def loss(predictions, y):
        return np.mean((predictions - y) ** 2, axis=(-2, -1))

    return _objective(model, loss, checks.regression, SQUARES, derivatives)


def cross_entropy(model, derivatives="by hand"):
    """Mean over examples of -log softmax(model(theta, x))[label]. Data: y (..., K) integer labels.

    derivatives  as for `mean_squared_error`
    Raises ValueError for a label outside 0 … outputs - 1, TypeError for labels that are not integers.
    """

    def loss(logits, labels):
        logits = logits - np.max(logits, axis=-1, keepdims=True)
        log_total = np.log(np.sum(np.exp(logits), axis=-1))
        chosen = numpy.arange(model.outputs) == numpy.asarray(labels)[..., None]
        return np.mean(log_total - np.sum(logits * chosen, axis=-1), axis=-1)

    return _objective(model, loss, checks.classification, CROSS_ENTROPY, derivatives)
