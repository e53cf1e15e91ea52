"""The benchmark beside peers: everybody computes the same, and a difference or a second thread stops it."""

import subprocess
import sys

import numpy as np
import pytest

from benchmarks import THREADS, peers, ways

ROW = peers.Row(
    ("small", 25, 5),
    seconds={"by hand": 0.003, "JAX, tree": 0.002, "JAX, slices": 0.004},
    busy={"by hand": 1.0, "JAX, tree": 1.0, "JAX, slices": 1.6},
    first={"by hand": 0.21, "JAX, tree": 2.0, "JAX, slices": 3.0},
    memory={"by hand": 4.4, "JAX, tree": np.nan, "JAX, slices": 120.0},
)


def test_the_ways_that_are_installed_agree_and_are_measured():
    row = peers.measure(("small", 2, 2), peers.installed(), peers.one_thread(), seconds=0)
    assert {"by hand", "autograd"} <= set(row.seconds) <= set(ways.WAYS)
    for name, seconds in row.seconds.items():
        assert 0 < seconds < row.first[name]
        assert not row.memory[name] <= 0


def test_a_difference_is_an_error_that_names_the_way():
    right = 0.5, [1.0, 2.0]
    peers.agree({"by hand": right, "other": (0.5 + 1e-10, [1.0, 2.0])})
    for wrong in ((0.6, [1.0, 2.0]), (0.5, [1.0, 2.1]), (0.5, [1.0, np.nan])):
        with pytest.raises(AssertionError, match="other and by hand differ by"):
            peers.agree({"by hand": right, "other": wrong})


def test_ratios_are_to_the_faster_jax_and_more_than_one_core_is_said():
    assert peers.times(ROW) == "| small | 25 | 5 | 1.50 (3.00 ms) | 1.00 (2.00 ms) | 2.00 (4.00 ms, 1.6 cores) |"
    assert peers.reference({"autograd": 1.0, "by hand": 2.0}) == "by hand"


def test_memory_is_left_out_where_the_system_does_not_say():
    assert peers.first_results(ROW) == "| small | 25 | 5 | 0.2 s, 4 MB | 2.0 s | 3.0 s, 120 MB |"


def test_goals_are_held_against_what_was_measured():
    assert list(peers.goals([ROW])) == ["small, 25 tasks, m = 5: at most 1.1, measured 1.50"]


def test_the_layers_are_where_the_model_keeps_them():
    model = peers.MLP([2, 3, 1])
    theta = np.arange(model.size)
    (w1, b1), (w2, b2) = ways.layers(theta, model.sizes)
    for name, part in {"W1": w1, "b1": b1, "W2": w2, "b2": b2}.items():
        assert np.array_equal(part.ravel(), theta[model.parts[name]]), name


def test_a_user_who_sets_nothing_has_nothing_set(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    code = f"import os, benchmarks.ways; print([os.environ.get(name) for name in {THREADS}])"
    for environment, number in ((peers.one_thread(), "1"), (peers.by_default(), None)):
        said = subprocess.check_output([sys.executable, "-c", code], text=True, env=environment, cwd=peers.ROOT)
        assert said.strip() == str([number] * len(THREADS))
