"""The inner loop: from theta to theta', a few gradient steps on one task's support set."""

import numpy as np

from mlcourse.checks import DivergenceError, at_least, step_size
from mlcourse.objectives import for_each_task, place


def descend(here, alpha, steps):
    """Yield the places at theta_0, theta_1, …, theta_m that gradient steps lead to; nothing is kept.

    here  the place at theta_0 (see `objectives.place`); alpha, steps and errors as in `trajectory`
    """
    steps, alpha = at_least("steps", steps, 0), step_size(alpha, np.shape(here.theta)[-1])
    yield here
    for step in range(1, steps + 1):
        with np.errstate(over="ignore", invalid="ignore"):
            theta_i = -alpha * here.grad
            theta_i += here.theta  # in place: memory, not arithmetic, is what this line costs
        finite = np.isfinite(theta_i)
        if not finite.all():
            diverged = ~finite.all(axis=-1)
            raise DivergenceError(step, np.flatnonzero(diverged) if diverged.ndim else (), alpha)
        here = here.at(theta_i)
        yield here


def arrive(here, alpha, steps):
    """The last of the places that `descend` yields."""
    for last in descend(here, alpha, steps):
        here = last
    return here


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
    start, *path = (here.theta for here in descend(place(objective, theta, support), alpha, steps))
    return np.stack([for_each_task(start, np.shape(support.x)[:-2]), *path])


def adapt(objective, theta, support, alpha, steps):
    """theta' = theta_m, the parameters after m inner steps: (..., P). Arguments as in `trajectory`."""
    theta_prime = arrive(place(objective, theta, support), alpha, steps).theta
    return theta_prime if steps else np.array(for_each_task(theta_prime, np.shape(support.x)[:-2]))
