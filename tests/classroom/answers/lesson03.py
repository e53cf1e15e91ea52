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


def gradients_pile_up(grad, theta, alpha, steps):
    total = np.zeros_like(theta)
    for _ in range(steps):
        total += grad(theta)
        theta = theta - alpha * total
    return theta


def uphill_from_one(grad, theta, alpha, steps):
    for _ in range(1, steps):
        theta = theta + alpha * grad(theta)
    return theta


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


def eigenvalues_of_the_step(hessian, alpha):
    return np.abs(np.linalg.eigvalsh(np.eye(len(hessian)) - alpha * hessian))[::-1]


def roots(given):
    """Both eigenvalues of [[p, q], [q, 1]] from trace and determinant."""
    p, q = np.mean(given["x"] ** 2), np.mean(given["x"])
    return 2 / (p + 1 + np.sqrt((p - 1) ** 2 + 4 * q**2))


def largest_from_features(given):
    features = np.stack([given["x"], np.ones(4)], axis=1)
    return 2 / max(np.linalg.svd(features)[1] ** 2 * 2 / 4)


def ends_by_running(theta, x, y):
    w, b = theta
    alpha = 0.5 / (x**2 + 1) * 0.9
    for _ in range(200):
        error = w * x + b - y
        w, b = w - 2 * alpha * error * x, b - 2 * alpha * error
    return w, b


def ends_by_pseudo_inverse(theta, x, y):
    features = np.array([[x, 1.0]])
    return theta + np.linalg.pinv(features) @ (np.array([y]) - features @ theta)


def least_norm_line(theta, x, y):
    return np.linalg.lstsq(np.array([[x, 1.0]]), np.array([y]), rcond=None)[0]


def choose_with_a_loop(validation, test):
    best, chosen = float("inf"), 0
    for m, losses in enumerate(validation):
        if np.mean(losses) < best:
            best, chosen = np.mean(losses), m
    return [chosen, np.mean(test[chosen])]


def choose_on_both(validation, test):
    means = test.mean(axis=1)
    return int(means.argmin()), float(means.min())


def last_row(validation, test):
    return len(test) - 1, test[-1].mean()


RIGHT = {
    "inner_step": [step_as_list, step_on_a_copy],
    "adapt": [steps_by_recursion, steps_with_while, steps_on_lists, first_step_apart],
    "contraction": [sum_over_points, lambda x, alpha: np.array([[2 * alpha / len(x) * np.sum(x * x)]])],
    "share_kept": [
        eigenvalues_of_the_step,
        lambda hessian, alpha: [abs(1 - alpha * h) for h in np.linalg.eigh(hessian)[0]],
    ],
    "largest_stable_alpha": [roots, largest_from_features],
    "steps_to_shrink": [count_steps, lambda given: np.array([count_steps(given)])],
    "adapt_part": [where, entry_by_entry, copied_entries],
    "where_it_ends": [ends_by_running, ends_by_pseudo_inverse],
    "choose_steps": [choose_with_a_loop],
}

WRONG = {
    "inner_step": [
        ("changes theta in place", step_in_place),
        ("the gradient itself", lambda theta, grad, alpha: grad(theta)),
        ("the gradient itself + sign", lambda theta, grad, alpha: -grad(theta)),
        ("uphill + alpha left out", lambda theta, grad, alpha: theta + grad(theta)),
        ("theta for its gradient", lambda theta, grad, alpha: (1 - alpha) * theta),
    ],
    "adapt": [
        ("same gradient every step", one_gradient),
        ("one step only", return_inside_the_loop),
        ("one step only", never_fed_back),
        ("one step too few", range_from_one),
        ("changes theta in place", second_name_for_theta),
        ("gradients pile up", gradients_pile_up),
        ("one step too few + uphill", uphill_from_one),
    ],
    "contraction": [
        ("sum for mean", lambda x, alpha: [2 * alpha * float(np.dot(x[:, 0], x[:, 0]))]),
        ("sum for mean + factor 2 left out", lambda x, alpha: alpha * np.sum(x**2)),
        ("variance for mean square", lambda x, alpha: 2 * alpha * np.var(x)),
        ("factor 2 left out + alpha left out", lambda x, alpha: np.mean(x**2)),
    ],
    "share_kept": [
        ("what is covered", lambda hessian, alpha: alpha * np.linalg.eigvalsh(hessian)),
        ("no absolute value", lambda hessian, alpha: 1 - alpha * np.linalg.eigvalsh(hessian)),
    ],
    "adapt_part": [
        ("changes theta in place", some_entries_in_place),
        ("masks theta", lambda grad, theta, mask, alpha: theta * mask - alpha * grad(theta) * mask),
        ("what is subtracted, not theta prime", lambda grad, theta, mask, alpha: alpha * mask * grad(theta)),
    ],
    "where_it_ends": [("as if from zero", least_norm_line)],
    "choose_steps": [("chosen on the test tasks", choose_on_both), ("the last step", last_row)],
}
