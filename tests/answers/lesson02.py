"""Answers to lesson 2's problems, written otherwise than the course writes them."""

import numpy as np


def split_with_a_mask(x, y, shots, rng):
    chosen = np.zeros(len(x), dtype=bool)
    chosen[rng.choice(len(x), shots, replace=False)] = True
    return (x[chosen], y[chosen]), (x[~chosen], y[~chosen])


def split_with_lists(x, y, shots, rng):
    points = [(list(a), list(b)) for a, b in zip(x, y, strict=True)]
    rng.shuffle(points)
    return [[list(part) for part in zip(*rows, strict=True)] for rows in (points[:shots], points[shots:])]


def first_points(x, y, shots, rng):
    return [x[:shots], y[:shots]], [x[shots:], y[shots:]]


def episode_in_lists(images, labels, ways, shots, queries, rng):
    names = list(set(labels.tolist()))
    rng.shuffle(names)
    parts = {"support": ([], []), "query": ([], [])}
    for new, name in enumerate(names[:ways]):
        mine = [image for image, label in zip(images, labels, strict=True) if label == name]
        rng.shuffle(mine)
        for part, rows in (("support", mine[:shots]), ("query", mine[shots : shots + queries])):
            parts[part][0].extend(rows)
            parts[part][1].extend([new] * len(rows))
    return tuple(parts.values())


def with_replacement(images, labels, ways, shots, queries, rng):
    support, query = [], []
    for new, name in enumerate(rng.choice(np.unique(labels), ways, replace=False)):
        mine = np.flatnonzero(labels == name)
        support += [(images[i], new) for i in rng.permutation(mine)[:shots]]
        rest = [i for i in mine if not any((images[i] == image).all() for image, _ in support)]
        query += [(support[-1][0], new), *((images[i], new) for i in rest[: queries - 1])]
    return [tuple(map(np.array, zip(*part, strict=True))) for part in (support, query)]


def running_mean(loss, adapt, theta, episodes):
    total = 0.0
    for support, query, _ in episodes:
        total += loss(adapt(theta, support), query) / len(episodes)
    return [total]


def difference_of_means(loss, theta_prime, episodes):
    query = sum(loss(theta_prime[i], episodes[i].query) for i in range(len(episodes)))
    support = sum(loss(theta_prime[i], episodes[i].support) for i in range(len(episodes)))
    return np.array([(query - support) / len(episodes)])


RIGHT = {
    "split": [split_with_a_mask, split_with_lists],
    "n_way_k_shot": [episode_in_lists],
    "episode_size": [lambda given: given["tasks"] * given["ways"] * (given["shots"] + given["queries"])],
    "meta_objective": [running_mean],
    "leakage": [difference_of_means],
}

WRONG = {
    "split": [("first K always", first_points)],
    "n_way_k_shot": [("overlap", with_replacement)],
    "meta_objective": [
        ("support loss", lambda loss, adapt, t, es: sum(loss(adapt(t, s), s) for s, _, _ in es) / len(es))
    ],
}
