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


def steps_on_lists(grad, theta, alpha, steps):
    theta_i = list(theta)
    for _ in range(steps):
        theta_i = [t - alpha * g for t, g in zip(theta_i, grad(theta_i), strict=True)]
    return theta_i


def first_step_apart(grad, theta, alpha, steps):
    theta_i = theta - alpha * grad(theta)
    for _ in range(steps - 1):
        theta_i = theta_i - alpha * grad(theta_i)
    return theta_i


def return_inside_the_loop(grad, theta, alpha, steps):
    for _ in range(steps):
        theta = theta - alpha * grad(theta)
        return theta


def never_fed_back(grad, theta, alpha, steps):
    for _ in range(steps):
        theta_prime = theta - alpha * grad(theta)
    return theta_prime


def range_from_one(grad, theta, alpha, steps):
    for _ in range(1, steps):
        theta = theta - alpha * grad(theta)
    return theta


def second_name_for_theta(grad, theta, alpha, steps):
    theta_i = theta
    for _ in range(steps):
        theta_i -= alpha * grad(theta_i)
    return theta_i


def one_gradient(grad, theta, alpha, steps):
    slope, moved = grad(theta), np.array(theta)
    for _ in range(steps):
        moved = moved - alpha * slope
    return list(moved)


def sum_over_points(x, alpha):
    return sum(2 * alpha * float(point[0]) ** 2 for point in x) / len(x)


def where(grad, theta, mask, alpha):
    return np.where(mask == 1, theta - alpha * grad(theta), theta)


def entry_by_entry(grad, theta, mask, alpha):
    gradient = grad(theta)
    return [t - alpha * g if m else t for t, g, m in zip(theta, gradient, mask, strict=True)]


def some_entries_in_place(grad, theta, mask, alpha):
    theta[mask == 1] -= alpha * grad(theta)[mask == 1]
    return theta


def copied_entries(grad, theta, mask, alpha):
    theta_prime = theta.copy()
    theta_prime[mask > 0] -= alpha * np.asarray(grad(theta))[mask > 0]
    return theta_prime


def count_steps(given):
    left, steps = 1.0, 0
    while left > 1 / given["factor"]:
        left, steps = left * (1 - given["c"]), steps + 1
    return steps


RIGHT = {
    "inner_step": [step_as_list, step_on_a_copy],
    "adapt": [steps_by_recursion, steps_with_while, steps_on_lists, first_step_apart],
    "contraction": [sum_over_points, lambda x, alpha: np.array([[2 * alpha / len(x) * np.sum(x * x)]])],
    "largest_stable_alpha": [lambda given: 2 / (2 * np.dot(given["x"], given["x"]) / len(given["x"]))],
    "steps_to_shrink": [count_steps, lambda given: np.array([count_steps(given)])],
    "adapt_part": [where, entry_by_entry, copied_entries],
}

WRONG = {
    "inner_step": [("changes theta in place", step_in_place)],
    "adapt": [
        ("same gradient every step", one_gradient),
        ("one step only", return_inside_the_loop),
        ("one step only", never_fed_back),
        ("one step too few", range_from_one),
        ("changes theta in place", second_name_for_theta),
    ],
    "contraction": [("sum for mean", lambda x, alpha: [2 * alpha * float(np.dot(x[:, 0], x[:, 0]))])],
    "adapt_part": [
        ("changes theta in place", some_entries_in_place),
        ("masks theta", lambda grad, theta, mask, alpha: theta * mask - alpha * grad(theta) * mask),
    ],
}
