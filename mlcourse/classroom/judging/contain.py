"""Run a learner's code where it can do no harm: in a child process with limits of time and memory.

Whatever it does (an endless loop, all the memory, a crash, arrays changed in place) ends with the child.
"""

import contextlib
import faulthandler
import io
import os
import pickle
import select
import signal
import sys
import time
import warnings
from typing import Any, NamedTuple

CPU_SECONDS = 4
WALL_SECONDS = 20
MEMORY = 2 << 30  # bytes on top of what the kernel already uses


class Ending(NamedTuple):
    """How the run ended: how is "value", "time", "memory" or "died"; printed is what the code wrote."""

    how: str
    value: Any = None
    printed: str = ""


def contained(work):
    """The Ending of `work()`, whose value must be picklable.

    Linux: a forked child. Elsewhere a forked child may not use the system's BLAS, so a timer interrupts instead.
    """
    return (_in_child if sys.platform == "linux" else _with_timer)(work)


def _captured(work):
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            return Ending("value", work(), printed.getvalue()[:2000])
        except MemoryError:
            return Ending("memory", None, printed.getvalue()[:2000])


def _in_child(work):
    reading, writing = os.pipe()
    sys.stdout.flush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the kernel's threads: the child does not use them
        child = os.fork()
    if child == 0:
        _be_the_child(work, writing)
    os.close(writing)
    try:
        data = _read_until(reading, time.monotonic() + WALL_SECONDS)
    finally:
        os.close(reading)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    if data is None:
        return Ending("time")
    if data:
        return pickle.loads(data)
    return Ending("time" if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU else "died")


def _be_the_child(work, writing):
    """Never returns: whatever happens, the child must not go on as a second kernel."""
    try:
        os.setpgid(0, 0)
        faulthandler.disable()  # what a crash writes is not for the notebook
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1), os.dup2(nowhere, 2)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGXCPU):
            signal.signal(number, signal.SIG_DFL)
        _limit()
        data = pickle.dumps(_captured(work))
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(data)
    finally:
        os._exit(0)


def _limit():
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with open("/proc/self/statm") as statm:
        used = int(statm.read().split()[0]) * resource.getpagesize()
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    limit = used + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit if most == resource.RLIM_INFINITY else min(limit, most), most))


def _read_until(reading, deadline):
    """All bytes of the pipe, or None at the deadline."""
    data = bytearray()
    while True:
        ready, _, _ = select.select([reading], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return None
        piece = os.read(reading, 1 << 16)
        if not piece:
            return bytes(data)
        data += piece


class _TimeIsUp(BaseException):
    """Not an Exception, so that a learner's `except Exception` does not catch it."""


def _with_timer(work):
    def ring(_number, _frame):
        raise _TimeIsUp

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, CPU_SECONDS)
    try:
        return _captured(work)
    except _TimeIsUp:
        return Ending("time")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
