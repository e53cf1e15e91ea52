"""Answers to lesson 10's problems, written otherwise than the course writes them."""

import statistics
from itertools import pairwise

import numpy as np
from autograd import grad as grad_of

from mlcourse import confidence_interval


def by_statistics(own, new):
    own, new = list(map(float, own)), list(map(float, new))
    errors = [statistics.stdev(each) / len(each) ** 0.5 for each in (own, new)]
    return [statistics.fmean(new) - statistics.fmean(own), 1.96 * np.hypot(*errors)]


def by_half_widths(own, new):
    halves = [1.96 * losses.std(ddof=1) / np.sqrt(losses.size) for losses in (own, new)]
    return np.array([new.mean() - own.mean(), np.sqrt(halves[0] ** 2 + halves[1] ** 2)])


def waiting(validation, patience):
    least, keep, bad = np.inf, None, 0
    for i in range(len(validation)):
        if validation[i] < least:
            least, keep, bad = validation[i], i, 0
        else:
            bad += 1
        if bad == patience:
            return keep
    return keep


def by_slices(validation, patience):
    for end in range(1, len(validation) + 1):
        best = int(np.argmin(validation[:end]))
        if end - 1 - best >= patience:
            return best
    return np.array(np.argmin(validation))


def through_autograd(theta_i, theta, grad, alpha, lam):
    pull = grad_of(lambda t: lam / 2 * ((t - theta) @ (t - theta)))
    return theta_i - alpha * grad(theta_i) - alpha * pull(theta_i)


def entry_by_entry(theta_i, theta, grad, alpha, lam):
    slopes = grad(theta_i)
    return [
        t_i - alpha * g - alpha * lam * t_i + alpha * lam * t for t_i, t, g in zip(theta_i, theta, slopes, strict=True)
    ]


def decay(theta_i, theta, grad, alpha, lam):
    return (1 - alpha * lam) * theta_i - alpha * grad(theta_i)


def by_popping(n, fractions, rng):
    tasks = list(range(n))
    rng.shuffle(tasks)
    return [[tasks.pop() for _ in range(round(n * fraction))] for fraction in fractions]


def cut_off(n, fractions, rng):
    return np.split(rng.permutation(n), (np.cumsum(fractions)[:-1] * n).astype(int))


def steps_by_test(validation, test):
    s = int(np.argmin(validation.mean(axis=2).min(axis=1)))
    i = int(np.argmin(test[s].mean(axis=1)))
    return [s, i, *confidence_interval(test[s, i])]


def one_variance(own, new):
    sizes = len(own), len(new)
    variance = sum((size - 1) * np.var(each, ddof=1) for size, each in zip(sizes, (own, new), strict=True)) / (
        sum(sizes) - 2
    )
    return new.mean() - own.mean(), 1.96 * np.sqrt(variance * (1 / sizes[0] + 1 / sizes[1]))


def part_of_each_task(n, fractions, rng):
    sizes = np.round(np.array(fractions) * n).astype(int)
    part = rng.permuted(np.repeat(np.arange(len(sizes)), sizes))
    return tuple(np.flatnonzero(part == j) for j in range(len(sizes)))


def choices_that_overlap(n, fractions, rng):
    return [rng.choice(n, round(n * fraction), replace=False) for fraction in fractions]


def blocks(n, fractions, rng):
    ends = np.round(np.cumsum([0, *fractions]) * n).astype(int)
    return [list(range(start, end)) for start, end in pairwise(ends)]


def by_the_global_generator(n, fractions, rng):
    order = np.random.permutation(n)  # noqa: NPY002 (the mistake itself)
    return np.split(order, np.round(np.cumsum(fractions)[:-1] * n).astype(int))


def by_descent(h, theta_star, theta, lam):
    theta_prime = theta.copy()
    for _ in range(4000):
        theta_prime = theta_prime - 0.1 * (h * (theta_prime - theta_star) + lam * (theta_prime - theta))
    return theta_prime


def share_of_the_way(h, theta_star, theta, lam):
    return [t + c * (a - t) for t, a, c in zip(theta, theta_star, h / (h + lam), strict=True)]


