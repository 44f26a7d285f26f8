"""Types of single numbers: integers, constants, flags, descriptors, ids."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pytracer.spec.abi import Layout
from pytracer.spec.context import Context, Decode
from pytracer.spec.plan import At, Fetch, Planning
from pytracer.spec.type import Scope, Type
from pytracer.spec.values import (
    Address,
    Base,
    Descriptor,
    Flags,
    Integer,
    Joined,
    ProcessId,
    Symbol,
    Value,
)
from pytracer.spec.xlat import Xlat

# Decoders remember what they made of a raw value; this bounds how many a target can make them keep.
MEMORY_LIMIT = 4096


def remembered(make: Callable[[int], Value]) -> Decode:
    """A decoder of the raw number alone that makes each value once."""
    known: dict[int, Value] = {}

    def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Value:
        value = known.get(raw)
        if value is None:
            value = make(raw)
            if len(known) < MEMORY_LIMIT:
                known[raw] = value
        return value

    return decode


class Scalar(Type):
    """A number whose meaning depends on nothing else."""

    def __init__(self, ctype: str) -> None:
        self.ctype = ctype

    def make(self, number: int) -> Value:
        """What the number means, once cut to its C type."""
        raise NotImplementedError(type(self).__name__)

    def by_number(self) -> bool:
        # Who binds otherwise looks at more, or says so.
        return type(self).bind is Scalar.bind

    def bind(self, scope: Scope) -> Decode:
        number = self.number(scope.abi)
        make = self.make
        return remembered(lambda raw: make(number(raw)))


class Number(Scalar):
    """An integer of a C type, in one base."""

    def __init__(self, ctype: str, base: Base = Base.DEC) -> None:
        super().__init__(ctype)
        self.base = base

    def make(self, number: int) -> Value:
        return Integer(number, self.base)


def Int() -> Number:
    """int, in decimal."""
    return Number("int")


def UInt() -> Number:
    """unsigned int, in decimal."""
    return Number("uint")


def Long() -> Number:
    """long, in decimal (64 bits wide in the registers of x86_64 and x32)."""
    return Number("klong")


def Size() -> Number:
    """size_t or unsigned long, in decimal."""
    return Number("kulong")


def Hex(ctype: str = "uint") -> Number:
    """A number that is customarily written in hexadecimal."""
    return Number(ctype, Base.HEX)


def Octal(ctype: str = "uint") -> Number:
    """A number that is customarily written in octal."""
    return Number(ctype, Base.OCT)


class LongLong(Number):
    """A 64-bit argument: two registers on i386, one elsewhere.

    Source: SYSCALL32_DEFINE and SC_ARG64 in arch/x86/entry/syscall_32.c, include/linux/syscalls.h.
    """

    def __init__(self, ctype: str = "s64", base: Base = Base.DEC) -> None:
        super().__init__(ctype, base)

    def registers(self, abi: Layout) -> int:
        return 2 if abi.register_bytes == 4 else 1


class Pointer(Scalar):
    """An address that is shown and never followed."""

    def __init__(self) -> None:
        super().__init__("ptr")

    def make(self, number: int) -> Value:
        return Address(number)


class Enum(Scalar):
    """One constant of a table."""

    def __init__(self, xlat: Xlat, ctype: str = "uint", base: Base = Base.HEX) -> None:
        super().__init__(ctype)
        self.xlat = xlat
        self.base = base

    def make(self, number: int) -> Value:
        return Symbol(number, self.xlat.name_of(number), self.xlat.unknown, self.base)


class FlagSet(Scalar):
    """A combination of a table's bits.

    ``low``: a mask of low bits that hold one constant of ``choices`` rather than flags (O_ACCMODE),
    named first. ``silent``: nothing stands for a 0 without a name.
    """

    def __init__(
        self,
        xlat: Xlat,
        ctype: str = "uint",
        low: int = 0,
        choices: Xlat | None = None,
        base: Base = Base.HEX,
        silent: bool = False,
    ) -> None:
        super().__init__(ctype)
        self.xlat = xlat
        self.silent = silent
        self.low = low
        self.choices = choices
        self.base = base

    def make(self, number: int) -> Value:
        names, rest = self.xlat.names_in(number & ~self.low)
        if self.choices is not None:
            name = self.choices.name_of(number & self.low)
            if name is not None:
                names = (name, *names)
            else:
                rest |= number & self.low
        return Flags(number, names, rest, self.xlat.unknown, self.base, None, self.silent)


class Split(Scalar):
    """A number whose bits under ``mask`` mean one thing, and the others another.

    The first is always shown, the second where there is any.
    """

    def __init__(self, mask: int, first: Scalar, second: Scalar, ctype: str = "uint") -> None:
        super().__init__(ctype)
        self.mask = mask
        self.first = first
        self.second = second

    def make(self, number: int) -> Value:
        first = self.first.make(number & self.mask)
        rest = number & ~self.mask
        return Joined((first, self.second.make(rest))) if rest else first


class Mode(Scalar):
    """File permission bits, in octal."""

    def __init__(self, ctype: str = "ushort") -> None:
        super().__init__(ctype)

    def make(self, number: int) -> Value:
        return Integer(number, Base.MODE)


class Fd(Type):
    """A file descriptor."""

    ctype = "int"
    classes = frozenset({"desc"})

    def fetches(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        return planning.describe(at)

    def by_number(self) -> bool:
        return type(self).bind is Fd.bind

    def bind(self, scope: Scope) -> Decode:
        number = self.number(scope.abi)

        plain = remembered(lambda raw: Descriptor(number(raw)))

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Value:
            if ctx.descriptors is None:
                return plain(ctx, raw, frame)  # type: ignore[no-any-return]
            fd = number(raw)
            if fd < 0:
                return Descriptor(fd)
            return Descriptor(fd, None, ctx.descriptors.about(ctx.pid, fd, ctx.memory))

        return decode


AT_FDCWD = -100  # include/uapi/linux/fcntl.h


class DirFd(Type):
    """A descriptor of a directory from which a path starts, or AT_FDCWD."""

    ctype = "int"
    classes = frozenset({"desc"})

    def fetches(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        return planning.describe(at)

    def by_number(self) -> bool:
        return type(self).bind is DirFd.bind

    def bind(self, scope: Scope) -> Decode:
        number = self.number(scope.abi)

        def named(raw: int) -> Value:
            fd = number(raw)
            return Descriptor(fd, "AT_FDCWD" if fd == AT_FDCWD else None)

        plain = remembered(named)

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Value:
            if ctx.descriptors is None:
                return plain(ctx, raw, frame)  # type: ignore[no-any-return]
            fd = number(raw)
            name = "AT_FDCWD" if fd == AT_FDCWD else None
            return Descriptor(fd, name, ctx.descriptors.about(ctx.pid, fd, ctx.memory))

        return decode


class Pid(Scalar):
    """The id of a process or thread."""

    def __init__(self) -> None:
        super().__init__("int")

    def make(self, number: int) -> Value:
        return ProcessId(number)

    def by_number(self) -> bool:
        return type(self).bind is Pid.bind

    def bind(self, scope: Scope) -> Decode:
        plain = super().bind(scope)
        number = self.number(scope.abi)

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Value:
            if ctx.processes is None:
                shared: Value = plain(ctx, raw, frame)
                return shared
            pid = number(raw)
            return ProcessId(pid, ctx.processes.comm(pid))

        return decode


class GroupId(Pid):
    """The id of a process group or of a session: it has no name (-Y)."""

    def bind(self, scope: Scope) -> Decode:
        return Scalar.bind(self, scope)


class Uid(Scalar):
    """A user or group id; -1 stands for "leave as it is"."""

    def __init__(self, ctype: str = "uint") -> None:
        super().__init__(ctype)
        self.none = 0xFFFF if ctype == "ushort" else 0xFFFFFFFF

    def make(self, number: int) -> Value:
        return Integer(-1 if number in (self.none, -1) else number)
