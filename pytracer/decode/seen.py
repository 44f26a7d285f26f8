"""What descriptors refer to, as the kernel saw it while the call that uses them was made."""

from __future__ import annotations

import os
import socket
from functools import lru_cache
from typing import Final

from pytracer.decode.descriptors import (
    AT_FDCWD,
    LiveDescriptors,
    Naming,
    device_text,
    eventfd_text,
    pidfd_text,
    signalfd_text,
)
from pytracer.decode.inodes import PROTOCOLS, inet_text, netlink_text, unix_text
from pytracer.decode.told import Told
from pytracer.event.files import EVENTFD, LOOK_UP, PIDFD, SIGNALFD, OpenFile, unpack
from pytracer.event.memory import descriptor_address
from pytracer.spec.context import Memory
from pytracer.spec.values import Reference

# More than any description takes.
_MOST_BYTES: Final = 1 << 16
# Descriptions remembered: the same descriptor is used over and over.
_MOST_KNOWN: Final = 1 << 14
_MOST_SOCKETS: Final = 1 << 16


class SeenDescriptors(LiveDescriptors):
    """Reads what the call's own record tells.

    What a record does not tell has no name: it is not looked up, unless the call goes on. A socket
    shows the addresses that it had when they were first seen, as it does in strace.
    """

    def __init__(
        self, told: frozenset[Told], comm: Naming | None = None, proc: str = "/proc"
    ) -> None:
        super().__init__(told, comm, proc)
        self._known: dict[bytes, Reference | None] = {}
        self._sockets: dict[int, str] = {}
        self._live = LiveDescriptors(told, comm, proc)

    def about(self, pid: int, fd: int, memory: Memory | None = None) -> Reference | None:
        """What a descriptor referred to, or the working directory for AT_FDCWD."""
        data = _description(fd, memory)
        if data is None:
            return None
        if data == LOOK_UP:
            return self._live.about(pid, fd)
        if fd == AT_FDCWD:
            return self._directory(data)
        try:
            return self._known[data]
        except KeyError:
            pass
        file = unpack(data)
        if file is None:
            return None
        found = self._special(file)
        if found is None and Told.PATH in self.told:
            found = Reference(file.name, deleted=file.deleted)
        # What is said of a socket may become more, and a process may change its name.
        if not file.family and not file.flags & PIDFD and len(self._known) < _MOST_KNOWN:
            self._known[data] = found
        return found

    def target(self, pid: int, fd: int, memory: Memory | None = None) -> bytes | None:
        """The name of what a descriptor referred to, as /proc gives it."""
        data = _description(fd, memory)
        if data == LOOK_UP:
            return self._live.target(pid, fd)
        file = unpack(data) if data is not None else None
        return None if file is None else _link(file)

    def _directory(self, data: bytes) -> Reference | None:
        file = unpack(data) if Told.PATH in self.told else None
        return None if file is None else Reference(_link(file))

    def _special(self, file: OpenFile) -> Reference | None:
        if file.family:
            if Told.SOCKET not in self.told:
                return None
            return Reference(None, self._socket(file) or file.name.decode("ascii"))
        if file.flags & PIDFD and Told.PIDFD in self.told:
            return Reference(None, pidfd_text(file.number, self.comm) or _words(file))
        if file.flags & EVENTFD and Told.EVENTFD in self.told:
            return Reference(None, eventfd_text(file.word, _eventfd_fields(file)))
        if file.flags & SIGNALFD and Told.SIGNALFD in self.told:
            return Reference(None, signalfd_text(file.word))
        if Told.DEVICE in self.told and not file.deleted:
            device = device_text(file.mode, *file.rdev)
            if device and file.name.endswith(b"/ptmx"):
                device += f" @/dev/pts/{file.number}"
            if device:
                return Reference(file.name, device=device)
        return None

    def _socket(self, file: OpenFile) -> str:
        known = self._sockets.get(file.inode)
        if known is not None:
            return known
        found = _addresses(file) if file.protocol_name in PROTOCOLS else ""
        if found:
            if len(self._sockets) < _MOST_SOCKETS:
                self._sockets[file.inode] = found
            return found
        return f"{file.protocol_name}:[{file.inode}]" if file.protocol_name else ""


def _description(fd: int, memory: Memory | None) -> bytes | None:
    if memory is None:
        return None
    data = memory.read_some(descriptor_address(fd), _MOST_BYTES)
    return data if isinstance(data, bytes) else None


def _link(file: OpenFile) -> bytes:
    return file.name + b" (deleted)" if file.deleted else file.name


def _words(file: OpenFile) -> str:
    return file.name.decode("ascii", "replace")


def _addresses(file: OpenFile) -> str:
    """What the kernel's diagnosis would tell of a socket; empty where it knows none."""
    name = file.protocol_name
    match file.family:
        case socket.AF_UNIX:
            return unix_text(name, file.inode, file.word, file.unix_address)
        case socket.AF_INET | socket.AF_INET6 if file.port and PROTOCOLS[name].listed:
            size = 4 if file.family == socket.AF_INET else 16
            here = file.address[:size], file.port
            there = file.peer[:size], file.peer_port
            return inet_text(name, file.family, here, there)
        case socket.AF_NETLINK if file.bound:
            return netlink_text(file.protocol, file.number)
        case _:
            return ""


def _eventfd_fields(file: OpenFile) -> list[tuple[str, int]]:
    shown = {"eventfd-id": file.number, "eventfd-semaphore": int(file.bound)}
    return [(name, shown[name]) for name in _eventfd_names()]


@lru_cache(maxsize=1)
def _eventfd_names() -> tuple[str, ...]:
    """What this kernel tells of an eventfd besides its count."""
    fd = os.eventfd(0)
    try:
        with open(f"/proc/self/fdinfo/{fd}") as file:  # noqa: PTH123
            text = file.read()
    finally:
        os.close(fd)
    return tuple(name for name in ("eventfd-id", "eventfd-semaphore") if f"{name}:" in text)
