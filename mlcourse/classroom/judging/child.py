"""The first way to contain a learner's code: a child process, with limits of time and memory (Linux).

Whatever the code does (an endless loop, all the memory, a crash, arrays changed in place) ends with the child.
"""

import contextlib
import faulthandler
import os
import pickle
import select
import signal
import struct
import sys
import threading
import time
import warnings

from mlcourse.classroom.judging import limits
from mlcourse.classroom.judging.alone import alone
from mlcourse.classroom.judging.heard import Heard, listening
from mlcourse.classroom.judging.limits import Ending, over


def in_child(work):
    reading, writing = os.pipe()
    sys.stdout.flush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the kernel's threads: the child does not use them
        child = os.fork()
    if child == 0:
        _be_the_child(work, writing)
    os.close(writing)
    events = _Events()
    try:
        in_time = _follow(reading, events, child, time.monotonic() + limits.WALL_SECONDS)
    finally:
        os.close(reading)
        for kill in (os.killpg, os.kill):
            with contextlib.suppress(ProcessLookupError):
                kill(child, signal.SIGKILL)
        _, status, used = os.wait4(child, 0)
    if events.ending is not None:
        how, value = events.ending
    elif not in_time:
        how, value = over(used.ru_utime + used.ru_stime), None
    else:
        out_of_time = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU
        how, value = "time" if out_of_time else "died", None
    return Ending(how, value, events.heard)


def _be_the_child(work, writing):
    """Never returns: whatever happens, the child must not go on as a second kernel."""
    try:
        os.setpgid(0, 0)
        faulthandler.disable()  # what a crash writes is not for the notebook
        _hush_jupyter()
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nowhere, stream)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGXCPU):
            signal.signal(number, signal.SIG_DFL)
        _limit()
        tell = _teller(writing)
        with listening(lambda kind, what: tell((kind, what))), alone():
            try:
                ending = "value", work()
            except MemoryError:
                ending = "memory", None
        tell(("ending", ending))
    finally:
        os._exit(0)


def _hush_jupyter():
    """Jupyter logs each message that a fork tries to send, pictures and all, into the terminal of its server."""
    if "traitlets.log" in sys.modules:
        sys.modules["traitlets.log"].get_logger().disabled = True


def _teller(writing):
    """A function that sends one event to the parent, whole, whichever thread of the child calls it."""
    lock = threading.Lock()

    def tell(event):
        data = pickle.dumps(event)
        data = memoryview(struct.pack("=Q", len(data)) + data)
        with lock:
            while data:
                data = data[os.write(writing, data) :]

    return tell


class _Events:
    """What has come through the pipe so far: pieces of events, what was heard, the ending."""

    def __init__(self):
        self.data, self.heard, self.ending = bytearray(), Heard(), None

    def take(self, piece):
        self.data += piece
        while len(self.data) >= 8 and len(self.data) >= 8 + (size := struct.unpack("=Q", self.data[:8])[0]):
            kind, what = pickle.loads(self.data[8 : 8 + size])
            del self.data[: 8 + size]
            if kind == "ending":
                self.ending = what
            else:
                self.heard = self.heard.and_then(kind, what)


def _follow(reading, events, child, deadline):
    """Read until the child has told its ending or is no more; False at the deadline."""
    gone = False
    while events.ending is None:
        # A process that the child started may outlive it and hold the pipe open: look after the child itself, too.
        ready, _, _ = select.select([reading], [], [], 0 if gone else max(0.0, min(0.1, deadline - time.monotonic())))
        if ready:
            piece = os.read(reading, 1 << 16)
            if not piece:
                return True
            events.take(piece)
        elif gone:
            return True
        else:
            gone = os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        if time.monotonic() > deadline:
            return False
    return True


def _limit():
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (limits.CPU_SECONDS, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with open("/proc/self/statm") as statm:
        used = int(statm.read().split()[0]) * resource.getpagesize()
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    limit = used + limits.MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit if most == resource.RLIM_INFINITY else min(limit, most), most))
