"""The memory of an answer is its own, whatever its kernel did before."""

import sys
import tracemalloc

import numpy as np
import pytest

from mlcourse.classroom.judging.memory import peak_of
from mlcourse.classroom.problems import of_lesson

MEGABYTE = 10**6


def matrix(size):
    return float(np.ones((size, size)).sum())


@pytest.fixture(params=[False, True], ids=["nobody traces", "somebody traces"])
def traced(request):
    if request.param:
        tracemalloc.start()
        np.ones(10 * MEGABYTE).sum()  # a peak of 80 MB before the call
    yield request.param
    assert tracemalloc.is_tracing() == request.param
    tracemalloc.stop()


def test_the_peak_is_that_of_the_call_alone(traced):
    kept = np.ones(MEGABYTE)
    value, peak = peak_of(matrix, 500)
    assert value == 250_000 and 2 * MEGABYTE <= peak < 2.1 * MEGABYTE
    assert peak_of(matrix, 5)[1] < 0.1 * MEGABYTE < kept.nbytes


def test_what_a_first_call_imports_does_not_count(traced):
    for name in [name for name in sys.modules if name.partition(".")[0] == "statistics"]:
        del sys.modules[name]

    def imports():
        import statistics

        return statistics.mean([1, 3])

    value, peak = peak_of(imports)
    assert value == 2 and peak < 0.1 * MEGABYTE


def test_the_first_call_has_copies(traced):
    def spoil(x):
        x += 1
        return x

    x = np.zeros(3)
    value, _ = peak_of(spoil, x)
    assert value is x and list(x) == [1, 1, 1]


def test_a_right_product_is_right_while_the_kernel_traces_memory(traced):
    hvp = of_lesson(4)["hvp"]
    assert hvp.judge(type(hvp).solution, 0).outcome == "correct"
    assert hvp.judge(next(iter(hvp.mistakes)).answer, 0).misconception == "builds H"
