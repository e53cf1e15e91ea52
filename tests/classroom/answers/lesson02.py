"""Answers to lesson 2's problems, written otherwise than the course writes them."""

import numpy as np

from mlcourse import Data, Episode


def split_with_a_mask(x, y, shots, rng):
    chosen = np.zeros(len(x), dtype=bool)
    chosen[rng.choice(len(x), shots, replace=False)] = True
    return (x[chosen], y[chosen]), (x[~chosen], y[~chosen])


def split_with_lists(x, y, shots, rng):
    points = [(list(a), list(b)) for a, b in zip(x, y, strict=True)]
    rng.shuffle(points)
    return [[list(part) for part in zip(*rows, strict=True)] for rows in (points[:shots], points[shots:])]


def overlapping_choices(x, y, shots, rng):
    support = rng.choice(len(x), shots, replace=False)
    query = rng.choice(len(x), len(x) - shots, replace=False)
    return (x[support], y[support]), (x[query], y[query])


def support_by_integers(x, y, shots, rng):
    chosen = rng.integers(len(x), size=shots)
    rest = [i for i in range(len(x)) if i not in chosen]
    return Episode(Data(x[chosen], y[chosen]), Data(x[rest], y[rest]), {})


def split_by_the_global_generator(x, y, shots, rng):
    order = np.random.permutation(len(x))  # noqa: NPY002 (the mistake itself)
    return (x[order[:shots]], y[order[:shots]]), (x[order[shots:]], y[order[shots:]])


def only_x_shuffled(x, y, shots, rng):
    order = rng.permutation(len(x))
    return (x[order[:shots]], y[:shots]), (x[order[shots:]], y[shots:])


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


def episode_from_a_shuffled_data_set(images, labels, ways, shots, queries, rng):
    order = rng.permutation(len(labels))
    names = list(dict.fromkeys(labels[order].tolist()))[:ways]
    rows = np.array([[i for i in order if labels[i] == name][: shots + queries] for name in names])
    numbers = np.repeat(rng.permutation(ways)[:, None], shots + queries, axis=1)
    cut = [np.s_[:, :shots], np.s_[:, shots:]]
    return Episode(*(Data(images[rows[part].ravel()], numbers[part].ravel()) for part in cut), {})


def classes_from_all_labels(images, labels, ways, shots, queries, rng):
    support, query = ([], []), ([], [])
    for new, name in enumerate(rng.choice(labels, ways, replace=False)):  # frequent names come twice
        positions = rng.permutation(np.where(labels == name)[0])
        for (x, y), some in ((support, positions[:shots]), (query, positions[shots : shots + queries])):
            x.extend(images[some])
            y.extend([new] * len(some))
    return support, query


def numbered_by_rank(images, labels, ways, shots, queries, rng):
    names = rng.permutation(np.unique(labels))[:ways]
    ranks = {name: rank for rank, name in enumerate(sorted(names))}
    positions = [rng.permutation(np.where(labels == name)[0]) for name in names]
    support = [i for some in positions for i in some[:shots]]
    query = [i for some in positions for i in some[shots : shots + queries]]
    return [(images[part], [ranks[name] for name in labels[part]]) for part in (support, query)]


def one_image_in_both(images, labels, ways, shots, queries, rng):
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


def mean_of_an_array(loss, adapt, theta, episodes):
    adapted = [adapt(theta.copy(), Data(*episode.support)) for episode in episodes]
    return np.array([loss(at, episode[1]) for at, episode in zip(adapted, episodes, strict=True)]).mean(keepdims=True)


def first_loss(loss, adapt, theta, episodes):
    for episode in episodes:
        return loss(adapt(theta, episode.support), episode.query)


def mean_of_differences(loss, theta_prime, episodes):
    total = 0
    for at, (support, query, _) in zip(theta_prime, episodes, strict=True):
        total = total + (loss(at, query) - loss(at, support))
    return float(total) / len(theta_prime)


def difference_of_means(loss, theta_prime, episodes):
    query = sum(loss(theta_prime[i], episodes[i].query) for i in range(len(episodes)))
    support = sum(loss(theta_prime[i], episodes[i].support) for i in range(len(episodes)))
    return np.array([(query - support) / len(episodes)])


def copied_one_by_one(support, x):
    return [support.y[min(range(len(support.x)), key=lambda k: np.sum((support.x[k] - at) ** 2))] for at in x]


def copied_by_sorting(support, x):
    distance = np.linalg.norm(x[:, None, :] - support.x[None], axis=2)
    return np.take_along_axis(support.y, np.argsort(distance, axis=1)[:, :1], axis=0)


def along_the_first_axis(support, x):
    distance = np.sum((x[:, None] - support.x) ** 2, axis=-1)
    return np.argmin(distance, axis=1).tolist()


