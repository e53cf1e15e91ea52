"""The derivatives of a multilayer perceptron's loss, derived by hand (lesson 11).

A bias is the weight of an input that is always 1. So layer l is one matrix w_l (in + 1, out), the activations that go
into it have a column of ones, and z_l = a_l w_l, a_{l+1} = phi(z_l). Backpropagation carries delta_l = dL/dz_l from the
last layer down, delta_l = (delta_{l+1} w_{l+1}^T) * phi'(z_l), and the gradient is dL/dw_l = a_l^T delta_l. A
Hessian-vector product is the derivative of all of this in the direction v: each quantity q has a companion R{q}, and
the product rule gives its line (Pearlmutter 1994). theta (..., P), x (..., K, d) and v (..., P) broadcast over their
leading axes.
"""

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from mlcourse.models import relu, tanh

# The GNU C library returns large blocks to the system when they are freed, and the page faults of getting them again
# cost twice the arithmetic; having freed one of 32 MB, it keeps smaller ones (mallopt(3), M_MMAP_THRESHOLD).
np.empty(2**22 - 2**10)


class Activation(NamedTuple):
    """phi for the derivatives.

    apply  turns z into phi(z) where it is, and returns the slope phi'(z)
    bend   phi'' / phi' as a function of a = phi(z); None where phi'' is 0 everywhere
    """

    apply: Any
    bend: Any


def _relu(z):
    slope = (z > 0).astype(z.dtype)
    np.maximum(z, 0, out=z)
    return slope


def _tanh(z):
    np.tanh(z, out=z)
    return 1 - z * z


ACTIVATIONS = {relu: Activation(_relu, None), tanh: Activation(_tanh, lambda a: -2 * a)}


class Loss(NamedTuple):
    """A loss of the outputs z (..., K, out) that is a mean over examples.

    value      (z, y) -> (...)
    slope      (z, y) -> dL/dz
    curvature  (z, y, r) -> the Hessian in z times r, both shaped as z
    """

    value: Any
    slope: Any
    curvature: Any


def _squares_value(z, y):
    error = z - y
    return np.einsum("...ko,...ko->...", error, error) / (z.shape[-1] * z.shape[-2])


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


SQUARES = Loss(_squares_value, _squares_slope, _squares_curvature)
CROSS_ENTROPY = Loss(_entropy_value, _entropy_slope, _entropy_curvature)


class MLPPlace:
    """The loss of an MLP at one theta on one data set: a place (see `objectives.place`), derived by hand.

    theta   (..., P)
    inputs  (..., K, d), with a column of ones where the model has biases
    y       as the loss takes it
    The forward pass and backpropagation run once, when first asked for, and serve value, grad and hvp. Nothing is
    checked and nothing copied: theta, inputs and y must stay as they are, and grad and value are read-only.
    """

    def __init__(self, model, loss, theta, inputs, y):
        self.model, self.loss, self.theta, self.inputs, self.y = model, loss, theta, inputs, y
        self.batch = np.broadcast_shapes(theta.shape[:-1], inputs.shape[:-2])
        self.w = model.layers(theta)

    def at(self, theta):
        """The place at another theta on the same data."""
        return MLPPlace(self.model, self.loss, theta, self.inputs, self.y)

    @cached_property
    def forward(self):
        """What goes into each layer, phi' of each hidden layer, and what comes out of the last."""
        a, slopes = [self.inputs], []
        for w in self.w[:-1]:
            units = _units(a[-1], w, self.batch, constant=1)
            slopes.append(ACTIVATIONS[self.model.activation].apply(units))
            units[..., -1] = 1
            a.append(units)
        return a, slopes, a[-1] @ self.w[-1]

    @cached_property
    def deltas(self):
        """dL/dz of each layer, first to last: backpropagation."""
        _, slopes, z = self.forward
        deltas = [self.loss.slope(z, self.y)]
        for w, slope in zip(self.w[:0:-1], slopes[::-1], strict=True):
            delta = _times(deltas[0], w.mT)
            delta *= slope
            deltas.insert(0, delta[..., :-1])
        return deltas

    @cached_property
    def value(self):
        """The loss: (...)."""
        return read_only(self.loss.value(self.forward[2], self.y))

    @cached_property
    def grad(self):
        """dL/dtheta: (..., P)."""
        grad = np.empty((*self.batch, self.model.size))
        for a, delta, out in zip(self.forward[0], self.deltas, self.model.layers(grad), strict=True):
            np.matmul(a.mT, delta, out=out)
        return read_only(grad)

    def hvp(self, v):
        """The Hessian times v: (..., P). R{q} is the derivative of q in the direction v."""
        (a, slopes, z), w, deltas = self.forward, self.w, self.deltas
        batch = np.broadcast_shapes(self.batch, v.shape[:-1])
        product = np.empty((*batch, v.shape[-1]))
        v, out = self.model.layers(v), self.model.layers(product)
        r_a, r_z = [None], []  # the inputs do not move
        for layer, slope in enumerate(slopes):
            r_z.append(_units(a[layer], v[layer], batch, constant=0))
            if layer:
                r_z[layer] += _units(r_a[layer], w[layer], batch, constant=0)
            r_a.append(slope * r_z[layer])
        r_out = a[-1] @ v[-1] + (r_a[-1] @ w[-1] if slopes else 0)
        r_delta = self.loss.curvature(z, self.y, r_out)
        for layer in range(len(slopes), 0, -1):
            # R{a^T delta} = a^T R{delta} + R{a}^T delta
            _two_products(a[layer].mT, r_delta, r_a[layer].mT, deltas[layer], out=out[layer])
            r = _two_products(r_delta, w[layer].mT, deltas[layer], v[layer].mT)
            r *= slopes[layer - 1]
            r_delta = r[..., :-1]
            if bend := ACTIVATIONS[self.model.activation].bend:
                r_delta += bend(a[layer][..., :-1]) * deltas[layer - 1] * r_z[layer - 1][..., :-1]
        np.matmul(self.inputs.mT, r_delta, out=out[0])
        return product


def _units(a, w, batch, constant):
    """a w with the batch's leading axes and one more column, the constant."""
    units = np.empty((*batch, a.shape[-2], w.shape[-1] + 1))
    units[..., -1] = constant
    np.matmul(a, w, out=units[..., :-1])
    return units


def _times(a, w):
    """a w, quicker than matmul where a has one column."""
    return a * w if a.shape[-1] == 1 else a @ w


def _two_products(a, w, b, v, out=None):
    """a w + b v: as one product of what is joined, where joining copies less than adding does."""
    (rows, inner), columns = a.shape[-2:], w.shape[-1]
    if inner * (rows + columns) < rows * columns:
        return np.matmul(_joined(a, b, axis=-1), _joined(w, v, axis=-2), out=out)
    out = np.matmul(a, w, out=out)
    out += b @ v
    return out


def _joined(one, other, axis):
    """Both, one after the other, each with the leading axes of both."""
    if one.shape != other.shape:
        shape = np.broadcast_shapes(one.shape, other.shape)
        one, other = np.broadcast_to(one, shape), np.broadcast_to(other, shape)
    return np.concatenate((one, other), axis=axis)


def read_only(array):
    """The array as a place hands it out: whoever wants to change it takes a copy. What is no array stays as it is."""
    if isinstance(array, np.ndarray):
        array = array.view()
        array.flags.writeable = False
    return array
