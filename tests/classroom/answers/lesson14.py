"""Answers to lesson 14's problems, written otherwise than the course writes them."""

import statistics

import numpy as np

from mlcourse import confidence_interval
from mlcourse.tasks import Data


def by_choice(names, number, rng):
    held_out = set(rng.choice(sorted(set(names)), number, replace=False))
    return np.array([name in held_out for name in names])


def by_shuffling(names, number, rng):
    tasks = sorted(set(names))
    rng.shuffle(tasks)
    return [bool(name in tasks[-number:]) for name in names]


def a_mask_of_rows(names, number, rng):
    mask = np.zeros(len(names), dtype=bool)
    mask[rng.choice(len(names), round(len(names) * number / len(set(names))), replace=False)] = True
    return mask


def a_seed_of_its_own(names, number, rng):
    return np.isin(names, np.random.RandomState(1).permutation(np.unique(names))[:number])


def by_loops(y, training):
    own = [float(value) for value, used in zip(y, training, strict=True) if used]
    return [(value - statistics.fmean(own)) / statistics.pstdev(own) for value in y]


def by_moments(y, training):
    share = training / training.sum()
    mean = share @ y
    return (y - mean) / np.sqrt(share @ y**2 - mean**2)


def sklearn_style(y, training):
    return (y - np.mean(y)) / np.std(y)


def spread_of_all(y, training):
    return (y - y[training].mean()) / y.std()


def without_brackets(y, training):
    return y - y[training].mean() / y[training].std()


def by_interval(meta, baseline):
    mean, half = confidence_interval(meta - baseline)
    return [mean, half, bool(mean < -half)]


def by_statistics(meta, baseline):
    pairs = [one - other for one, other in zip(meta, baseline, strict=True)]
    mean, half = statistics.fmean(pairs), 1.96 * statistics.stdev(pairs) / len(pairs) ** 0.5
    return mean, half, mean + half < 0


def two_samples(meta, baseline):
    half = 1.96 * np.sqrt(meta.var(ddof=1) / len(meta) + baseline.var(ddof=1) / len(baseline))
    mean = meta.mean() - baseline.mean()
    return mean, half, mean + half < 0


def row_by_row(names, x, y):
    tasks = {}
    for name, one, other in zip(names, x, y, strict=True):
        tasks.setdefault(str(name), ([], []))
        tasks[str(name)][0].append([one])
        tasks[str(name)][1].append([other])
    return {name: (np.array(xs), np.array(ys)) for name, (xs, ys) in tasks.items()}


def as_data(names, x, y):
    return {name: Data(*(each[names == name].reshape(-1, 1) for each in (x, y))) for name in set(names.tolist())}


def by_itertools(names, x, y):
    from itertools import groupby

    tasks = {}
    for name, rows in groupby(range(len(names)), key=lambda i: names[i]):
        at = list(rows)
        tasks[name] = (x[at][:, None], y[at][:, None])
    return tasks


def by_polyfit(x, y, x_query):
    lines = [np.polyfit(a[:, 0], b[:, 0], 1) for a, b in zip(x, y, strict=True)]
    return np.stack([np.polyval(line, a) for line, a in zip(lines, x_query, strict=True)])


def by_centring(x, y, x_query):
    dx, dy = x - x.mean(1, keepdims=True), y - y.mean(1, keepdims=True)
    slope = (dx * dy).sum(1, keepdims=True) / (dx**2).sum(1, keepdims=True)
    return y.mean(1, keepdims=True) + slope * (x_query - x.mean(1, keepdims=True))


def polyfit_of_all(x, y, x_query):
    return np.polyval(np.polyfit(x.ravel(), y.ravel(), 1), x_query)


def by_the_gain(A, y, mu, C, sigma):
    gain = C @ A.T @ np.linalg.inv(A @ C @ A.T + sigma**2 * np.eye(len(y)))
    return mu + gain @ (y - A @ mu)


def row_after_row(A, y, mu, C, sigma):
    for a, target in zip(A, y, strict=True):
        gain = C @ a / (a @ C @ a + sigma**2)
        mu, C = mu + gain * (target - a @ mu), C - np.outer(gain, a @ C)
    return list(mu)


def gain_on_y(A, y, mu, C, sigma):
    return mu + C @ A.T @ np.linalg.solve(A @ C @ A.T + sigma**2 * np.eye(len(y)), y)


def ridge_around_mu(A, y, mu, C, sigma):
    return mu + np.linalg.solve(A.T @ A + sigma**2 * np.eye(len(mu)), A.T @ (y - A @ mu))


def as_ridge(A, y, mu, C, sigma):
    return np.linalg.inv(A.T @ A + sigma**2 * np.linalg.inv(C)) @ A.T @ y


def by_a_dictionary(squared, names, trained):
    rows = {}
    for name, error in zip(names, squared, strict=True):
        if name not in trained:
            rows.setdefault(name, []).append(error)
    errors = [statistics.fmean(each) ** 0.5 for each in rows.values()]
    return statistics.fmean(errors), 1.96 * statistics.stdev(errors) / len(errors) ** 0.5


def by_counting(squared, names, trained):
    held, index = np.unique(names[~np.isin(names, trained)], return_inverse=True)
    sums = np.bincount(index, squared[~np.isin(names, trained)], len(held))
    return np.array(confidence_interval(np.sqrt(sums / np.bincount(index))))


def over_rows(squared, names, trained):
    return confidence_interval(np.sqrt(squared[~np.isin(names, trained)]))


def pandas_style_mean(squared, names, trained):
    errors = np.array([np.sqrt(squared[names == name].mean()) for name in np.unique(names)])
    return errors.mean(), 1.96 * errors.std(ddof=1) / np.sqrt(len(errors))


RIGHT = {
    "split": [by_choice, lambda *given: np.array(by_shuffling(*given))],
    "standardise": [by_loops, by_moments],
    "meta_trained_beats_baseline": [by_interval, by_statistics],
    "load": [row_by_row, as_data],
    "baseline": [by_polyfit, by_centring],
    "posterior": [by_the_gain, row_after_row],
    "honest_report": [by_a_dictionary, by_counting],
    "which_mistake": [tuple, lambda labels: [label.upper() for label in labels]],
    "which_learner": [np.array, lambda labels: dict(enumerate(labels))],
}

WRONG = {
    "split": [("splits rows, not tasks", a_mask_of_rows), ("the same tasks whatever rng is", a_seed_of_its_own)],
    "standardise": [
        ("standardised on all rows", sklearn_style),
        ("the spread of all rows", spread_of_all),
        ("brackets left out", without_brackets),
    ],
    "meta_trained_beats_baseline": [("as if they were different tasks", two_samples)],
    "load": [("rows that stand together", by_itertools)],
    "baseline": [("one line for all", polyfit_of_all)],
    "posterior": [
        ("prior around 0", as_ridge),
        ("μ counted twice", gain_on_y),
        ("variances of 1", ridge_around_mu),
    ],
    "honest_report": [("training tasks counted in", pandas_style_mean), ("rows, not tasks", over_rows)],
}
