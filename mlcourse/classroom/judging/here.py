"""Where there is no child process: a learner's code runs in this very process, and what it changed is put back.

Time alone is limited. What limits it is a context manager that is given the Clock of the run; once time is up, it
raises Stopped in the code, again and again until the code has ended. Not contained: what runs in one piece outside of
Python, such as sum(itertools.count()), a crash, and what the code does to the notebook's own variables.
"""

import builtins
import contextlib
import random
import signal
import sys
import threading

import numpy as np

from mlcourse.classroom.judging.heard import Heard, listening
from mlcourse.classroom.judging.limits import Clock, Ending, Stopped


def run_here(work, limit):
    """The Ending of `work()` under a limit, such as `alarm`, `ticks` or `watch`.

    Streams, NumPy's settings and random numbers are afterwards as they were, whatever the code did and raised.
    Raises KeyboardInterrupt where the learner interrupts it, not where the code does.
    """
    heard = Heard()

    def hear(kind, what):
        nonlocal heard
        heard = heard.and_then(kind, what)

    clock, put_back = Clock(), _settings()
    try:
        with _interrupts(clock), limit(clock), listening(hear, pictures=False):
            how, value = "value", clock.run(work)
    except MemoryError:
        how, value = "memory", None
    except Stopped:
        how, value = clock.stopped, None
    except BaseException:  # where there is a child process, it would end that process
        how, value = "died", None
    finally:
        put_back()
    if clock.stopped == "interrupted":
        raise KeyboardInterrupt
    return Ending(how, value, heard)


def _settings():
    """A function that puts back what code in this process can change for everybody."""
    streams, asking = (sys.stdout, sys.stderr), builtins.input
    errors, told, shown = np.geterr(), np.geterrcall(), np.get_printoptions()
    drawn = np.random.get_state(), random.getstate()  # noqa: NPY002 (an answer may use it)
    tracing, deepest = (sys.gettrace(), sys.getprofile()), sys.getrecursionlimit()

    def put_back():
        (sys.stdout, sys.stderr), builtins.input = streams, asking
        np.seterr(**errors)
        np.seterrcall(told)
        np.set_printoptions(**shown)
        np.random.set_state(drawn[0])  # noqa: NPY002
        random.setstate(drawn[1])
        sys.settrace(tracing[0])
        sys.setprofile(tracing[1])
        sys.setrecursionlimit(deepest)

    return put_back


@contextlib.contextmanager
def _interrupts(clock):
    """The learner's interrupt stops the code, and cannot be taken for a KeyboardInterrupt that the code raises."""

    def interrupt(_number, _frame):
        clock.stop("interrupted")
        if clock.running:
            raise Stopped

    if threading.current_thread() is threading.main_thread() and callable(before := signal.getsignal(signal.SIGINT)):
        signal.signal(signal.SIGINT, interrupt)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)
    else:
        yield
