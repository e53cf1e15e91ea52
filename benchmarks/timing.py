"""Medians of repeated calls, taken in turns so that a drift of the machine meets all alike."""

from statistics import median
from time import perf_counter


def medians(candidates, rounds=15):
    """name -> median seconds of a call; candidates is name -> function of no arguments.

    Each timed call follows an untimed one of its own, so that none runs on what another left in caches and allocator.
    """
    times = {name: [] for name in candidates}
    for _ in range(rounds):
        for name, call in candidates.items():
            call()
            start = perf_counter()
            call()
            times[name].append(perf_counter() - start)
    return {name: median(taken) for name, taken in times.items()}
