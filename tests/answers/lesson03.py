"""Answers to lesson 3's problems, written otherwise than the course writes them."""

import numpy as np


def step_as_list(theta, grad, alpha):
    return [float(t - alpha * g) for t, g in zip(theta, grad(theta), strict=True)]


def step_on_a_copy(theta, grad, alpha):
    moved = np.copy(theta)
    moved -= alpha * grad(moved)
    return moved


def step_in_place(theta, grad, alpha):
    theta[:] = theta - alpha * np.asarray(grad(theta))
    return theta


def steps_by_recursion(grad, theta, alpha, steps):
    return theta if steps == 0 else steps_by_recursion(grad, theta - alpha * grad(theta), alpha, steps - 1)


def steps_with_while(grad, theta, alpha, steps):
    path = [np.array(theta)]
    while len(path) <= steps:
        path.append(path[-1] - alpha * grad(path[-1]))
    return path[-1].tolist()


def one_gradient(grad, theta, alpha, steps):
    slope, moved = grad(theta), np.array(theta)
    for _ in range(steps):
        moved = moved - alpha * slope
    return list(moved)


def sum_over_points(x, alpha):
    return sum(2 * alpha * float(point[0]) ** 2 for point in x) / len(x)


def where(theta, grad, mask, alpha):
    return np.where(mask == 1, theta - alpha * grad(theta), theta)


def entry_by_entry(theta, grad, mask, alpha):
    gradient = grad(theta)
    return [t - alpha * g if m else t for t, g, m in zip(theta, gradient, mask, strict=True)]


def count_steps(given):
    left, steps = 1.0, 0
    while left > 1 / given["factor"]:
        left, steps = left * (1 - given["c"]), steps + 1
    return steps


RIGHT = {
    "inner_step": [step_as_list, step_on_a_copy],
    "adapt": [steps_by_recursion, steps_with_while],
    "contraction": [sum_over_points, lambda x, alpha: np.array([[2 * alpha / len(x) * np.sum(x * x)]])],
    "largest_stable_alpha": [lambda given: 2 / (2 * np.dot(given["x"], given["x"]) / len(given["x"]))],
    "steps_to_shrink": [count_steps, lambda given: np.array([count_steps(given)])],
    "adapt_part": [where, entry_by_entry],
}

WRONG = {
    "inner_step": [("changes theta in place", step_in_place)],
    "adapt": [("same gradient every step", one_gradient)],
    "contraction": [("sum for mean", lambda x, alpha: [2 * alpha * float(np.dot(x[:, 0], x[:, 0]))])],
    "adapt_part": [("masks theta", lambda theta, grad, mask, alpha: theta * mask - alpha * grad(theta) * mask)],
}
