"""How much memory a call takes: its own share, whatever else the process holds or traces."""

import tracemalloc

from mlcourse.classroom.judging.compare import fresh


def peak_of(function, *arguments):
    """(function(*arguments), the most bytes that it held at once beside what was held before).

    It is called once before, on copies, so that what it imports does not count. Where somebody traces memory
    already, the tracing goes on. A function that runs elsewhere is measured there.
    """
    if hasattr(function, "peak_of"):
        return function.peak_of(*arguments)
    function(*fresh(arguments))
    traced = tracemalloc.is_tracing()
    if not traced:
        tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        value = function(*arguments)
        return value, tracemalloc.get_traced_memory()[1] - before
    finally:
        if not traced:
            tracemalloc.stop()
