"""Run a learner's code where it can do no harm: in a child process with limits of time and memory.

Whatever it does (an endless loop, all the memory, a crash, arrays changed in place) ends with the child. What it
prints and shows comes out as it is written, so that a stop loses nothing of it.
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
from typing import Any, NamedTuple

from mlcourse.classroom.judging.heard import Heard, listening

CPU_SECONDS = 4
WALL_SECONDS = 20
MEMORY = 2 << 30  # bytes on top of what the kernel already uses


class Ending(NamedTuple):
    """How the run ended, and what it wrote until then.

    how     "value"; "time": CPU_SECONDS of computing; "slow": WALL_SECONDS in which it computed;
            "waited": WALL_SECONDS in which it hardly did; "memory"; "died"
    heard   what the code printed and showed
    """

    how: str
    value: Any = None
    heard: Heard = Heard()

    @property
    def printed(self):
        return self.heard.printed


def contained(work):
    """The Ending of `work()`, whose value must be picklable.

    Linux: a forked child. A fork takes only the calling thread along, so where a forked child may not use the
    system's BLAS (macOS), or a library with threads of its own has begun to work here, a timer interrupts instead.
    """
    return (_in_child if sys.platform == "linux" and not threaded_libraries() else _with_timer)(work)


def threaded_libraries():
    """Names of the libraries at work in this process that a forked child would wait for without end."""
    at_work = [name for name in ("torch", "tensorflow") if name in sys.modules]
    bridge = sys.modules.get("jax._src.xla_bridge")  # merely imported, JAX has no threads yet
    if bridge is not None and getattr(bridge, "backends_are_initialized", lambda: True)():
        at_work.append("jax")
    return at_work


def _in_child(work):
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
        in_time = _follow(reading, events, child, time.monotonic() + WALL_SECONDS)
    finally:
        os.close(reading)
        for kill in (os.killpg, os.kill):
            with contextlib.suppress(ProcessLookupError):
                kill(child, signal.SIGKILL)
        _, status, used = os.wait4(child, 0)
    if events.ending is not None:
        how, value = events.ending
    elif not in_time:
        how, value = _over(used.ru_utime + used.ru_stime), None
    else:
        out_of_time = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU
        how, value = "time" if out_of_time else "died", None
    return Ending(how, value, events.heard)


def _over(computed):
    """What to call a run that came to WALL_SECONDS, given the seconds for which it computed."""
    return "slow" if computed >= CPU_SECONDS / 20 else "waited"


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
        with listening(lambda kind, what: tell((kind, what))):
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
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with open("/proc/self/statm") as statm:
        used = int(statm.read().split()[0]) * resource.getpagesize()
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    limit = used + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit if most == resource.RLIM_INFINITY else min(limit, most), most))


class TimeIsUp(BaseException):
    """Interrupts what runs too long without a child. No Exception, so that `except Exception` does not catch it."""


def _with_timer(work):
    """Limits of time alone: the code runs in this very process."""
    heard = Heard()

    def hear(kind, what):
        nonlocal heard
        heard = heard.and_then(kind, what)

    with _Timer() as timer:
        try:
            with listening(hear, pictures=False):
                return Ending("value", timer.run(work), heard)
        except MemoryError:
            return Ending("memory", None, heard)
        except TimeIsUp:
            return Ending(timer.how, None, heard)


class _Timer:
    """Once time is up, raises TimeIsUp four times a second; only in the main thread, where alone a signal can."""

    def __enter__(self):
        self.how, self.rung = "time", 0
        self.computed, self.started = time.thread_time(), time.monotonic()
        self.here = threading.current_thread() is threading.main_thread()
        if self.here:
            self.before = signal.signal(signal.SIGALRM, self._ring)
        return self

    def __exit__(self, *_):
        if self.here:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self.before)

    def run(self, work):
        """The value of `work()`, with the timer on."""
        if self.here:
            signal.setitimer(signal.ITIMER_REAL, 0.25, 0.25)
        try:
            return work()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _ring(self, _number, frame):
        used = time.thread_time() - self.computed
        if used <= CPU_SECONDS and time.monotonic() - self.started <= WALL_SECONDS:
            return
        self.how, self.rung = "time" if used > CPU_SECONDS else _over(used), self.rung + 1
        if self.rung > 2:
            self._raise_at_the_next_line(frame)
        raise TimeIsUp

    def _raise_at_the_next_line(self, frame):
        """For code that swallows the interrupt: raised inside its `except:`, it is not swallowed once more."""

        def trace(_frame, event, _value):
            if event == "line":
                raise TimeIsUp  # which also ends the tracing
            return trace

        sys.settrace(lambda *_: None)
        while frame is not None and frame.f_code is not _Timer.run.__code__:
            frame.f_trace, frame = trace, frame.f_back
