"""The inner loop: from theta to theta', a few gradient steps on one task's support set."""

import numpy as np

from mlcourse.checks import DivergenceError, all_finite, at_least, step_size


def descend(objective, theta, support, alpha, steps):
    """Yield (theta_i, gradient), i = 0 … m: where the loop stands, and the gradient that led there, None at the start.

    Arguments as in `trajectory`; nothing is kept.
    """
    at_least("steps", steps, 0)
    alpha = step_size(alpha, np.shape(theta)[-1])
    batch = np.broadcast_shapes(np.shape(theta)[:-1], np.shape(support.x)[:-2])
    theta_i = np.broadcast_to(theta, (*batch, np.shape(theta)[-1]))
    yield theta_i, None
    for step in range(1, steps + 1):
        with np.errstate(over="ignore", invalid="ignore"):
            gradient = objective.grad(theta_i, support)
            theta_i = theta_i - alpha * gradient
        finite = True if all_finite(theta_i) else np.all(np.isfinite(theta_i), axis=-1)
        if not np.all(finite):
            raise DivergenceError(step, np.flatnonzero(~finite) if np.ndim(finite) else (), alpha)
        yield theta_i, gradient


def trajectory(objective, theta, support, alpha, steps):
    """All of theta_0, theta_1, …, theta_m with theta_{i+1} = theta_i - alpha * grad L_s(theta_i).

    objective  anything with grad(theta, data)
    theta      (..., P)     where every task starts
    support    Data         leading axes are tasks
    alpha      scalar or (P,)  inner step size; zeros keep parameters still (ANIL)
    steps      m >= 0
    ->         (m + 1, ..., P)
    Raises DivergenceError, with the step and the tasks, when a theta_i is not finite.
    Finn et al. 2017, equation 1.
    """
    return np.stack([theta_i for theta_i, _ in descend(objective, theta, support, alpha, steps)])


def adapt(objective, theta, support, alpha, steps):
    """theta' = theta_m, the parameters after m inner steps: (..., P). Arguments as in `trajectory`."""
    for theta_i, _ in descend(objective, theta, support, alpha, steps):
        theta_prime = theta_i
    return theta_prime if steps else theta_prime.copy()
