"""Implicit MAML: the meta-gradient from where the inner loop ends, not from how it got there (Rajeswaran et al. 2019).

The inner problem pulls towards theta: theta' = argmin L_s(phi) + lambda / 2 |phi - theta|^2. At its solution
grad L_s(theta') + lambda (theta' - theta) = 0. Differentiated in theta, (I + H_s / lambda) dtheta'/dtheta = I, so the
meta-gradient v solves (I + H_s(theta') / lambda) v = grad L_q(theta'). No trajectory is kept.
"""

import numpy as np

from mlcourse.checks import at_least, positive
from mlcourse.inner import arrive
from mlcourse.meta import in_blocks, mean_gradient
from mlcourse.objectives import place


def conjugate_gradient(product, b, iterations, tolerance=1e-12):
    """x with A x = b for a symmetric positive definite A that is known by its products alone.

    product     v (..., P) -> A v (..., P), each task with its own A
    b           (..., P)
    iterations  at most; P of them are exact but for rounding
    tolerance   a task is done when |b - A x| <= tolerance |b|
    ->          (..., P). Hestenes & Stiefel 1952.
    """
    x, residual = np.zeros_like(b), b
    direction, size = residual, np.sum(b * b, axis=-1, keepdims=True)
    enough = tolerance**2 * size
    for _ in range(at_least("iterations", iterations, 1)):
        if np.all(size <= enough):
            break
        image = product(direction)
        bend = np.sum(direction * image, axis=-1, keepdims=True)
        step = np.divide(size, bend, out=np.zeros_like(size), where=(size > enough) & (bend > 0))
        x, residual = x + step * direction, residual - step * image
        before, size = size, np.sum(residual * residual, axis=-1, keepdims=True)
        direction = residual + np.divide(size, before, out=np.zeros_like(size), where=before > 0) * direction
    return x


class Pulled:
    """The place `here` with lambda / 2 |theta_i - theta|^2 added to its loss: what implicit MAML's inner loop descends.

    pull   lambda
    start  the theta that it pulls to; `here`'s own unless given
    """

    def __init__(self, here, pull, start=None):
        self.here, self.pull, self.theta = here, pull, here.theta
        self.start = here.theta if start is None else start

    def at(self, theta_i):
        """The place at theta_i, pulled to where this one is."""
        return Pulled(self.here.at(theta_i), self.pull, self.start)

    @property
    def value(self):
        return self.here.value + self.pull / 2 * np.sum((self.theta - self.start) ** 2, axis=-1)

    @property
    def grad(self):
        return self.here.grad + self.pull * (self.theta - self.start)

    def hvp(self, v):
        return self.here.hvp(v) + self.pull * v


@in_blocks
def imaml(objective, theta, episode, alpha, steps, *, pull=1.0, iterations=20):
    """Implicit MAML: a meta-method like the others, exact when the inner loop has reached its minimum.

    steps       gradient steps of size alpha on L_s + pull / 2 |theta_i - theta|^2: enough of them to arrive
    pull        lambda > 0; it must outweigh the support loss's negative curvature for the solve to make sense
    iterations  of conjugate gradients, each one Hessian-vector product
    The gradient in alpha is None: where the loop ends does not depend on its step size.
    Raises DivergenceError when the inner loop does. Rajeswaran et al. 2019, algorithm 1.
    """
    pull = positive("pull", pull)
    end = arrive(Pulled(place(objective, theta, episode.support), pull), alpha, steps)
    query = place(objective, theta, episode.query).at(end.theta)
    v = conjugate_gradient(lambda v: end.hvp(v) / pull, query.grad, iterations)
    return mean_gradient(query.value, v)
