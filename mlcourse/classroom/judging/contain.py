"""Run a learner's code where it can do no harm, in the way that works here and now: always one Ending.

child         a process of its own, with limits of time and memory
timer, watch  in this process, with a limit of time; what the code changed is put back (here)

What it prints and shows comes out as it is written, so that a stop loses nothing of it.
"""

import signal
import sys
import threading
from functools import partial

from mlcourse.classroom.judging.child import in_child
from mlcourse.classroom.judging.here import run_here
from mlcourse.classroom.judging.timer import alarm, ticks
from mlcourse.classroom.judging.watch import watch

with_alarm, with_ticks, with_watch = (partial(run_here, limit=limit) for limit in (alarm, ticks, watch))


def contained(work):
    """The Ending of `work()`, whose value must be picklable."""
    return way()(work)


def way():
    """The way that contains here and now.

    A fork takes only the calling thread along: where a forked child may not use the system's BLAS (macOS), or a library
    with threads of its own has begun to work here, the code runs in this process.
    """
    if sys.platform == "linux" and not threaded_libraries():
        return in_child
    if threading.current_thread() is not threading.main_thread() or sys.platform in ("emscripten", "wasi"):
        return with_watch
    return with_alarm if hasattr(signal, "setitimer") else with_ticks


def threaded_libraries():
    """Names of the libraries at work in this process that a forked child would wait for without end."""
    at_work = [name for name in ("torch", "tensorflow") if name in sys.modules]
    bridge = sys.modules.get("jax._src.xla_bridge")  # merely imported, JAX has no threads yet
    if bridge is not None and getattr(bridge, "backends_are_initialized", lambda: True)():
        at_work.append("jax")
    return at_work
