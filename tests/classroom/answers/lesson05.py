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


def stationary_point(h, optima, alpha):
    """The meta-gradient is linear in theta: two values of it give its zero."""

    def meta_gradient(theta):
        theta_prime = theta - alpha * h * (theta - optima)
        return np.mean((1 - alpha * h) * h * (theta_prime - optima))

    at_0, at_1 = meta_gradient(0.0), meta_gradient(1.0)
    return at_0 / (at_0 - at_1)


def one_newton_step(h, optima, alpha):
    """The loss after the step is a parabola: Newton's method ends at once."""

    def loss(theta):
        theta_prime = theta - alpha * h * (theta - optima)
        return np.sum(h / 2 * (theta_prime - optima) ** 2)

    return np.array([-grad_of(loss)(0.0) / grad_of(grad_of(loss))(0.0)])


def first_order_zero(h, optima, alpha):
    top = bottom = 0.0
    for curvature, optimum in zip(h, optima, strict=True):
        top += curvature * (1 - alpha * curvature) * optimum
        bottom += curvature * (1 - alpha * curvature)
    return top / bottom


def trained_jointly(h, optima, alpha):
    return grad_of(lambda t: np.sum(h / 2 * (t - optima) ** 2))(0.0) / -sum(h)


def as_mean_squared_error(h, optima, alpha):
    """The loss without its one half, stepped on as it stands."""

    def loss(theta):
        theta_prime = theta - alpha * 2 * h * (theta - optima)
        return np.sum(h * (theta_prime - optima) ** 2)

    return -grad_of(loss)(0.0) / grad_of(grad_of(loss))(0.0)


def middle_of_the_sorted(slopes):
    ordered, middle = sorted(slopes), len(slopes) // 2
    return ordered[middle] if len(ordered) % 2 else 0.5 * (ordered[middle - 1] + ordered[middle])


def step_by_step(h_s, h_q, theta_star, alpha, steps):
    """Walk the inner loop from two starts: theta_m is linear in theta, and the least squares do the rest."""

    def distances(theta):
        theta = np.full(len(h_s), theta)
        for _ in range(steps):
            theta = theta - alpha * h_s * (theta - theta_star)
        return np.sqrt(h_q) * (theta - theta_star)

    at_0, slope = distances(0.0), distances(1.0) - distances(0.0)
    return -np.dot(slope, at_0) / np.dot(slope, slope)


def through_autograd(h_support, h_query, optima, alpha, m):
    """The query loss after the steps is a parabola: Newton's method ends at once."""

    def loss(theta):
        for _ in range(m):
            theta = theta - alpha * h_support * (theta - optima)
        return np.mean(h_query / 2 * (theta - optima) ** 2)

    return -grad_of(loss)(0.0) / grad_of(grad_of(loss))(0.0)


def adapted_on_the_query(h_s, h_q, theta_star, alpha, steps):
    return step_by_step(h_q, h_q, theta_star, alpha, steps)


def judged_on_the_support(h_s, h_q, theta_star, alpha, steps):
    return step_by_step(h_s, h_s, theta_star, alpha, steps)


def by_bisection(given):
    """The step size at which the sum of FOMAML's weights changes its sign."""
    low, high, h = 0.0, 10.0, given["h"]
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if sum(h * (1 - middle * h)) > 0 else (low, middle)
    return low


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
    "best_init": [
        stationary_point,
        one_newton_step,
        lambda a, centres, alpha: np.average(centres, weights=a * (1 - alpha * a) ** 2),
    ],
    "best_init_new_query": [step_by_step, through_autograd],
    "runaway_alpha": [lambda given: 1 / np.average(given["h"], weights=given["h"]), by_bisection],
    "prior_precision": [
        lambda given: given["h"] / ((1 - given["alpha"] * given["h"]) ** -given["steps"] - 1),
        by_precision_of_the_path,
    ],
}

WRONG = {
    "one_step": [
        ("weights exchanged", lambda theta, a, c: [s * theta + t - s * t for t, s in zip(a, c, strict=True)]),
        ("stopped at the slope", lambda theta, a, c: np.where(c > 1, a, theta - c * (theta - a))),
        ("the way from 0", lambda theta, a, c: theta + c * a),
        ("minus for plus", lambda theta, a, c: theta - c * (a + theta)),
    ],
    "best_before": [("median", middle_of_the_sorted), ("midrange", lambda slopes: min(slopes) / 2 + max(slopes) / 2)],
    "loss_after": [
        (
            "(1 − c) not squared",
            lambda theta, mu, tau, c, x2: x2 * (theta**2 - 2 * theta * mu + mu**2 + tau**2) * (1 - c),
        ),
        ("tau for tau squared", lambda theta, mu, tau, c, x2: [x2 * (1 - c) ** 2 * (tau + (mu - theta) ** 2)]),
        (
            "(1 − c) not squared + x squared left out",
            lambda theta, mu, tau, c, x2: (1 - c) * ((theta - mu) ** 2 + tau**2),
        ),
    ],
    "best_after": [
        ("plain mean", lambda slopes, cs: sum(slopes) / len(slopes)),
        ("(1 − c) not squared", lambda slopes, cs: np.average(slopes, weights=1 - cs)),
        ("weights c", lambda slopes, cs: np.dot(cs, slopes) / np.dot(cs, np.ones(len(cs)))),
        ("(1 − c) not squared + weights not normalised", lambda slopes, cs: np.mean((1 - cs) * slopes)),
    ],
    "best_init": [
        ("first-order", first_order_zero),
        ("joint training", trained_jointly),
        ("2αh for αh", as_mean_squared_error),
        ("plain mean", lambda h, theta_star, alpha: sum(theta_star) / len(theta_star)),
        ("joint training + sum for mean", lambda h, theta_star, alpha: h @ theta_star),
    ],
    "best_init_new_query": [
        ("adapted on the query set", adapted_on_the_query),
        ("judged on the support set", judged_on_the_support),
        (
            "first-order",
            lambda h_s, h_q, theta_star, alpha, steps: np.average(theta_star, weights=h_q * (1 - alpha * h_s) ** steps),
        ),
        (
            "judged on the support set + first-order",
            lambda h_s, h_q, theta_star, alpha, steps: np.average(theta_star, weights=h_s * (1 - alpha * h_s) ** steps),
        ),
    ],
}
