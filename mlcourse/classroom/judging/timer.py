"""The second way to contain a learner's code: a bell rings four times a second in the main thread (macOS, Windows).

It costs the code nothing. What rings is the system's timer, or where there is none a thread of ours.
"""

import _thread
import contextlib
import signal
import sys
import threading

from mlcourse.classroom.judging.limits import Clock, Stopped

EVERY = 0.25  # seconds


@contextlib.contextmanager
def alarm(clock):
    """Limits a run by the system's timer, which also wakes code that sleeps. Main thread of a POSIX system only."""
    with _handled(signal.SIGALRM, clock):
        signal.setitimer(signal.ITIMER_REAL, EVERY, EVERY)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)


@contextlib.contextmanager
def ticks(clock):
    """Limits a run by a thread that has the main thread act as on a signal. It wakes nobody: one long sleep ends first.

    Main thread of any system that has threads; SIGTERM is one of the few signals that Windows knows, and never sends.
    """
    over = threading.Event()

    def tick():
        while not over.wait(EVERY):
            _thread.interrupt_main(signal.SIGTERM)

    with _handled(signal.SIGTERM, clock):
        ticking = threading.Thread(target=tick, daemon=True)
        ticking.start()
        try:
            yield
        finally:
            over.set()
            ticking.join()


@contextlib.contextmanager
def _handled(number, clock):
    before = signal.signal(number, _Bell(clock).ring)
    try:
        yield
    finally:
        signal.signal(number, before)


class _Bell:
    """Raises Stopped in the code that it interrupts, once the clock is up."""

    def __init__(self, clock):
        self.clock, self.rung = clock, 0

    def ring(self, _number, frame):
        if not self.clock.up():
            return
        self.rung += 1
        if self.rung > 2:
            self._raise_at_the_next_line(frame)
        raise Stopped

    def _raise_at_the_next_line(self, frame):
        """For code that swallows the interrupt: raised inside its `except:`, it is not swallowed once more."""

        def trace(_frame, event, _value):
            if event == "line":
                raise Stopped  # which also ends the tracing
            return trace

        sys.settrace(lambda *_: None)
        while frame is not None and frame.f_code is not Clock.run.__code__:
            frame.f_trace, frame = trace, frame.f_back
