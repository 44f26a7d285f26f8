"""What decoding asks beyond the call itself."""

from __future__ import annotations

from pytracer.spec.context import Sockets


class AskedSockets:
    """Passes questions about descriptors on, and takes note of them.

    ``asked``: whether anything was asked or told. ``changes``: whether the answer may be another
    one for an equal call; if not, all that was asked is whether the descriptor ``plain`` is a
    netlink socket's, which it is not.
    """

    def __init__(self, sockets: Sockets) -> None:
        self.sockets = sockets
        self.asked = False
        self.changes = False
        self.plain = -1

    def forget(self) -> None:
        """Begin with another call."""
        self.asked = self.changes = False

    def terminal(self, pid: int, fd: int) -> bool:
        """Whether a descriptor is a terminal's."""
        self.asked = self.changes = True
        return self.sockets.terminal(pid, fd)

    def netlink(self, pid: int, fd: int) -> int | None:
        """The protocol of a netlink socket; None for anything else."""
        found = self.sockets.netlink(pid, fd)
        if found is not None or (self.asked and self.plain != fd):
            self.changes = True
        self.asked = True
        self.plain = fd
        return found

    def bound(self, pid: int, fd: int) -> None:
        """Take note that a socket has an address now."""
        self.asked = self.changes = True
        self.sockets.bound(pid, fd)

    def made(self, pid: int, fd: int, domain: int, protocol: int) -> None:
        """Take note of a new socket."""
        self.asked = self.changes = True
        self.sockets.made(pid, fd, domain, protocol)

    def inherited(self, pid: int, parent: int) -> None:
        """Take note that a process has begun with its parent's sockets."""
        self.sockets.inherited(pid, parent)


class PlainSockets(AskedSockets):
    """The same, for calls whose buffers are wanted as they are, whatever they are sent to."""

    def netlink(self, pid: int, fd: int) -> int | None:
        """No protocol of any socket."""
        return None
