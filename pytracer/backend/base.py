"""What a backend is: an iterator of events over a target."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from pytracer.event.schema import Clock, Event, Run


class BackendUnavailable(Exception):
    """A backend cannot work on this system.

    ``backend``: its name. ``reason``: what is missing. ``remedy``: what the user can do.
    """

    def __init__(self, backend: str, reason: str, remedy: str) -> None:
        super().__init__(f"{backend}: {reason}; {remedy}")
        self.backend = backend
        self.reason = reason
        self.remedy = remedy


class TargetError(Exception):
    """A target cannot be traced or started.

    ``pid``: the process, 0 for a program that did not start. ``errno``: the kernel's answer.
    ``call``: what was attempted, as strace words it, such as ``ptrace(PTRACE_SEIZE, 1)``.
    """

    def __init__(self, pid: int, errno: int, call: str) -> None:
        super().__init__(f"{call}: errno {errno}")
        self.pid = pid
        self.errno = errno
        self.call = call


class NotExecuted(TargetError):
    """What becomes of the calling process, which was to be the program (-D), and is not.

    The tracer is another process now, and goes on with all that was to be traced and written.
    """


class Backend(Protocol):
    """A source of events.

    The consumer iterates. While it holds an event of a live backend with live memory, the
    task of that event stays stopped; asking for the next event lets it go on. ``None`` is
    yielded when nothing has happened for a moment, so that outputs can flush what is open.
    """

    name: str
    clock: Clock

    def events(self) -> Iterator[Event | None]:
        """Yield events until the targets are gone or :meth:`stop` was called."""
        ...

    def stop(self) -> None:
        """Ask for the end, from a signal handler or another thread.

        The iterator then detaches, yields TaskDetached for each task that lives on, and ends.
        """
        ...

    def give_up(self) -> None:
        """Hand on no more of what was taken before :meth:`stop`: it is told of as lost.

        A backend that takes nothing in advance has nothing to lose.
        """
        ...

    def waiting(self) -> int:
        """Tell how many bytes of what was taken in advance are still to be handed on."""
        ...

    def failure(self) -> TargetError | None:
        """Tell why the launched process, now over, did not execute its program."""
        ...

    def close(self) -> None:
        """Let go of everything, whatever state the backend is in. Idempotent."""
        ...


@runtime_checkable
class Runs(Protocol):
    """A backend that knows which calls nothing interrupts."""

    def runs(self) -> Iterator[Run | Event | None]:
        """Yield what ``events`` yields, such calls together."""
        ...
