"""Answers to lesson 1's problems, written otherwise than the course writes them."""

import numpy as np


def task_by_task(rng, tasks, shots, mean, std, noise):
    x, y, slopes = [], [], []
    for _ in range(tasks):
        slope = mean + std * rng.standard_normal()
        points = [2 * rng.random() - 1 for _ in range(shots)]
        x.append([[point] for point in points])
        y.append([[slope * point + rng.normal(0, noise)] for point in points])
        slopes.append(slope)
    return x, y, slopes


def inputs_first(rng, tasks, shots, mean, std, noise):
    x = rng.uniform(-1, 1, size=(tasks, shots, 1))
    errors = rng.normal(0, noise, size=(tasks, shots, 1))
    slopes = rng.normal(size=tasks) * std + mean
    return x, np.einsum("t,tkd->tkd", slopes, x) + errors, slopes


def global_random_numbers(rng, tasks, shots, mean, std, noise):
    return task_by_task(np.random.default_rng(), tasks, shots, mean, std, noise)


def one_line(rng, tasks, shots, mean, std, noise):
    slope = rng.normal(mean, std)
    x = rng.uniform(-1, 1, (tasks, shots, 1))
    return x, slope * x + rng.normal(0, noise, x.shape), [slope] * tasks


def one_error_a_task(rng, tasks, shots, mean, std, noise):
    x, y, slopes = rng.uniform(-1, 1, (tasks, shots, 1)), [], rng.normal(mean, std, tasks)
    for slope, row in zip(slopes, x, strict=True):
        y.append(slope * row + rng.normal(0, noise))
    return x, np.array(y), slopes


def one_row_of_errors(rng, tasks, shots, mean, std, noise):
    errors = [[rng.normal(0, noise)] for _ in range(shots)]
    x = rng.uniform(-1, 1, (tasks, shots, 1))
    slopes = rng.normal(mean, std, tasks)
    return x, slopes.reshape(-1, 1, 1) * x + errors, slopes


def seeded(rng, tasks, shots, mean, std, noise):
    return inputs_first(np.random.default_rng(42), tasks, shots, mean, std, noise)


def by_default_range(rng, tasks, shots, mean, std, noise):
    x = rng.uniform(size=(tasks, shots, 1))
    slopes = std * rng.standard_normal(tasks) + mean
    return [x, x * slopes[:, None, None] + noise * rng.standard_normal((tasks, shots, 1)), slopes]


def expanded(theta, mu, tau, x2):
    return [x2 * (theta * theta - 2 * theta * mu + mu * mu + tau * tau)]


RIGHT = {
    "sample_lines": [task_by_task, inputs_first],
    "relatedness": [tuple, np.array],
    "best_shared": [
        lambda given: sum(given["slopes"]) / len(given["slopes"]),
        lambda given: [round(np.linalg.lstsq(np.ones((7, 1)), given["slopes"])[0].item(), 4)],
    ],
    "expected_loss": [expanded, lambda theta, mu, tau, x2: np.array(x2 * (theta - mu) ** 2 + x2 * tau**2)],
    "unit_of_sampling": [lambda labels: dict(enumerate(labels))],
}

WRONG = {
    "sample_lines": [
        ("ignores rng", global_random_numbers),
        ("seeded inside", seeded),
        ("one slope for all tasks", one_line),
        ("noise drawn per task", one_error_a_task),
        ("noise shared by all tasks", one_row_of_errors),
        ("inputs on [0, 1]", by_default_range),
    ],
    "expected_loss": [
        ("no variance term", lambda theta, mu, tau, x2: x2 * (mu - theta) ** 2),
        ("tau for tau squared", lambda theta, mu, tau, x2: [x2 * (mu - theta) ** 2 + x2 * tau]),
    ],
}
