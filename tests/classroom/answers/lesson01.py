"""Answers to lesson 1's problems, written otherwise than the course writes them."""

import numpy as np

POOL = np.random.default_rng(1).normal(size=10_000)


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


def from_a_pool(rng, tasks, shots, mean, std, noise):
    x, _, slopes = inputs_first(rng, tasks, shots, mean, std, noise)
    slopes = mean + std * POOL[:tasks]
    return x, slopes[:, None, None] * x + rng.normal(0, noise, x.shape), slopes


def evenly_spaced(rng, tasks, shots, mean, std, noise):
    slopes = np.linspace(mean - 1.7 * std, mean + 1.7 * std, tasks)
    x = rng.uniform(-1, 1, (tasks, shots, 1))
    return x, slopes[:, None, None] * x + noise * rng.standard_normal(x.shape), slopes


def spread_evenly(rng, tasks, shots, mean, std, noise):
    x, _, slopes = inputs_first(rng, tasks, shots, mean, std, noise)
    half = 3**0.5 * noise
    return x, slopes[:, None, None] * x + rng.uniform(-half, half, x.shape), slopes


def a_slope_for_every_point(rng, tasks, shots, mean, std, noise):
    x, y, slopes = [], [], []
    for _ in range(tasks):
        row = rng.uniform(-1, 1, (shots, 1))
        own = rng.normal(mean, std, (shots, 1))
        x.append(row)
        y.append(own * row + rng.normal(0, noise, (shots, 1)))
        slopes.append(own.mean())
    return x, y, slopes


def variances_and_one_row(rng, tasks, shots, mean, std, noise):
    x = np.repeat(rng.uniform(-1, 1, (1, shots, 1)), tasks, axis=0)
    slopes = rng.normal(mean, std**2, tasks)
    return x, slopes[:, None, None] * x + rng.normal(0, noise**2, x.shape), slopes


def same_inputs_each_time(rng, tasks, shots, mean, std, noise):
    slopes = rng.normal(mean, std, tasks)
    x = np.random.default_rng(3).uniform(-1, 1, (tasks, shots, 1))
    return x, slopes[:, None, None] * x + rng.normal(0, noise, x.shape), slopes


def own_noise_generator(rng, tasks, shots, mean, std, noise):
    slopes = rng.normal(mean, std, tasks)
    x = rng.uniform(-1, 1, (tasks, shots, 1))
    return x, slopes[:, None, None] * x + noise * np.random.standard_normal(x.shape), slopes  # noqa: NPY002


def odds(x, tau, sigma):
    ratio = (tau * np.asarray(x) / sigma) ** 2
    return [value / (1 + value) for value in ratio]


def by_search(slopes):
    grid = np.linspace(min(slopes), max(slopes), 5)
    fit = np.polyfit(grid, [np.mean((theta - slopes) ** 2) for theta in grid], 2)
    return [-fit[1] / (2 * fit[0])]


def expanded(theta, mu, tau, x2):
    return [x2 * (theta * theta - 2 * theta * mu + mu * mu + tau * tau)]


def precisions(x, tau, sigma):
    data = sum(float(point) ** 2 for point in np.ravel(x)) / sigma**2
    return np.array([data / (data + 1 / tau**2)])


def task_after_task(x, y, sigma):
    own, errors = [], []
    for x_i, y_i in zip(x[..., 0], y[..., 0], strict=True):
        own.append(np.linalg.lstsq(x_i[:, None], y_i, rcond=None)[0].item())
        errors.append(sigma**2 / (x_i @ x_i))
    theta = sum(own) / len(own)
    tau2 = sum((a - theta) ** 2 for a in own) / len(own) - sum(errors) / len(errors)
    return [theta + tau2 / (tau2 + s2) * (a - theta) for a, s2 in zip(own, errors, strict=True)]


def noisy_spread(x, y, sigma):
    own = np.sum(x * y, axis=(1, 2)) / np.sum(x**2, axis=(1, 2))
    c = own.var() / (own.var() + sigma**2 / np.sum(x**2, axis=(1, 2)))
    return own.mean() + c * (own - own.mean())


def one_trust_from_zero(x, y, sigma):
    own = np.sum(x * y, axis=(1, 2)) / np.sum(x**2, axis=(1, 2))
    error = np.mean(sigma**2 / np.sum(x**2, axis=(1, 2)))
    return (1 - error / own.var()) * own


def all_called(label):
    """What somebody hands in who calls all eight items the same."""
    return [label] * 8


RIGHT = {
    "task_share": [odds, lambda x, tau, sigma: 1 - sigma**2 / (sigma**2 + (tau * x) ** 2)],
    "sample_lines": [task_by_task, inputs_first],
    "relatedness": [tuple, np.array],
    "best_shared": [by_search, lambda slopes: sum(slopes) / len(slopes)],
    "expected_loss": [expanded, lambda theta, mu, tau, x2: np.array(x2 * (theta - mu) ** 2 + x2 * tau**2)],
    "trust": [precisions, lambda x, tau, sigma: tau**2 * np.sum(x * x) / (tau**2 * np.sum(x * x) + sigma**2)],
    "shrink": [task_after_task],
    "unit_of_sampling": [lambda labels: dict(enumerate(labels))],
}

WRONG = {
    "task_share": [
        ("task over noise", lambda x, tau, sigma: (tau * x / sigma) ** 2),
        ("tau for tau squared + sigma for sigma squared", lambda x, tau, sigma: tau * x**2 / (tau * x**2 + sigma)),
        ("x left out", lambda x, tau, sigma: tau**2 / (tau**2 + sigma**2) + 0 * x),
    ],
    "sample_lines": [
        ("ignores rng", global_random_numbers),
        ("seeded inside", seeded),
        ("one slope for all tasks", one_line),
        ("noise drawn per task", one_error_a_task),
        ("noise shared by all tasks", one_row_of_errors),
        ("inputs on [0, 1]", by_default_range),
        ("the same slopes at every call", from_a_pool),
        ("slopes on a grid", evenly_spaced),
        ("uniform noise", spread_evenly),
        ("not one slope a task", a_slope_for_every_point),
        ("std squared + the same inputs for all tasks + noise squared", variances_and_one_row),
        ("the same inputs at every call", same_inputs_each_time),
        ("noise ignores rng", own_noise_generator),
    ],
    "best_shared": [("root mean square", lambda slopes: np.sqrt((np.array(slopes) ** 2).mean()))],
    "expected_loss": [
        ("no variance term", lambda theta, mu, tau, x2: x2 * (mu - theta) ** 2),
        ("tau for tau squared", lambda theta, mu, tau, x2: [x2 * (mu - theta) ** 2 + x2 * tau]),
        ("distance without inputs", lambda theta, mu, tau, x2: (theta - mu) ** 2 + tau**2 * x2),
        ("distance left out", lambda theta, mu, tau, x2: tau * tau * x2),
    ],
    "trust": [
        ("trust in the start", lambda x, tau, sigma: sigma**2 / (tau**2 * np.sum(x**2) + sigma**2)),
        ("number of points for their squares", lambda x, tau, sigma: tau**2 / (tau**2 + sigma**2 / len(x))),
        (
            "mean for sum + sigma for sigma squared",
            lambda x, tau, sigma: tau**2 / (tau**2 + sigma / np.mean(x**2)),
        ),
    ],
    "shrink": [
        ("noise counted as spread", noisy_spread),
        ("one c for all tasks + starts at zero", one_trust_from_zero),
    ],
    "relatedness": [("everything called related", all_called("related"))],
    "unit_of_sampling": [("everything called task", all_called("task"))],
}
