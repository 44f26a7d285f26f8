"""What a description may ask of the call it decodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol, TypeAlias, TypeGuard

from pytracer.spec.abi import Layout
from pytracer.spec.values import Reference, Value


class Unread(Protocol):
    """What a memory gives back instead of bytes. False in a condition."""

    @property
    def address(self) -> int: ...

    @property
    def reason(self) -> Any: ...

    def __bool__(self) -> bool: ...


class Terminated(Protocol):
    """A string read from the target: its bytes, and whether its NUL was seen."""

    @property
    def data(self) -> bytes: ...

    @property
    def terminated(self) -> bool: ...


def was_read(found: Terminated | Unread) -> TypeGuard[Terminated]:
    """Whether a string could be read."""
    return hasattr(found, "terminated")


class Memory(Protocol):
    """The target's memory at the moment that is decoded."""

    def read(self, address: int, length: int, /) -> bytes | Unread: ...

    def read_some(self, address: int, length: int, /) -> bytes | Unread: ...

    def read_cstr(self, address: int, limit: int, /) -> Terminated | Unread: ...


class Descriptors(Protocol):
    """Knowledge of what descriptors refer to."""

    def about(self, pid: int, fd: int, memory: Memory | None = None) -> Reference | None:
        """What it refers to; AT_FDCWD stands for the working directory. None when unknown or not
        wanted.

        ``memory``: the memory of the phase of the call that uses it, which may tell.
        """
        ...


class Processes(Protocol):
    """Knowledge of what processes are called."""

    def comm(self, pid: int) -> str | None:
        """The name of a process or thread; None when unknown."""
        ...

    def reaped(self, pid: int, by: int) -> None:
        """Take note that a process waited for another, which is gone now, if it has ended."""
        ...


class Sockets(Protocol):
    """Knowledge of which descriptors are netlink sockets, and which are terminals."""

    def terminal(self, pid: int, fd: int) -> bool:
        """Whether a descriptor is a terminal's; False when nobody can tell."""
        ...

    def netlink(self, pid: int, fd: int) -> int | None:
        """The protocol of a netlink socket (NETLINK_ROUTE is 0); None for anything else.

        -1 while the socket has no address.
        """
        ...

    def bound(self, pid: int, fd: int) -> None:
        """Take note that a socket has an address now."""
        ...

    def made(self, pid: int, fd: int, domain: int, protocol: int) -> None:
        """Take note of a new socket, or of a new descriptor where a socket was."""
        ...

    def inherited(self, pid: int, parent: int) -> None:
        """Take note that a process has begun with its parent's sockets."""
        ...


class Context:
    """A call in progress, as its types see it.

    ``args`` are the raw registers, ``ret`` is meaningful once ``exiting``; ``failed`` then says
    whether it is an
    error. ``memory`` is the memory of the current phase; ``saved`` holds what types
    kept from the entry, by address. ``string_bytes`` is the longest string wanted (-s),
    ``elements`` the
    most elements of an array; ``whole`` says that no structure will be abbreviated.
    """

    __slots__ = (
        "args",
        "descriptors",
        "elements",
        "exiting",
        "failed",
        "interrupted",
        "memory",
        "processes",
        "ret",
        "saved",
        "sockets",
        "string_bytes",
        "whole",
    )

    args: tuple[int, ...]
    ret: int
    failed: bool
    exiting: bool
    interrupted: str | None
    memory: Memory
    processes: Processes | None
    saved: dict[Any, Any]
    string_bytes: int
    elements: int
    whole: bool
    descriptors: Descriptors | None
    sockets: Sockets | None

    # Asked for seldom, and known from elsewhere: the price of each attribute is paid by each call.

    @property
    def abi(self) -> Layout:
        """How the caller stores C types."""
        raise NotImplementedError

    @property
    def nr(self) -> int:
        """The call's number."""
        raise NotImplementedError

    @property
    def pid(self) -> int:
        """The process that makes the call."""
        raise NotImplementedError

    @property
    def tid(self) -> int:
        """The thread that makes the call."""
        raise NotImplementedError


# A decoder's answer at entry when only the exit can tell.
LATER: Final = object()

# (call, raw value: a register or a field, the raw siblings) -> what it means. An argument's decoder
# may also
# answer LATER at entry, or None for an argument that is not there.
Decode: TypeAlias = Callable[[Context, Any, tuple[Any, ...]], Any]
Number: TypeAlias = Callable[[Context, tuple[Any, ...]], int]
Show: TypeAlias = Callable[[Context, Any, tuple[Any, ...]], Value]
