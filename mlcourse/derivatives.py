"""The derivatives of a multilayer perceptron's loss, derived by hand (lesson 11).

For layers z_l = a_{l-1} W_l + b_l and a_l = phi(z_l), backpropagation carries delta_l = dL/dz_l from the last layer
down, and the gradients are dL/dW_l = a_{l-1}^T delta_l and dL/db_l = sum of delta_l over examples. A Hessian-vector
product is the derivative of all of this in the direction v: each quantity q has a companion R{q}, and the product rule
gives its line (Pearlmutter 1994). theta (..., P), x (..., K, d) and v (..., P) broadcast over their leading axes.
"""

from typing import Any, NamedTuple

import numpy as np

from mlcourse.models import relu, tanh

# Arrays of a batch of thetas are a few hundred kB. The GNU C library returns blocks of that size to the system when
# they are freed, and the page faults of getting them again cost ten times the arithmetic; having freed one larger
# block, it keeps them (mallopt(3), M_MMAP_THRESHOLD).
np.empty(2**21)


class Activation(NamedTuple):
    """phi, and as functions of a = phi(z) its slope phi' and its bend phi'' (None where it is zero everywhere)."""

    phi: Any
    slope: Any
    bend: Any


ACTIVATIONS = {
    relu: Activation(lambda z: np.maximum(z, 0.0), lambda a: a > 0, None),
    tanh: Activation(np.tanh, lambda a: 1 - a**2, lambda a: -2 * a * (1 - a**2)),
}


class Loss(NamedTuple):
    """A loss of the outputs z (..., K, out) that is a mean over examples.

    value      (z, y) -> (...)
    slope      (z, y) -> dL/dz
    curvature  (z, y, r) -> the Hessian in z times r, both shaped as z
    """

    value: Any
    slope: Any
    curvature: Any


def _squares_slope(z, y):
    return (2 / (z.shape[-1] * z.shape[-2])) * (z - y)


def _squares_curvature(z, y, r):
    return (2 / (z.shape[-1] * z.shape[-2])) * r


def _softmax(z):
    z = np.exp(z - np.max(z, axis=-1, keepdims=True))
    return z / np.sum(z, axis=-1, keepdims=True)


def _one_hot(labels, ways):
    return np.arange(ways) == np.asarray(labels)[..., None]


def _entropy_value(z, labels):
    z = z - np.max(z, axis=-1, keepdims=True)
    chosen = np.sum(z * _one_hot(labels, z.shape[-1]), axis=-1)
    return np.mean(np.log(np.sum(np.exp(z), axis=-1)) - chosen, axis=-1)


def _entropy_slope(z, labels):
    return (_softmax(z) - _one_hot(labels, z.shape[-1])) / z.shape[-2]


def _entropy_curvature(z, labels, r):
    p = _softmax(z)
    return p * (r - np.sum(p * r, axis=-1, keepdims=True)) / z.shape[-2]


SQUARES = Loss(lambda z, y: np.mean((z - y) ** 2, axis=(-2, -1)), _squares_slope, _squares_curvature)
CROSS_ENTROPY = Loss(_entropy_value, _entropy_slope, _entropy_curvature)


def _times(a, w):
    """a (..., K, in) times w (..., in, out). Where all tasks share w, one product serves them all."""
    if np.ndim(w) == 2 and np.ndim(a) > 2:
        return (a.reshape(-1, a.shape[-1]) @ w).reshape(*a.shape[:-1], w.shape[-1])
    return a * w if a.shape[-1] == 1 else a @ w


def _transposed(a):
    return np.swapaxes(a, -1, -2)


