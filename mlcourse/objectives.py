"""The loss of a model on data, with its derivatives.

An objective is anything with `value`, `grad` and `hvp`; the meta-methods ask for no more.

    value(theta, data)   -> (...)      one number a task
    grad(theta, data)    -> (..., P)   its gradient in theta
    hvp(theta, data, v)  -> (..., P)   its Hessian times v, without the Hessian

theta (..., P) and the data's leading axes broadcast: one theta meets T tasks and gives T losses.
"""

from functools import cached_property

import autograd.numpy as np
import numpy
from autograd import grad
from autograd.extend import Box

from mlcourse import checks
from mlcourse.derivatives import ACTIVATIONS, CROSS_ENTROPY, SQUARES, MLPPlace, read_only


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
        """Check the arguments and give theta the tasks' leading axes."""
        checks.parameters("theta", theta, self.model.size)
        checks.finite("x", data.x)
        self._check(data, self.model.outputs)
        return for_each_task(theta, numpy.shape(data.x)[:-2], *(numpy.shape(other)[:-1] for other in others))

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

    Under autograd (a theta that autograd is differentiating) it is autograd all the way.
    """

    def __init__(self, model, loss, check, derivatives):
        super().__init__(model, loss, check)
        self._derivatives = derivatives

    def at(self, theta, data):
        """The place at theta on the data. Raises as `value` does; the place's own `at(theta)` does not check."""
        theta, x = numpy.asarray(theta, dtype=float), numpy.asarray(data.x, dtype=float)
        checks.parameters("theta", theta, self.model.size)
        checks.finite("x", x)
        self._check(data, self.model.outputs)
        checks.input_width(x, self.model.inputs)
        inputs = numpy.ones((*x.shape[:-1], x.shape[-1] + self.model.biased))
        inputs[..., : x.shape[-1]] = x
        return MLPPlace(self.model, self._derivatives, theta, inputs, numpy.asarray(data.y))

    def value(self, theta, data):
        return super().value(theta, data) if isinstance(theta, Box) else numpy.copy(self.at(theta, data).value)[()]

    def grad(self, theta, data):
        return super().grad(theta, data) if isinstance(theta, Box) else self.at(theta, data).grad.copy()

    def hvp(self, theta, data, v):
        boxed = isinstance(theta, Box) or isinstance(v, Box)
        return super().hvp(theta, data, v) if boxed else self.at(theta, data).hvp(numpy.asarray(v, dtype=float))


class Place:
    """Any objective at one theta on one data set: what `place` makes where the objective has no places of its own."""

    def __init__(self, objective, theta, data):
        self.objective, self.data = objective, data
        theta = theta if isinstance(theta, Box) else numpy.asarray(theta, dtype=float)
        self.theta = for_each_task(theta, numpy.shape(data.x)[:-2])

    def at(self, theta):
        return Place(self.objective, theta, self.data)

    @cached_property
    def value(self):
        return read_only(self.objective.value(self.theta, self.data))

    @cached_property
    def grad(self):
        grad = self.objective.grad(self.theta, self.data)
        return read_only(for_each_task(grad, numpy.shape(self.theta)[:-1]))

    def hvp(self, v):
        return self.objective.hvp(self.theta, self.data, v)


def place(objective, theta, data):
    """The loss at one theta on one data set, with what value, grad and hvp have in common computed once.

    objective  one with its own at(theta, data) gives its own place; any other with value, grad and hvp is wrapped
    theta      (..., P); data as the objective takes it, with inputs data.x (..., K, d)
    ->         .theta; .value (...); .grad (..., P); .hvp(v) (..., P); .at(theta) the place at another theta, same data
    """
    own = getattr(objective, "at", None)
    return Place(objective, theta, data) if own is None or isinstance(theta, Box) else own(theta, data)


def for_each_task(theta, *batches):
    """theta itself where it has the leading axes of all batches, or else a copy of it for each task."""
    batch = numpy.broadcast_shapes(numpy.shape(theta)[:-1], *batches)
    return theta if numpy.shape(theta)[:-1] == batch else theta + np.zeros((*batch, 1))


def _squares(predictions, y):
    return np.mean((predictions - y) ** 2, axis=(-2, -1))


def _entropy(logits, labels):
    logits = logits - np.max(logits, axis=-1, keepdims=True)
    log_total = np.log(np.sum(np.exp(logits), axis=-1))
    chosen = numpy.arange(logits.shape[-1]) == numpy.asarray(labels)[..., None]
    return np.mean(log_total - np.sum(logits * chosen, axis=-1), axis=-1)


def objective_of(model, loss, check, by_hand, derivatives="by hand"):
    """The objective of a model and a loss: by the derivatives `by_hand` where asked for and known, or else by autograd.

    loss, check  as `Objective` takes them; by_hand  the same loss with its derivatives, a `derivatives.Loss`
    """
    if derivatives not in ("by hand", "autograd"):
        raise ValueError(f"derivatives must be 'by hand' or 'autograd', got {derivatives!r}")
    known = getattr(model, "activation", None) in ACTIVATIONS
    return ByHand(model, loss, check, by_hand) if known and derivatives == "by hand" else Objective(model, loss, check)


def mean_squared_error(model, derivatives="by hand"):
    """Mean over examples and outputs of (model(theta, x) - y)^2. Data: y (..., K, out).

    derivatives  "by hand" (lesson 11) for an MLP with relu or tanh, autograd for any other model; "autograd" forces it
    Raises ValueError for a theta of another length, for x and y of other shapes and for NaN or infinity.
    """
    return objective_of(model, _squares, checks.regression, SQUARES, derivatives)


def cross_entropy(model, derivatives="by hand"):
    """Mean over examples of -log softmax(model(theta, x))[label]. Data: y (..., K) integer labels.

    derivatives  as for `mean_squared_error`
    Raises ValueError for a label outside 0 … outputs - 1, TypeError for labels that are not integers.
    """
    return objective_of(model, _entropy, checks.classification, CROSS_ENTROPY, derivatives)
