"""Implicit MAML: the meta-gradient from where the inner loop ends, not from how it got there (Rajeswaran et al. 2019).

The inner problem pulls towards theta: theta' = argmin L_s(phi) + lambda / 2 |phi - theta|^2. At its solution
grad L_s(theta') + lambda (theta' - theta) = 0. Differentiated in theta, (I + H_s / lambda) dtheta'/dtheta = I, so the
meta-gradient v solves (I + H_s(theta') / lambda) v = grad L_q(theta'). No trajectory is kept.
"""

import numpy as np

from mlcourse.checks import at_least, positive
from mlcourse.inner import adapt
from mlcourse.meta import MetaGradient, mean_over_tasks


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
    """The objective with lambda / 2 |phi - theta|^2 added: what implicit MAML's inner loop descends."""

    def __init__(self, objective, theta, pull):
        self.objective, self.theta, self.pull = objective, theta, pull

    def value(self, phi, data):
        return self.objective.value(phi, data) + self.pull / 2 * np.sum((phi - self.theta) ** 2, axis=-1)

    def grad(self, phi, data):
        return self.objective.grad(phi, data) + self.pull * (phi - self.theta)

    def hvp(self, phi, data, v):
        return self.objective.hvp(phi, data, v) + self.pull * v


def imaml(objective, theta, episode, alpha, steps, *, pull=1.0, iterations=20):
    """Implicit MAML: a meta-method like the others, exact when the inner loop has reached its minimum.

    steps       gradient steps of size alpha on L_s + pull / 2 |theta_i - theta|^2: enough of them to arrive
    pull        lambda > 0; it must outweigh the support loss's negative curvature for the solve to make sense
    iterations  of conjugate gradients, each one Hessian-vector product
    The gradient in alpha is None: where the loop ends does not depend on its step size.
    Raises DivergenceError when the inner loop does. Rajeswaran et al. 2019, algorithm 1.
    """
    pull = positive("pull", pull)
    support, query = episode.support, episode.query
    theta_prime = adapt(Pulled(objective, theta, pull), theta, support, alpha, steps)
    gradient, loss = objective.grad(theta_prime, query), objective.value(theta_prime, query)
    v = conjugate_gradient(lambda v: v + objective.hvp(theta_prime, support, v) / pull, gradient, iterations)
    return MetaGradient(float(np.mean(loss)), mean_over_tasks(v), None)
