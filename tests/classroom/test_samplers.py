"""What decides which points are drawn is told from what they are, not from how it was written."""

import numpy as np
import pytest

from mlcourse.classroom.problems.samplers import AGAIN, OTHER, SAME, decides, rows_of, shared

WAYS = {
    "rng": lambda rng: rng.permutation(11)[:4],
    f"{SAME} points": lambda rng: [1, 4, 7, 9],
    "rng, always points next to each other": lambda rng: (rng.integers(11) + np.arange(4)) % 11,
    "rng, some points more often than others": lambda rng: np.append(0, 1 + rng.permutation(10)[:3]),
    OTHER: lambda rng: np.random.default_rng().permutation(11)[:4],
}


def drawn(way, seed=0):
    seeds = [*range(seed, seed + 64), *range(seed, seed + AGAIN)]
    chosen = [np.isin(np.arange(11), way(np.random.default_rng(each))) for each in seeds]
    return np.array(chosen[:-AGAIN]), np.array(chosen[-AGAIN:])


@pytest.mark.parametrize("words", WAYS)
def test_what_decides_which_points_are_drawn(words):
    assert decides(*drawn(WAYS[words]), "points") == words


def test_points_that_only_come_in_pairs_are_seen():
    chosen = np.array(
        [np.isin(np.arange(12) // 2, np.random.default_rng(seed).permutation(6)[:2]) for seed in range(64)]
    )
    assert decides(chosen, chosen[:AGAIN], "points") == "rng, some points more often together than others"


def test_chance_is_not_taken_for_a_preference():
    assert {decides(*drawn(WAYS["rng"], seed), "points") for seed in range(0, 64_000, 64)} == {"rng"}


def test_rows_are_found_in_any_order_and_strangers_are_not():
    whole = np.random.default_rng(0).normal(size=(9, 2))
    order = np.random.default_rng(1).permutation(9)
    found = rows_of([whole[order[:4]], whole[order[4:]], whole[:1] + 0.1], whole)
    np.testing.assert_array_equal(np.concatenate(found), [*order, -1])


def test_two_sets_share_nothing_some_or_all_that_fits():
    support = np.array([[1, 1, 0, 0]])
    assert [shared(support, np.array([query])) for query in ([0, 0, 1, 1], [0, 1, 1, 0], [1, 1, 1, 0])] == [
        "none",
        "some",
        "all that fit",
    ]
