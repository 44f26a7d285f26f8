"""How a new process is to be made: the flags of clone, and struct clone_args of clone3."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, Final

from pytracer.spec.abi import Layout
from pytracer.spec.aggregate import ArrayOf, StructOf
from pytracer.spec.context import LATER, Context, Decode
from pytracer.spec.plan import At, AtOffset, AtRegister, Fetch, From, Length, Planning
from pytracer.spec.pointer import In
from pytracer.spec.scalar import Fd, FlagSet, Int, Number, Pid, Pointer, Scalar
from pytracer.spec.type import AnyBit, Scope, Type, Wrapper
from pytracer.spec.values import Base, Became, Flags, Integer, Joined, Struct, Symbol, Value
from pytracer.spec.versioned import Versioned
from pytracer.tables.constants.process import (
    CLONE3_FLAGS,
    CLONE_CHILD_CLEARTID,
    CLONE_CHILD_SETTID,
    CLONE_FLAGS,
    CLONE_INTO_CGROUP,
    CLONE_PARENT_SETTID,
    CLONE_PIDFD,
    CLONE_SETTLS,
    CSIGNAL,
)
from pytracer.tables.structs.signal import signal_name
from pytracer.tables.structs.userdesc import USER_DESC

_LEAST: Final = 64  # CLONE_ARGS_SIZE_VER0, include/uapi/linux/sched.h
_WHOLE: Final = 88  # CLONE_ARGS_SIZE_VER2
_MAX_SET_TID: Final = 32  # MAX_PID_NS_LEVEL, include/linux/pid_namespace.h
_INT_MAX: Final = 0x7FFFFFFF


def _signal(number: int) -> Symbol:
    return Symbol(number, signal_name(number), "", Base.DEC)


class CloneFlags(Scalar):
    """What a child shares with its parent, and, in the low byte, the signal of its end."""

    def __init__(self) -> None:
        super().__init__("kulong")

    def make(self, number: int) -> Value:
        flags = number & ~CSIGNAL
        signal = _signal(number & CSIGNAL)
        if not flags:
            return signal
        names, rest = CLONE_FLAGS.names_in(flags)
        shared = Flags(flags, names, rest, CLONE_FLAGS.unknown)
        return Joined((shared, signal)) if signal.value else shared


class _ExitSignal(Scalar):
    """The signal of a child's end, in a field that is wider than any signal."""

    def __init__(self) -> None:
        super().__init__("u64")

    def make(self, number: int) -> Value:
        return _signal(number) if number < _INT_MAX else Integer(number)


class _Present(Wrapper):
    """A field shown when any of some fields is set."""

    def __init__(self, inner: Type, *names: str) -> None:
        super().__init__(inner)
        self.names = names

    def bind(self, scope: Scope) -> Decode:
        decode = self.inner.bind(scope)
        numbers = [scope.number(name) for name in self.names]

        def decode_if(ctx: Context, raw: Any, frame: tuple[Any, ...]) -> Any:
            return decode(ctx, raw, frame) if any(n(ctx, frame) for n in numbers) else None

        return decode_if


class _Address64(Pointer):
    """An address in a field that is 64 bits wide whatever the ABI."""

    def __init__(self) -> None:
        Scalar.__init__(self, "u64")


class _SetTid(Wrapper):
    """The thread ids asked for, where their count makes sense."""

    def __init__(self) -> None:
        super().__init__(_Address64())
        self.array = ArrayOf(Int(), "set_tid_size", limit=_MAX_SET_TID)

    def bind(self, scope: Scope) -> Decode:
        show_address = self.inner.bind(scope)
        decode_at = self.array.bind_at(scope)
        count = scope.number("set_tid_size")

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
            if raw and 0 < count(ctx, frame) <= _MAX_SET_TID:
                return decode_at(ctx, raw, frame)
            return show_address(ctx, raw, frame)

        return decode

    def fetches(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        return self.array.fetches_at(at, planning)


class _CGroup(Number):
    """The cgroup to be born in, where one is asked for."""

    def __init__(self) -> None:
        super().__init__("u64")

    def bind(self, scope: Scope) -> Decode:
        flags = scope.number("flags")

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Value | None:
            return Integer(raw) if raw or flags(ctx, frame) & CLONE_INTO_CGROUP else None

        return decode


def clone_args(tls: Type) -> Versioned:
    """struct clone_args, include/uapi/linux/sched.h, with an ABI's meaning of ``tls``."""
    return Versioned(
        StructOf(
            order=(
                "flags",
                "pidfd",
                "child_tid",
                "parent_tid",
                "exit_signal",
                "stack",
                "stack_size",
                "tls",
                "set_tid",
                "set_tid_size",
                "cgroup",
            ),
            flags=FlagSet(CLONE3_FLAGS, "u64"),
            pidfd=_Address64().when(AnyBit("flags", CLONE_PIDFD)),
            child_tid=_Address64().when(AnyBit("flags", CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID)),
            parent_tid=_Address64().when(AnyBit("flags", CLONE_PARENT_SETTID)),
            exit_signal=_ExitSignal(),
            stack=_Address64(),
            stack_size=Number("u64", Base.HEX),
            tls=tls.when(AnyBit("flags", CLONE_SETTLS)),
            set_tid=_Present(_SetTid(), "set_tid", "set_tid_size"),
            set_tid_size=_Present(Number("u64"), "set_tid", "set_tid_size"),
            cgroup=_CGroup(),
        ),
        size="size",
        least=_LEAST,
    )


class _Descriptor(In):
    """A segment descriptor, through a pointer that is 64 bits wide."""

    def measure(self, abi: Layout) -> tuple[int, int, str]:
        return abi.measure("u64")


CLONE_ARGS = clone_args(_Address64())
CLONE_ARGS_I386 = clone_args(_Descriptor(USER_DESC))


class Changes(Type):
    """What clone3 put where its structure says: the child's descriptor and its id.

    It takes no register of its own. Without any of the two there is nothing to wait for.
    """

    def registers(self, abi: Layout) -> int:
        return 0

    def bind(self, scope: Scope) -> Decode:
        show_fd = In(Fd()).bind(scope)
        show_tid = In(Pid()).bind(scope)

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
            address, size = ctx.args[:2]
            if ctx.failed or size < _LEAST:
                return None
            data = ctx.memory.read(address, _LEAST)
            if not isinstance(data, bytes):
                return None
            flags, pidfd, _, parent_tid = struct.unpack_from("<4Q", data)
            if not ctx.exiting:
                wanted = flags & (CLONE_PIDFD | CLONE_PARENT_SETTID) or size > _WHOLE
                return LATER if wanted else None
            fields: list[tuple[str, Value]] = []
            if flags & CLONE_PIDFD:
                fields.append(("pidfd", show_fd(ctx, pidfd, frame)))
            if flags & CLONE_PARENT_SETTID:
                fields.append(("parent_tid", show_tid(ctx, parent_tid, frame)))
            return Became(Struct(tuple(fields))) if fields else None

        return decode

    def fetches(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        late = planning.at_exit()
        number = Length(From.CONST, 4)
        pidfd = late.describe(AtOffset(0))
        inside = (
            Fetch(AtOffset(8), late.phase, number, 4, inside=pidfd),
            Fetch(AtOffset(24), late.phase, number, 4),
        )
        length = Length(From.CONST, _LEAST)
        return (Fetch(AtRegister(0), late.phase, length, _LEAST, inside=inside),)

    def parts(self) -> Iterator[Type]:
        return iter(())
