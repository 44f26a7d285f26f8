"""What signals do to pytracer itself (-I), and how it ends by one.

Source: strace(1), -I and "DIAGNOSTICS".
"""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Callable
from types import FrameType
from typing import Final, Protocol

from pytracer.cli.options import Interruptible

# When it is said how much of what was seen is still to be written, once that is over.
MOMENT_S: Final = 1.0
INTERVAL_S: Final = 10.0
LEAST_BYTES: Final = 1 << 20
_AT_ONCE_S: Final = 1e-6  # a timer of nothing would never ring
_FATAL: Final = (
    signal.SIGHUP,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGPIPE,
    signal.SIGTERM,
)


class Stoppable(Protocol):
    """What is waited for once it was told to stop."""

    def give_up(self) -> None: ...

    def waiting(self) -> int: ...


class Interrupts:
    """Handlers for one session. ``signo``: the signal that came, 0 while none has.

    ``stop`` is called for the first one, from the handler, and when the time is up. What was seen
    until then is still written, however long that takes: ``note`` takes how much is left, once it
    takes more than a moment. A signal that comes then has the backend give up; the one after that
    ends us whatever we are doing.
    """

    def __init__(
        self,
        when: Interruptible,
        stop: Callable[[int], None],
        backend: Stoppable,
        note: Callable[[str], None],
    ) -> None:
        self.signo = 0
        self._stop = stop
        self._backend = backend
        self._note = note
        self._stopped = self._given_up = False
        self._alarms: list[tuple[float, Callable[[], None]]] = []
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        signal.signal(signal.SIGTTIN, signal.SIG_IGN)
        if when is Interruptible.ANYWHERE:
            # Python's own handler would raise in the middle of anything.
            if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
                signal.signal(signal.SIGINT, signal.SIG_DFL)
            return
        if when is Interruptible.NEVER_TSTP:
            signal.signal(signal.SIGTSTP, signal.SIG_IGN)
        for signo in _FATAL:
            handler = self._interrupt if when is Interruptible.WAITING else signal.SIG_IGN
            signal.signal(signo, handler)

    def _interrupt(self, signo: int, frame: FrameType | None) -> None:
        if self._given_up:
            die_by(signo)  # whoever takes the output does not take it
        self._given_up = self._stopped
        if self._stopped:
            self._backend.give_up()
        self.signo = self.signo or signo
        self._end(signo)

    def after(self, seconds: float) -> None:
        """Have ``stop`` called, with 0, when so much time has passed."""
        self._at(time.monotonic() + seconds, lambda: self._end(0))

    def every(self, seconds: float, tick: Callable[[], None]) -> None:
        """Have ``tick`` called, from a signal handler, each time so much time has passed."""
        due = time.monotonic()

        def again() -> None:
            nonlocal due
            tick()
            # From when it was due: delays do not add up, but what was missed is missed.
            due = max(due + seconds, time.monotonic())
            self._at(due, again)

        due += seconds
        self._at(due, again)

    def _end(self, signo: int) -> None:
        if self._stopped:
            return
        self._stopped = True
        self._at(time.monotonic() + MOMENT_S, self._tell)
        self._stop(signo)

    def _tell(self) -> None:
        self._at(time.monotonic() + INTERVAL_S, self._tell)
        left = self._backend.waiting()
        if left >= LEAST_BYTES:
            self._note(
                f"{left / (1 << 20):.1f} MiB of what was seen are still to be written; "
                "interrupt to give them up"
            )

    def _at(self, due: float, act: Callable[[], None]) -> None:
        self._alarms.append((due, act))
        signal.signal(signal.SIGALRM, self._ring)
        self._arm()

    def _ring(self, signo: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        ready = [alarm for alarm in self._alarms if alarm[0] <= now]
        self._alarms = [alarm for alarm in self._alarms if alarm[0] > now]
        for _, act in ready:
            act()
        self._arm()

    def _arm(self) -> None:
        if self._alarms:
            left = min(due for due, _ in self._alarms) - time.monotonic()
            signal.setitimer(signal.ITIMER_REAL, max(left, _AT_ONCE_S))

    def cancel(self) -> None:
        """Forget the times that were to pass."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        self._alarms.clear()


def die_by(signo: int) -> int:
    """End as somebody who was killed by this signal, without a core file.

    Returns the exit status for the case that the signal does not kill.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if signo not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(signo, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signo})
    os.kill(os.getpid(), signo)
    return 128 + signo