def by_two_loops(validation, test):
    best = None
    for s in range(len(validation)):
        for i in range(len(validation[s])):
            loss = statistics.fmean(validation[s][i])
            if best is None or loss < best[0]:
                best = loss, s, i
    _, s, i = best
    mean, half = confidence_interval(test[s, i])
    return np.array([s, i, mean, half])


def judged_by(chooser, reporter):
    def answer(validation, test):
        given = {"validation": validation, "test": test}
        means = np.mean(given[chooser], axis=2)
        s = int(np.argmin(means.min(axis=1)))
        i = int(np.argmin(means[s]))
        return [s, i, *confidence_interval(given[reporter][s, i])]

    return answer


RIGHT = {
    "choose_and_report": [by_two_loops, judged_by("validation", "test")],
    "meta_gap": [by_statistics, by_half_widths],
    "early_stop": [waiting, by_slices],
    "pull_step": [through_autograd, entry_by_entry],
    "split_tasks": [by_popping, part_of_each_task],
    "gap": [lambda given: np.mean(given["new_query_after"]) - np.mean(given["train_query_after"])],
    "pull_end": [by_descent, share_of_the_way],
    "diagnose": [tuple, np.array],
    "exclusive": [lambda labels: dict(enumerate(labels)), lambda labels: [label.upper() for label in labels]],
}

WRONG = {
    "choose_and_report": [
        ("chosen on the test tasks", judged_by("test", "test")),
        ("reports the validation tasks", judged_by("validation", "validation")),
        ("steps chosen on the test tasks", steps_by_test),
        (
            "steps before the checkpoint",
            lambda validation, test: np.array(by_two_loops(validation, test))[[1, 0, 2, 3]],
        ),
        ("chosen on the test tasks + reports the validation tasks", judged_by("test", "validation")),
    ],
    "meta_gap": [
        ("the other way round", lambda own, new: (own.mean() - new.mean(), by_statistics(own, new)[1])),
        (
            "half-widths added",
            lambda own, new: (
                new.mean() - own.mean(),
                sum(1.96 * each.std(ddof=1) / np.sqrt(len(each)) for each in (own, new)),
            ),
        ),
        (
            "divided by T, not T − 1",
            lambda own, new: (new.mean() - own.mean(), 1.96 * np.sqrt(own.var() / len(own) + new.var() / len(new))),
        ),
        ("one variance for both groups", one_variance),
        (
            "one mean of all tasks",
            lambda own, new: (new.mean() - own.mean(), confidence_interval(np.concatenate([own, new]))[1]),
        ),
    ],
    "early_stop": [
        ("never stops", lambda validation, patience: list(validation).index(min(validation))),
        ("stops at the first rise", lambda validation, patience: waiting(validation, 1)),
        ("patience one too long", lambda validation, patience: by_slices(validation, patience + 1)),
        ("the loss, not the check", lambda validation, patience: validation[waiting(validation, patience)]),
    ],
    "pull_step": [
        ("pulled towards 0", decay),
        ("pushed away from theta", lambda t_i, t, grad, alpha, lam: t_i - alpha * (grad(t_i) + lam * (t - t_i))),
        (
            "alpha left out of the pull",
            lambda t_i, t, grad, alpha, lam: t_i - alpha * grad(t_i) - lam * (t_i - t),
        ),
        ("lambda left out", lambda t_i, t, grad, alpha, lam: t_i - alpha * (grad(t_i) + t_i - t)),
        ("no pull", lambda t_i, t, grad, alpha, lam: t_i - alpha * grad(t_i)),
    ],
    "split_tasks": [
        ("cut off, not rounded", cut_off),
        ("overlap", choices_that_overlap),
        ("not shuffled", blocks),
        ("ignores rng", by_the_global_generator),
        ("splits examples, not tasks", lambda n, fractions, rng: [np.arange(n)[rng.permutation(n)] for _ in fractions]),
        ("not shuffled", lambda n, fractions, rng: [rng.permutation(part) for part in blocks(n, fractions, rng)]),
    ],
    "pull_end": [
        ("weights exchanged", lambda h, a, t, lam: t + lam / (h + lam) * (a - t)),
        ("pulled towards 0", lambda h, a, t, lam: a / (1 + lam / h)),
        ("halfway", lambda h, a, t, lam: [(x + y) / 2 for x, y in zip(a, t, strict=True)]),
    ],
}
