"""Which descriptors are netlink sockets or terminals: learned from calls, else from /proc."""

from __future__ import annotations

import os
import stat
from pathlib import Path

AF_NETLINK = 16  # include/linux/socket.h
UNKNOWN = -1
# Sockets remembered; beyond this the oldest knowledge is asked for anew.
LIMIT = 4096
# Major numbers of terminals: Documentation/admin-guide/devices.txt.
_TERMINALS = frozenset((4, 5, *range(136, 144), 166, 188, 204))


class SocketTracker:
    """Remembers sockets by process and descriptor.

    Source: /proc/PID/net/netlink, columns Eth (the protocol) and Inode; net/netlink/af_netlink.c.
    """

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self.proc = proc
        self._known: dict[tuple[int, int], int | None] = {}
        self._unbound: set[tuple[int, int]] = set()

    def made(self, pid: int, fd: int, domain: int, protocol: int) -> None:
        """Take note of a new socket, or of a new descriptor where a socket was."""
        if len(self._known) >= LIMIT:
            self._known.clear()
            self._unbound.clear()
        netlink = domain == AF_NETLINK
        self._known[pid, fd] = protocol if netlink else None
        if netlink:
            self._unbound.add((pid, fd))
        else:
            self._unbound.discard((pid, fd))

    def inherited(self, pid: int, parent: int) -> None:
        """Take note that a process has begun with its parent's sockets."""
        for owner, fd in [key for key in self._known if key[0] == parent]:
            self._known[pid, fd] = self._known[owner, fd]
            if (owner, fd) in self._unbound:
                self._unbound.add((pid, fd))

    def bound(self, pid: int, fd: int) -> None:
        """Take note that a socket has an address."""
        self._unbound.discard((pid, fd))

    def netlink(self, pid: int, fd: int) -> int | None:
        """The protocol of a netlink socket; None for anything else, or when nobody can tell.

        A socket that has no address yet is -1, as the kernel's lists do not have it; using it
        gives it one.
        """
        key = pid, fd
        if key in self._unbound:
            self._unbound.discard(key)
            return UNKNOWN
        if key not in self._known:
            if len(self._known) >= LIMIT:
                self._known.clear()
            self._known[key] = self._look_up(pid, fd)
        return self._known[key]

    def terminal(self, pid: int, fd: int) -> bool:
        """Whether a descriptor is a terminal's; False when nobody can tell."""
        try:
            found = (self.proc / str(pid) / "fd" / str(fd)).stat()
        except OSError:
            return False
        return stat.S_ISCHR(found.st_mode) and os.major(found.st_rdev) in _TERMINALS

    def _look_up(self, pid: int, fd: int) -> int | None:
        try:
            link = str((self.proc / str(pid) / "fd" / str(fd)).readlink())
            if not link.startswith("socket:["):
                return None
            inode = link[8:-1]
            with (self.proc / str(pid) / "net" / "netlink").open() as table:
                for line in table:
                    columns = line.split()
                    if columns[-1] == inode:
                        return int(columns[1])
        except (OSError, ValueError):
            return None
        return None
