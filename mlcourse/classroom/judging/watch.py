"""The third way to contain a learner's code: each call and each turn of a loop looks at the clock (a browser's tab).

For where there is neither a child process nor a signal: in WebAssembly, and off the main thread. It takes Python 3.12;
before, a run there has no limit. A turn of a loop takes several times as long as without, a check about twice.
"""

import contextlib
import sys
from time import monotonic

from mlcourse.classroom.judging.limits import Stopped

# Calls. A tab and a thread have small stacks: twice as many through C, as of an __init__, end a tab's Python.
DEEPER = 500


def _depth():
    """How many calls this one is within."""
    frame, depth = sys._getframe(), 0
    while frame is not None:
        frame, depth = frame.f_back, depth + 1
    return depth


@contextlib.contextmanager
def watch(clock):
    """Limits a run by sys.monitoring, in the thread it runs in, and the depth of its calls."""
    sys.setrecursionlimit(min(sys.getrecursionlimit(), _depth() + DEEPER))  # run_here puts it back
    if not hasattr(sys, "monitoring"):
        yield
        return
    monitoring, events = sys.monitoring, sys.monitoring.events
    tool = next(number for number in (3, 4, 2, 1, 0) if monitoring.get_tool(number) is None)

    def look(_code, _place, _to=None):
        if monotonic() >= clock.look_next and clock.up():
            raise Stopped  # at every event from now on: no `except:` in a loop outlives it

    monitoring.use_tool_id(tool, "mlcourse")
    try:
        for event in (events.JUMP, events.PY_START):
            monitoring.register_callback(tool, event, look)
        monitoring.set_events(tool, events.JUMP | events.PY_START)
        yield
    finally:
        if monitoring.get_tool(tool) is not None:  # the code may have ended the watch
            monitoring.set_events(tool, 0)
            monitoring.free_tool_id(tool)
