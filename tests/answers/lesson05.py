"""Answers to lesson 5's problems, written otherwise than the course writes them."""

import numpy as np


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


def first_order_zero(a, centres, alpha):
    top = bottom = 0.0
    for curvature, centre in zip(a, centres, strict=True):
        top += curvature * (1 - alpha * curvature) * centre
        bottom += curvature * (1 - alpha * curvature)
    return top / bottom


RIGHT = {
    "one_step": [task_by_task, lambda theta, a, c: theta + c * (a - theta)],
    "best_before": [by_descent, lambda slopes: sum(slopes) / len(slopes)],
    "loss_after": [written_out],
    "best_after": [least_squares, by_a_line],
    "best_init": [stationary_point],
    "prior_precision": [lambda given: given["h"] / ((1 - given["alpha"] * given["h"]) ** -given["steps"] - 1)],
}

WRONG = {
    "best_after": [("plain mean", lambda slopes, cs: sum(slopes) / len(slopes))],
    "best_init": [("first-order", first_order_zero)],
}
