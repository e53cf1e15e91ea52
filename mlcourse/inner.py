"""The inner loop: from theta to theta', a few gradient steps on one task's support set."""

import numpy as np

from mlcourse.checks import DivergenceError, at_least, step_size


def descend(objective, theta, support, alpha, steps):
    """[theta_0, …, theta_m] as in `trajectory`, and the m gradients of the support loss that it stepped along."""
    at_least("steps", steps, 0)
    alpha = step_size(alpha, np.shape(theta)[-1])
    batch = np.broadcast_shapes(np.shape(theta)[:-1], np.shape(support.x)[:-2])
    theta_i = np.broadcast_to(theta, (*batch, np.shape(theta)[-1]))
    thetas, gradients = [theta_i], []
    for step in range(1, steps + 1):
        with np.errstate(over="ignore", invalid="ignore"):
            gradient = objective.grad(theta_i, support)
            theta_i = theta_i - alpha * gradient
        finite = np.all(np.isfinite(theta_i), axis=-1)
        if not np.all(finite):
            raise DivergenceError(step, np.flatnonzero(~finite) if np.ndim(finite) else (), alpha)
        thetas.append(theta_i)
        gradients.append(gradient)
    return thetas, gradients


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
    return np.stack(descend(objective, theta, support, alpha, steps)[0])


def adapt(objective, theta, support, alpha, steps):
    """theta' = theta_m, the parameters after m inner steps: (..., P). Arguments as in `trajectory`."""
    theta_prime = descend(objective, theta, support, alpha, steps)[0][-1]
    return theta_prime if steps else theta_prime.copy()
