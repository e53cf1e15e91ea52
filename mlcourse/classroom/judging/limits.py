"""How much a learner's code may take, and how a run of it can end: what every way to contain it keeps to."""

import threading
import time
from time import monotonic, sleep  # themselves, whatever a learner's code binds in their module
from typing import Any, NamedTuple

from mlcourse.classroom.judging.heard import Heard

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


class Stopped(BaseException):
    """Ends, from outside, a run in this process: time is up, or the learner interrupts. Whoever catches it lets it go.

    No Exception, so that a learner's `except Exception` does not catch it.
    """


def over(computed):
    """What to call a run that came to WALL_SECONDS, given the seconds for which it computed."""
    return "slow" if computed >= CPU_SECONDS / 4 else "waited"


# A browser's Python does not count what it computes: there, that is all but what it sleeps.
_computed = getattr(time, "thread_time", None)
PIECE = 0.05  # seconds of a sleep, after which it can be stopped


class Clock:
    """The time of one run in this process, from when the clock is made, in the thread that makes it.

    running    whether the code runs at this moment: only then may it be stopped
    stopped    "" as long as it may go on; then how it ends: "time", "slow", "waited", or "interrupted" by the learner
    look_next  when, on the monotonic clock, `up` can first be true: before, nobody need ask
    """

    def __init__(self):
        self.running, self.stopped, self._slept = False, "", 0.0
        self._thread, self._started = threading.get_ident(), monotonic()
        self._computed = self._count()
        self.look_next = self._started + min(CPU_SECONDS, WALL_SECONDS)

    def run(self, work):
        """The value of `work()`, which is stopped once time is up."""
        self.running = True
        try:
            return work()
        finally:
            self.running = False

    def stop(self, how):
        """From now on the code is to be stopped."""
        self.stopped, self.look_next = how, self._started

    def sleep(self, seconds):
        """time.sleep for the code: in pieces, so that it can be stopped where nothing wakes what sleeps."""
        end, left = monotonic() + seconds, seconds
        while True:
            piece = min(left, PIECE)
            before = monotonic()
            sleep(piece)
            self._slept += monotonic() - before
            left = end - monotonic()
            if left <= 0:
                return

    def up(self):
        """Whether the code is to be stopped at this moment; threads that it has started are not."""
        if not self.running or threading.get_ident() != self._thread:
            return False
        if not self.stopped and monotonic() >= self.look_next:
            self._look()
        return bool(self.stopped)

    def _look(self):
        """Used up, or not before when."""
        used, passed = self._count() - self._computed, monotonic() - self._started
        if used > CPU_SECONDS:
            self.stop("time")
        elif passed > WALL_SECONDS:
            self.stop(over(used))
        else:
            self.look_next = monotonic() + min(CPU_SECONDS - used, WALL_SECONDS - passed)

    def _count(self):
        """Seconds of computing so far, from some moment on."""
        return _computed() if _computed else monotonic() - self._slept