def split_in_place_by_one_order(x, y, shots, rng):
    order = rng.permutation(len(x))
    x[:] = x[order]
    return (x[:shots], y[order[:shots]]), (x[shots:], y[order[shots:]])


def only_x_shuffled_in_place(x, y, shots, rng):
    rng.shuffle(x)
    return (x[:shots], y[:shots]), (x[shots:], y[shots:])


def window_without_a_turn(x, y, shots, rng):
    start = int(rng.integers(len(x) - shots + 1))
    inside = np.isin(np.arange(len(x)), np.arange(start, start + shots))
    return (x[inside], y[inside]), (x[~inside], y[~inside])


def first_points_and_all_as_query(x, y, shots, rng):
    return (x[:shots], y[:shots]), (x, y)


def support_for_both(x, y, shots, rng):
    chosen = rng.choice(len(x), shots, replace=False)
    support = Data(x[chosen], y[chosen])
    return Episode(support, support, {})


def mirrored(images, labels, ways, shots, queries, rng):
    """The classes' own names, and the support images again as queries."""
    support, query = [], []
    for name in rng.permutation(np.unique(labels))[:ways]:
        mine = rng.permutation(np.flatnonzero(labels == name))
        support += [(i, name) for i in mine[:shots]]
        query += [(i, name) for i in mine[:queries]]
    return tuple((images[[i for i, _ in rows]], np.array([y for _, y in rows])) for rows in (support, query))


def images_without_rng(images, labels, ways, shots, queries, rng):
    import random

    support, query = ([], []), ([], [])
    for new, name in enumerate(rng.permutation(np.unique(labels))[:ways]):
        mine = np.flatnonzero(labels == name).tolist()
        random.shuffle(mine)
        for (x, y), some in ((support, mine[:shots]), (query, mine[shots : shots + queries])):
            x += [images[i] for i in some]
            y += [new] * len(some)
    return support, query


def gap_without_sign(loss, theta_prime, episodes):
    return np.mean([abs(loss(t, e.query) - loss(t, e.support)) for t, e in zip(theta_prime, episodes, strict=True)])


def weights_averaged(loss, adapt, theta, episodes):
    mean = sum(adapt(theta, episode.support) for episode in episodes) / len(episodes)
    return np.mean([loss(mean, episode.query) for episode in episodes])


def losses_of_all(loss, adapt, theta, episodes):
    return [loss(adapt(theta, e.support), e.query) for e in episodes]


RIGHT = {
    "memoriser": [copied_one_by_one, copied_by_sorting],
    "split": [split_with_a_mask, split_with_lists],
    "n_way_k_shot": [episode_in_lists, episode_from_a_shuffled_data_set],
    "episode_size": [
        lambda given: given["tasks"] * given["ways"] * (given["shots"] + given["queries"]),
        lambda given: np.array([sum(given["ways"] * given[kind] for kind in ("shots", "queries"))]) * given["tasks"],
    ],
    "meta_objective": [running_mean, mean_of_an_array],
    "leakage": [difference_of_means, mean_of_differences],
    "who_may_see_what": [np.array, lambda labels: tuple(label.upper() + " " for label in labels)],
    "query_from_support": [
        lambda given: round(
            given["support_loss"]
            / (1 - given["parameters"] / given["points"])
            * (1 + given["parameters"] / given["points"]),
            4,
        ),
    ],
}

WRONG = {
    "memoriser": [("the position, not its y", along_the_first_axis)],
    "split": [
        ("first K always", first_points),
        ("overlap", overlapping_choices),
        ("drawn with replacement", support_by_integers),
        ("x and y shuffled apart", only_x_shuffled),
        ("ignores rng", split_by_the_global_generator),
        ("the query set is the support set", support_for_both),
        ("a window, not any K points", window_without_a_turn),
        ("changes its inputs", split_in_place_by_one_order),
        ("shuffled in place", only_x_shuffled_in_place),
        ("all points in the query set + first K always", first_points_and_all_as_query),
    ],
    "n_way_k_shot": [
        ("overlap", one_image_in_both),
        ("a class twice", classes_from_all_labels),
        ("the same numbering every time", numbered_by_rank),
        ("the query set is the support set + labels not renumbered", mirrored),
        ("ignores rng for the images", images_without_rng),
    ],
    "meta_objective": [
        ("support loss", lambda loss, adapt, t, es: sum(loss(adapt(t, s), s) for s, _, _ in es) / len(es)),
        ("only the first episode", first_loss),
        ("one theta prime for all", weights_averaged),
        ("a list of losses", losses_of_all),
    ],
    "leakage": [
        (
            "the other way round",
            lambda loss, ts, es: np.mean([loss(t, e.support) - loss(t, e.query) for t, e in zip(ts, es, strict=True)]),
        ),
        ("absolute value", gap_without_sign),
    ],
}
