"""How a task is scheduled: its policy, its parameters, the processors it may run on."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Any, Final

from pytracer.spec.aggregate import StructOf
from pytracer.spec.context import LATER, Context, Decode
from pytracer.spec.plan import At, AtRegister, Fetch, From, Length, Planning
from pytracer.spec.pointer import Pointee, named_length, unreadable
from pytracer.spec.returns import Result, Returns
from pytracer.spec.scalar import Enum, FlagSet, Number, Scalar
from pytracer.spec.type import DecodeAt, Scope
from pytracer.spec.values import (
    Address,
    Base,
    Became,
    Flags,
    Integer,
    Phrase,
    Set,
    Struct,
    Symbol,
    Value,
)
from pytracer.tables.constants.process import (
    SCHED_FLAG_KEEP_PARAMS,
    SCHED_FLAG_KEEP_POLICY,
    SCHED_FLAGS,
    SCHED_POLICIES,
    SCHED_RESET_ON_FORK,
)

_ATTR_LEAST: Final = 48  # SCHED_ATTR_SIZE_VER0, include/uapi/linux/sched/types.h
_ATTR_WHOLE: Final = 56  # SCHED_ATTR_SIZE_VER1
_E2BIG: Final = -7  # include/uapi/asm-generic/errno-base.h

SCHED_PARAM = StructOf(sched_priority=Number("int"))


def policy(number: int) -> Value:
    """A scheduling policy, and the flag that children are to forget it."""
    if not number & SCHED_RESET_ON_FORK:
        return Enum(SCHED_POLICIES).make(number)
    rest = number & ~SCHED_RESET_ON_FORK
    name = SCHED_POLICIES.name_of(rest)
    if name is None:
        return Flags(number, ("SCHED_RESET_ON_FORK",), rest, SCHED_POLICIES.unknown)
    return Flags(number, ("SCHED_RESET_ON_FORK", name), 0)


class Policy(Scalar):
    """A scheduling policy as an argument."""

    def __init__(self) -> None:
        super().__init__("uint")

    def make(self, number: int) -> Value:
        return policy(number)


class PolicyResult(Returns):
    """A scheduling policy as a result."""

    def bind(self, scope: Scope) -> Result:
        def result(ctx: Context) -> tuple[Value | None, Value | None]:
            found = policy(ctx.ret)
            names: tuple[str | None, ...] = ()
            if isinstance(found, Flags):
                names = found.names
            elif isinstance(found, Symbol):
                names = (found.name,)
            note = "|".join(filter(None, names))
            return Integer(ctx.ret, Base.HEX), Phrase(note, ctx.ret) if note else None

        return result


class _Unkept(Scalar):
    """A field that sched_setattr ignores when the flags say to keep what there is."""

    def __init__(self, inner: Scalar, kept: int) -> None:
        super().__init__(inner.ctype)
        self.inner = inner
        self.kept = kept

    def make(self, number: int) -> Value:
        return self.inner.make(number)

    def bind(self, scope: Scope) -> Decode:
        decode = super().bind(scope)
        flags = scope.number("sched_flags")
        kept = self.kept

        def decode_if(ctx: Context, raw: Any, frame: tuple[Any, ...]) -> Any:
            return None if flags(ctx, frame) & kept else decode(ctx, raw, frame)

        return decode_if


def _attributes(setting: bool) -> StructOf:
    either = SCHED_FLAG_KEEP_POLICY | SCHED_FLAG_KEEP_PARAMS

    def kept(inner: Scalar, mask: int) -> Scalar:
        return _Unkept(inner, mask) if setting else inner

    params = SCHED_FLAG_KEEP_PARAMS
    return StructOf(
        order=(
            "size",
            "sched_policy",
            "sched_flags",
            "sched_nice",
            "sched_priority",
            "sched_runtime",
            "sched_deadline",
            "sched_period",
            "sched_util_min",
            "sched_util_max",
        ),
        size=Number("uint"),
        sched_policy=kept(Enum(SCHED_POLICIES), either),
        sched_flags=FlagSet(SCHED_FLAGS, "u64"),
        sched_nice=kept(Number("int"), params),
        sched_priority=kept(Number("uint"), params),
        sched_runtime=kept(Number("u64"), params),
        sched_deadline=kept(Number("u64"), params),
        sched_period=kept(Number("u64"), params),
        sched_util_min=Number("uint"),
        sched_util_max=Number("uint"),
    )


GIVEN = _attributes(setting=True)
ASKED = _attributes(setting=False)


class SchedAttr(Pointee):
    """struct sched_attr, include/uapi/linux/sched/types.h.

    ``size``: the sibling that holds its length when it is asked for; None when it is given, and
    says so itself.
    """

    def __init__(self, size: str | None = None) -> None:
        self.size = size
        self.struct = GIVEN if size is None else ASKED

    def bind_at(self, scope: Scope) -> DecodeAt:
        decode = self.struct.bind(scope)
        setting = self.size is None
        number = scope.number(self.size or 0)
        ends = {f.name: f.offset + f.size for f in self.struct.place(scope.abi)[0]}

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            if not address:
                return Address(0)
            if setting:
                head = ctx.memory.read(address, 4)
                if not isinstance(head, bytes):
                    return unreadable(address, head)
                said = int.from_bytes(head, "little")
                given = said or _ATTR_LEAST
            else:
                said = given = number(ctx, frame)
                if not given:
                    return Address(address)
            known = min(given, _ATTR_WHOLE)
            wanted = max(known, 4) if not setting or known >= _ATTR_LEAST else 4
            data = ctx.memory.read(address, wanted)
            if not isinstance(data, bytes):
                return unreadable(address, data)
            value: Struct = decode(ctx, data.ljust(_ATTR_WHOLE, b"\0"), frame)
            written = known if setting else int.from_bytes(data[:4], "little")
            value.fields = _covered(value.fields, written, ends)
            value.more = (given if setting else written) > min(written, _ATTR_WHOLE)
            value.address = address
            return value

        return decode_at

    def fetches_at(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        whole = Length(From.CONST, _ATTR_WHOLE)
        length = whole if self.size is None else named_length(self.size, planning) or whole
        return (Fetch(at, planning.phase, length, _ATTR_WHOLE, False, planning.always),)


def _covered(
    fields: tuple[tuple[str, Value], ...], size: int, ends: dict[str, int]
) -> tuple[tuple[str, Value], ...]:
    """The fields of a structure of ``size`` bytes, of which the kernel knows two versions."""
    if size < _ATTR_LEAST:
        return fields[:1]
    if size < _ATTR_WHOLE:
        return tuple(field for field in fields if ends[field[0]] <= _ATTR_LEAST)
    return fields


class RightSize(Pointee):
    """The size that the kernel would have liked, which it tells when it got too big a one."""

    def bind(self, scope: Scope) -> Decode:
        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
            if not ctx.exiting:
                return LATER
            if ctx.ret != _E2BIG:
                return None
            data = ctx.memory.read(ctx.args[1], 4)
            if not isinstance(data, bytes):
                return None
            return Became(Struct((("size", Integer(int.from_bytes(data, "little"))),)))

        return decode

    def registers(self, abi: Any) -> int:
        return 0

    def fetches(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        late = planning.at_exit(always=True)
        return (Fetch(AtRegister(1), late.phase, Length(From.CONST, 4), 4, always=True),)


@lru_cache(maxsize=1)
def _mask_bytes() -> int:
    """How many bytes a mask of processors can have here."""
    possible = os.sysconf("SC_NPROCESSORS_CONF")
    size = 128
    while size * 8 < possible:
        size *= 2
    return size


class CpuSet(Pointee):
    """A set of processors. ``size``: the sibling that holds its length in bytes."""

    def __init__(self, size: str) -> None:
        self.size = size

    def bind_at(self, scope: Scope) -> DecodeAt:
        number = scope.number(self.size)
        word = scope.abi.word

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            if not address:
                return Address(0)
            size = number(ctx, frame) & 0xFFFFFFFF
            if not size:
                return Set((), False, address)
            known = min(size, _mask_bytes())
            data = ctx.memory.read(address, known)
            if not isinstance(data, bytes):
                return unreadable(address, data)
            mask = int.from_bytes(data, "little")
            found = [str(cpu) for cpu in range(known * 8) if mask >> cpu & 1]
            if -(-known // word) * word < size:
                found.append("...")
            return Set(tuple(found), False, address)

        return decode_at

    def fetches_at(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        limit = _mask_bytes()
        length = named_length(self.size, planning) or Length(From.CONST, limit)
        return (Fetch(at, planning.phase, length, limit, False, planning.always),)
