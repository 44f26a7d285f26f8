"""What decoding asks of the live system, kept with a recording, and answered from it later."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from pytracer.decode.decoder import DecodeOptions, Decoder
from pytracer.decode.sockets import SocketTracker
from pytracer.event.schema import Event, TaskNew
from pytracer.event.written import Answers

if TYPE_CHECKING:
    from pytracer.decode.frames.recorded import KeptStacks

NETLINK = "netlink"
TERMINAL = "terminal"


class RememberingSockets(SocketTracker):
    """Looks sockets and terminals up, and keeps what it told in ``answers``."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: Answers = {}

    def netlink(self, pid: int, fd: int) -> int | None:
        """The protocol of a netlink socket."""
        found = self.answers[NETLINK, pid, fd] = super().netlink(pid, fd)
        return found

    def terminal(self, pid: int, fd: int) -> bool:
        """Whether a descriptor is a terminal's."""
        found = self.answers[TERMINAL, pid, fd] = super().terminal(pid, fd)
        return found

    def take(self) -> Answers:
        """What was told since this was asked."""
        taken, self.answers = self.answers, {}
        return taken


class Reads:
    """Decodes each event, so that all is read of its memory that will be asked for.

    ``stacks``: what finds the frames of each, if they are wanted.
    """

    def __init__(self, options: DecodeOptions, stacks: KeptStacks | None = None) -> None:
        self._sockets = RememberingSockets()
        self._decoder = Decoder(options, None, self._sockets)
        self._stacks = stacks

    def __call__(self, event: Event) -> Answers:
        call = self._decoder.handle(event)
        answers = self._sockets.take()
        return answers if self._stacks is None else answers | self._stacks.of(event, call)


def descriptors_at_start(event: Event) -> Answers:
    """What a process holds that a recording begins with: netlink sockets and terminals."""
    if not isinstance(event, TaskNew) or event.task.pid != event.task.tid:
        return {}
    sockets = RememberingSockets()
    pid = event.task.pid
    try:
        found = [int(name) for name in os.listdir(f"/proc/{pid}/fd")]
    except OSError:
        return {}
    for fd in found:
        sockets.terminal(pid, fd)
        sockets.netlink(pid, fd)
    # What is neither is what is said of all that is not mentioned.
    return {key: value for key, value in sockets.answers.items() if value not in (None, False)}


class RecordedSockets(SocketTracker):
    """Tells what a recording tells. ``answers``: by process, then (what, descriptor)."""

    def __init__(self, answers: dict[int, dict[tuple[str, int], Any]]) -> None:
        super().__init__()
        self._answers = answers

    def terminal(self, pid: int, fd: int) -> bool:
        """Whether a descriptor was a terminal's."""
        return bool(self._answers.get(pid, {}).get((TERMINAL, fd)))

    def _look_up(self, pid: int, fd: int) -> int | None:
        found = self._answers.get(pid, {}).get((NETLINK, fd))
        return found if isinstance(found, int) else None
