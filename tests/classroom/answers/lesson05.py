"""Answers to lesson 5's problems, written otherwise than the course writes them."""

import autograd.numpy as np
from autograd import grad as grad_of


def task_by_task(theta, a, c):
    return [theta - share * (theta - slope) for slope, share in zip(a, c, strict=True)]


def by_descent(slopes):
    theta = 0.0
    for _ in range(400):
        theta -= 0.2 * np.mean([2 * (theta - slope) for slope in slopes])
    return theta


def written_out(theta, mu, tau, c, x2):
    left = 1 - 2 * c + c * c
    return np.array([left * x2 * (theta - mu) * (theta - mu) + left * x2 * tau * tau])


def over_two_slopes(theta, mu, tau, c, x2):
    """A p(a) of two slopes, mu - tau and mu + tau, has this mean and deviation."""
    arrived = [theta - c * (theta - slope) - slope for slope in (mu - tau, mu + tau)]
    return sum(distance**2 for distance in arrived) / 2 * x2


def least_squares(slopes, cs):
    column = (1 - cs)[:, None]
    return np.linalg.lstsq(column, (1 - cs) * slopes, rcond=None)[0]


def by_a_line(slopes, cs):
    top = sum((1 - c) ** 2 * slope for slope, c in zip(slopes, cs, strict=True))
    return [float(top / sum((1 - c) ** 2 for c in cs))]


def stationary_point(a, centres, alpha):
    """The meta-gradient is linear in theta: two values of it give its zero."""

    def meta_gradient(theta):
        theta_prime = theta - alpha * a * (theta - centres)
        return np.mean((1 - alpha * a) * a * (theta_prime - centres))

    at_0, at_1 = meta_gradient(0.0), meta_gradient(1.0)
    return at_0 / (at_0 - at_1)


def one_newton_step(a, centres, alpha):
    """The loss after the step is a parabola: Newton's method ends at once."""

    def loss(theta):
        theta_prime = theta - alpha * a * (theta - centres)
        return np.sum(a / 2 * (theta_prime - centres) ** 2)

    return np.array([-grad_of(loss)(0.0) / grad_of(grad_of(loss))(0.0)])


def first_order_zero(a, centres, alpha):
    top = bottom = 0.0
    for curvature, centre in zip(a, centres, strict=True):
        top += curvature * (1 - alpha * curvature) * centre
        bottom += curvature * (1 - alpha * curvature)
    return top / bottom


def trained_jointly(a, centres, alpha):
    return grad_of(lambda t: np.sum(a / 2 * (t - centres) ** 2))(0.0) / -sum(a)


def as_mean_squared_error(a, centres, alpha):
    """The loss without its one half, stepped on as it stands."""

    def loss(theta):
        theta_prime = theta - alpha * 2 * a * (theta - centres)
        return np.sum(a * (theta_prime - centres) ** 2)

    return -grad_of(loss)(0.0) / grad_of(grad_of(loss))(0.0)


def middle_of_the_sorted(slopes):
    ordered, middle = sorted(slopes), len(slopes) // 2
    return ordered[middle] if len(ordered) % 2 else 0.5 * (ordered[middle - 1] + ordered[middle])


def by_precision_of_the_path(given):
    """Walk the steps from 1 to 0 and read the precision off, as the lesson does."""
    theta = 1.0
    for _ in range(given["steps"]):
        theta -= given["alpha"] * given["h"] * theta
    return np.array([given["h"] * theta / (1 - theta)])


RIGHT = {
    "one_step": [task_by_task, lambda theta, a, c: theta + c * (a - theta)],
    "best_before": [by_descent, lambda slopes: sum(slopes) / len(slopes)],
    "loss_after": [written_out, over_two_slopes],
    "best_after": [least_squares, by_a_line],
    "best_init": [stationary_point, one_newton_step],
    "prior_precision": [
        lambda given: given["h"] / ((1 - given["alpha"] * given["h"]) ** -given["steps"] - 1),
        by_precision_of_the_path,
    ],
}

WRONG = {
    "one_step": [
        ("weights exchanged", lambda theta, a, c: [s * theta + t - s * t for t, s in zip(a, c, strict=True)]),
        ("stopped at the slope", lambda theta, a, c: np.where(c > 1, a, theta - c * (theta - a))),
    ],
    "best_before": [("median", middle_of_the_sorted), ("midrange", lambda slopes: min(slopes) / 2 + max(slopes) / 2)],
    "loss_after": [
        (
            "(1 − c) not squared",
            lambda theta, mu, tau, c, x2: x2 * (theta**2 - 2 * theta * mu + mu**2 + tau**2) * (1 - c),
        ),
        ("tau for tau squared", lambda theta, mu, tau, c, x2: [x2 * (1 - c) ** 2 * (tau + (mu - theta) ** 2)]),
    ],
    "best_after": [
        ("plain mean", lambda slopes, cs: sum(slopes) / len(slopes)),
        ("(1 − c) not squared", lambda slopes, cs: np.average(slopes, weights=1 - cs)),
        ("weights c", lambda slopes, cs: np.dot(cs, slopes) / np.dot(cs, np.ones(len(cs)))),
    ],
    "best_init": [
        ("first-order", first_order_zero),
        ("joint training", trained_jointly),
        ("2αa for αa", as_mean_squared_error),
        ("plain mean", lambda a, centres, alpha: sum(centres) / len(centres)),
    ],
}
