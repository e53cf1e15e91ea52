"""Where there is no child process: a learner's code runs in this very process, and what it changed is put back.

Time alone is limited. What limits it is a context manager that is given the Clock of the run; once time is up, it
raises Stopped in the code, again and again until the code has ended. Not contained: what runs in one piece outside of
Python, such as sum(itertools.count()), a crash, and what the code does to the notebook's own variables.
"""

import contextlib
import gc
import os
import random
import signal
import sys
import threading
import time
import warnings

import numpy as np

from mlcourse.classroom.judging.alone import alone
from mlcourse.classroom.judging.heard import Heard, listening
from mlcourse.classroom.judging.limits import Clock, Ending, Stopped


def run_here(work, limit):
    """The Ending of `work()` under a limit, such as `alarm`, `ticks` or `watch`.

    Streams, settings, random numbers and the names of the usual modules are afterwards as they were, whatever the code
    did and raised. Raises KeyboardInterrupt where the learner interrupts it, not where the code does.
    """
    heard = Heard()

    def hear(kind, what):
        nonlocal heard
        heard = heard.and_then(kind, what)

    clock, put_back = Clock(), _settings()
    try:
        with _interrupts(clock), limit(clock), listening(hear), alone():
            time.sleep = clock.sleep
            sys.setrecursionlimit = _no_deeper(sys.getrecursionlimit(), sys.setrecursionlimit)
            how, value = "value", clock.run(work)
    except MemoryError:
        how, value = "memory", None
    except Stopped:
        how, value = clock.stopped or "died", None
    except BaseException:  # where there is a child process, it would end that process
        how, value = "died", None
    finally:
        put_back()
    if clock.stopped == "interrupted":
        raise KeyboardInterrupt
    return Ending(how, value, heard)


# Whose names an answer may bind anew, for everybody.
_MODULES = ("builtins", "sys", "os", "time", "math", "random", "warnings", "numpy", "autograd", "autograd.numpy")


def _settings():
    """A function that puts back what code in this process can change for everybody."""
    modules = dict(sys.modules)
    names = [(vars(modules[name]), dict(vars(modules[name]))) for name in _MODULES if name in modules]
    lists = [(each, list(each)) for each in (sys.path, sys.argv, warnings.filters)]
    folder, environment = _folder(), dict(os.environ)
    errors, told, shown = np.geterr(), np.geterrcall(), np.get_printoptions()
    drawn = np.random.get_state(), random.getstate()  # noqa: NPY002 (an answer may use it)
    collecting = gc.isenabled()
    tracing, deepest, tools = (sys.gettrace(), sys.getprofile()), sys.getrecursionlimit(), _tools()
    drawing = getattr(modules.get("matplotlib"), "rcParams", {})
    drawing_as = dict(drawing)

    def put_back():
        sys.modules.update(modules)
        for module, bound in names:  # what is new stays: the code may have imported it
            module.update(bound)
        for each, items in lists:
            each[:] = items
        warnings._filters_mutated()
        if folder and _folder() != folder:
            os.chdir(folder)
        if os.environ != environment:
            os.environ.clear()
            os.environ.update(environment)
        np.seterr(**errors)
        np.seterrcall(told)
        np.set_printoptions(**shown)
        np.random.set_state(drawn[0])  # noqa: NPY002
        random.setstate(drawn[1])
        (gc.enable if collecting else gc.disable)()
        sys.settrace(tracing[0])
        sys.setprofile(tracing[1])
        sys.setrecursionlimit(deepest)
        for tool in _tools() - tools:
            sys.monitoring.set_events(tool, 0)
            sys.monitoring.free_tool_id(tool)
        dict.update(drawing, drawing_as)  # unchecked: they were there before

    return put_back


def _folder():
    """The folder one is in; None where it was removed."""
    try:
        return os.getcwd()
    except OSError:
        return None


def _tools():
    """Numbers of what watches this process by sys.monitoring."""
    if not hasattr(sys, "monitoring"):
        return set()
    return {number for number in range(6) if sys.monitoring.get_tool(number) is not None}


def _no_deeper(deepest, set_limit):
    """sys.setrecursionlimit for the code: a recursion that is too deep for this process would end it."""

    def setrecursionlimit(limit):
        set_limit(min(limit, deepest))

    return setrecursionlimit


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
