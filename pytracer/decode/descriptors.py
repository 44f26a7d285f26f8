"""What descriptors refer to (-y, -yy), as /proc tells while the target holds them."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable
from typing import TypeAlias

from pytracer.decode.told import Told
from pytracer.spec.context import Memory
from pytracer.spec.values import Reference
from pytracer.tables.structs.signal import signal_set

AT_FDCWD = -100  # include/uapi/linux/fcntl.h
_DELETED = b" (deleted)"


Naming: TypeAlias = Callable[[int], str | None]


class SocketKinds:
    """The kinds of the sockets that processes hold. ``proc`` is where procfs is mounted."""

    def __init__(self, proc: str = "/proc") -> None:
        self.proc = proc

    def protocol(self, pid: int, fd: int) -> str | None:
        """The protocol's name as the kernel has it ("NETLINK", "TCP"); None when unknown."""
        if fd < 0:
            return None
        try:
            name = os.getxattr(f"{self.proc}/{pid}/fd/{fd}", "system.sockprotoname")
        except OSError:
            return None
        return name.rstrip(b"\0").decode("ascii", "replace") or None


class LiveDescriptors:
    """Looks descriptors up in /proc at the moment of decoding.

    Right where the task is stopped meanwhile, as with ptrace. ``told``: what is wanted.
    ``comm`` names processes, where that was asked for too (-Y).
    """

    def __init__(
        self, told: frozenset[Told], comm: Naming | None = None, proc: str = "/proc"
    ) -> None:
        self.told = told
        self.comm = comm
        self.proc = proc
        self.kinds = SocketKinds(proc)
        # Read only where descriptors are wanted: it takes the socket module with it.
        from pytracer.decode.inodes import SocketInodes

        self.sockets = SocketInodes()
        self._in_words = {
            Told.PIDFD: (b"anon_inode:[pidfd]", self._pidfd),
            Told.EVENTFD: (b"anon_inode:[eventfd]", self._eventfd),
            Told.SIGNALFD: (b"anon_inode:[signalfd]", self._signalfd),
        }

    def about(self, pid: int, fd: int, memory: Memory | None = None) -> Reference | None:
        """What a descriptor refers to, or the working directory for AT_FDCWD.

        Errors: none raised; None when /proc does not tell.
        """
        if fd == AT_FDCWD:
            return self._working_directory(pid)
        if fd < 0:
            return None
        target = self.target(pid, fd)
        if target is None:
            return None
        found = self.special(pid, fd, target)
        if found is None and Told.PATH in self.told:
            found = _path(f"{self.proc}/{pid}/fd/{fd}", target)
        return found

    def target(self, pid: int, fd: int, memory: Memory | None = None) -> bytes | None:
        """The name of what a descriptor refers to, as the kernel gives it."""
        try:
            return os.readlink(os.fsencode(f"{self.proc}/{pid}/fd/{fd}"))
        except OSError:
            return None

    def directory(self, pid: int) -> bytes | None:
        """The working directory of a process."""
        try:
            return os.readlink(os.fsencode(f"{self.proc}/{pid}/cwd"))
        except OSError:
            return None

    def _working_directory(self, pid: int) -> Reference | None:
        found = self.directory(pid) if Told.PATH in self.told else None
        return None if found is None else Reference(found)

    def special(self, pid: int, fd: int, target: bytes) -> Reference | None:
        """What is told in other words than the name; None where there are none, or unwanted."""
        if Told.SOCKET in self.told and target.startswith(b"socket:["):
            inode = target[8:-1]
            if inode.isdigit() and target.endswith(b"]"):
                protocol = self.kinds.protocol(pid, fd)
                words = self.sockets.describe(int(inode), protocol)
                return Reference(None, words or target.decode("ascii"))
        if Told.DEVICE in self.told and target.startswith(b"/"):
            device = self._device(pid, fd, target)
            if device:
                return Reference(target, device=device)
        for told, (name, tell) in self._in_words.items():
            if target == name and told in self.told:
                return Reference(None, tell(pid, fd) or name.decode("ascii"))
        return None

    def _device(self, pid: int, fd: int, target: bytes) -> str:
        try:
            status = os.stat(target)
        except OSError:
            return ""
        rdev = status.st_rdev
        numbers = device_text(status.st_mode, os.major(rdev), os.minor(rdev))
        if numbers and target.endswith(b"/ptmx"):
            slave = self._info(pid, fd).get("tty-index", "")
            return f"{numbers} @/dev/pts/{slave}" if slave.isdigit() else numbers
        return numbers

    def _info(self, pid: int, fd: int) -> dict[str, str]:
        try:
            with open(f"{self.proc}/{pid}/fdinfo/{fd}", encoding="latin-1") as file:  # noqa: PTH123
                lines = file.read().splitlines()
        except OSError:
            return {}
        parts = (line.partition(":") for line in lines)
        return {name: value.strip() for name, _, value in parts}

    def _pidfd(self, pid: int, fd: int) -> str:
        number = self._info(pid, fd).get("Pid", "")
        return pidfd_text(int(number), self.comm) if number.isdigit() else ""

    def _eventfd(self, pid: int, fd: int) -> str:
        info = self._info(pid, fd)
        try:
            count = int(info["eventfd-count"], 16)
            names = ("eventfd-id", "eventfd-semaphore")
            fields = [(name, int(info[name])) for name in names if name in info]
        except (KeyError, ValueError):
            return ""
        return eventfd_text(count, fields)

    def _signalfd(self, pid: int, fd: int) -> str:
        try:
            mask = int(self._info(pid, fd)["sigmask"], 16)
        except (KeyError, ValueError):
            return ""
        return signalfd_text(mask)


def device_text(mode: int, major: int, minor: int) -> str:
    """Name a device by kind and numbers; empty for another file."""
    if stat.S_ISBLK(mode):
        return f"block {major}:{minor}"
    return f"char {major}:{minor}" if stat.S_ISCHR(mode) else ""


def pidfd_text(pid: int, comm: Naming | None) -> str:
    """Name the process that a pidfd stands for; empty when it is gone or out of sight."""
    if pid <= 0:
        return ""
    name = comm(pid) if comm is not None else None
    return f"pid:{pid}<{name}>" if name else f"pid:{pid}"


def eventfd_text(count: int, fields: Iterable[tuple[str, int]]) -> str:
    """Tell the count of an eventfd, and what else there is to tell."""
    parts = [f"eventfd-count={hex(count) if count else '0'}"]
    parts += (f"{name}={number}" for name, number in fields)
    return "{" + ", ".join(parts) + "}"


def signalfd_text(mask: int) -> str:
    """Tell the signals that a signalfd takes."""
    signals = signal_set(mask.to_bytes(8, "little"))
    return f"signalfd:{'~' if signals.inverted else ''}[{' '.join(signals.items)}]"


def _path(link: str, target: bytes) -> Reference:
    """A name that the kernel may have marked as deleted, unless a file is really called so."""
    if not target.endswith(_DELETED) or len(target) == len(_DELETED):
        return Reference(target)
    try:
        held, named = os.stat(link), os.lstat(target)
        exists = (held.st_ino, held.st_dev) == (named.st_ino, named.st_dev)
    except OSError:
        exists = False
    return Reference(target) if exists else Reference(target[: -len(_DELETED)], deleted=True)