class Point:
    """The loss of a model at one theta on one data set; what the forward pass computed serves value, grad and hvp."""

    def __init__(self, model, loss, theta, data):
        self.model, self.loss, self.y = model, loss, np.asarray(data.y)
        self.theta, self.activation = theta, ACTIVATIONS[model.activation]
        self.w, b = self._layers(theta)
        self.a = [np.asarray(data.x, dtype=float)]
        for layer, (w, bias) in enumerate(zip(self.w, b, strict=True)):
            z = _times(self.a[-1], w) if bias is None else _times(self.a[-1], w) + bias[..., None, :]
            self.a.append(self.activation.phi(z) if layer < len(self.w) - 1 else z)
        self.batch = np.broadcast_shapes(theta.shape[:-1], self.a[-1].shape[:-2])
        self._deltas = None

    def _layers(self, theta):
        """The weights and the biases of theta's layers, views of it; None for a layer without biases."""
        parts = {
            name: theta[..., part].reshape(*theta.shape[:-1], *self.model.shapes[name])
            for name, part in self.model.parts.items()
        }
        layers = range(1, len(self.model.sizes))
        return [parts[f"W{layer}"] for layer in layers], [parts.get(f"b{layer}") for layer in layers]

    def value(self):
        """The loss: (...)."""
        return self.loss.value(self.a[-1], self.y)

    @property
    def deltas(self):
        """dL/dz of every layer, first to last: backpropagation."""
        if self._deltas is None:
            deltas = [self.loss.slope(self.a[-1], self.y)]
            for w, a in zip(self.w[:0:-1], self.a[-2:0:-1], strict=True):
                deltas.append(_times(deltas[-1], _transposed(w)) * self.activation.slope(a))
            self._deltas = deltas[::-1]
        return self._deltas

    def grad(self):
        """dL/dtheta: (..., P)."""
        return self._collect(self.batch, self.a[:-1], self.deltas, self.deltas)

    def hvp(self, v):
        """The Hessian times v: (..., P). R{q} is the derivative of q in the direction v."""
        v = np.asarray(v)
        vw, vb = self._layers(v)
        last = len(self.w) - 1
        r_a, r_z = [None], []
        for layer, (w, v_w, v_b) in enumerate(zip(self.w, vw, vb, strict=True)):
            r = _times(self.a[layer], v_w) if v_b is None else _times(self.a[layer], v_w) + v_b[..., None, :]
            r_z.append(r if layer == 0 else r + _times(r_a[layer], w))
            r_a.append(self.activation.slope(self.a[layer + 1]) * r_z[layer] if layer < last else r_z[layer])
        r_deltas = [self.loss.curvature(self.a[-1], self.y, r_z[-1])]
        for layer in range(last, 0, -1):
            a, delta = self.a[layer], self.deltas[layer]
            r = (_times(r_deltas[-1], _transposed(self.w[layer])) + _times(delta, _transposed(vw[layer]))) * (
                self.activation.slope(a)
            )
            if self.activation.bend is not None:
                r = r + _times(delta, _transposed(self.w[layer])) * self.activation.bend(a) * r_z[layer - 1]
            r_deltas.append(r)
        r_deltas = r_deltas[::-1]
        # R{a^T delta} = a^T R{delta} + R{a}^T delta, as one product over twice the examples; the inputs do not move
        left, right = [self.a[0]], [r_deltas[0]]
        for layer in range(1, last + 1):
            left.append(_stacked(self.a[layer], r_a[layer]))
            right.append(_stacked(r_deltas[layer], self.deltas[layer]))
        return self._collect(np.broadcast_shapes(self.batch, v.shape[:-1]), left, right, r_deltas)

    def _collect(self, batch, left, right, in_outputs):
        """One vector a task: left^T right in the weights (..., in, out), the sum over examples in the biases."""
        flat = np.empty((*batch, self.model.size))
        for layer, (a, delta, z) in enumerate(zip(left, right, in_outputs, strict=True), start=1):
            weights = flat[..., self.model.parts[f"W{layer}"]]
            np.matmul(_transposed(a), delta, out=weights.reshape(*batch, a.shape[-1], delta.shape[-1]))
            if f"b{layer}" in self.model.parts:
                flat[..., self.model.parts[f"b{layer}"]] = z.sum(axis=-2)
        return flat


def _stacked(one, other):
    """The examples of both, one after the other."""
    batch = np.broadcast_shapes(one.shape[:-2], other.shape[:-2])
    both = (np.broadcast_to(each, (*batch, *each.shape[-2:])) for each in (one, other))
    return np.concatenate(list(both), axis=-2)
