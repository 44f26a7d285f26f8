"""What the commands of fcntl hand over, and what they return.

Source: include/uapi/asm-generic/fcntl.h, include/uapi/linux/fcntl.h (struct delegation: 6.18).
"""

from __future__ import annotations

from pytracer.spec.aggregate import StructOf
from pytracer.spec.context import Context
from pytracer.spec.plan import AtResult, Fetch, Planning
from pytracer.spec.returns import Result, Returns
from pytracer.spec.scalar import Enum, FlagSet, Hex, Number, Pid
from pytracer.spec.type import NonZero, Scope
from pytracer.spec.values import Base, Descriptor, Flags, Integer, Joined, Phrase, ProcessId, Value
from pytracer.tables.constants.files import (
    F_DUPFD,
    F_DUPFD_CLOEXEC,
    F_GET_SEALS,
    F_GETFD,
    F_GETFL,
    F_GETLEASE,
    F_GETOWN,
    F_GETSIG,
    F_LOCK_TYPES,
    F_OWNER_TYPES,
    F_SEALS,
    FD_FLAGS,
    O_ACCESS_MODES,
    O_ACCMODE,
    O_FLAGS,
    SEEK_WHENCE,
)
from pytracer.tables.structs.signal import signal_name


def _flock(offset: str, asked: bool) -> StructOf:
    """A lock; the process that holds it is shown only in the answer to F_GETLK."""
    fields = ("l_type", "l_whence", "l_start", "l_len")
    return StructOf(
        order=(*fields, "l_pid") if asked else fields,
        l_type=Enum(F_LOCK_TYPES, "ushort"),
        l_whence=Enum(SEEK_WHENCE, "ushort"),
        l_start=Number(offset),
        l_len=Number(offset),
        l_pid=Pid(),
    )


FLOCK = _flock("klong", asked=False)
FLOCK_HELD = _flock("klong", asked=True)
FLOCK64 = _flock("s64", asked=False)
FLOCK64_HELD = _flock("s64", asked=True)
OWNER = StructOf(type=Enum(F_OWNER_TYPES), pid=Pid())


DELEGATION = StructOf(
    d_flags=Hex(), d_type=Enum(F_LOCK_TYPES, "ushort"), __pad=NonZero(Hex("ushort"))
)


def _status(flags: int) -> Value:
    """The flags of an open file, by name whatever the style of constants."""
    names, rest = O_FLAGS.names_in(flags & ~O_ACCMODE)
    access = O_ACCESS_MODES.name_of(flags & O_ACCMODE)
    words = [*([access] if access else ()), *names, *([f"{rest:#x}"] if rest else ())]
    meant = Flags(flags, (*([access] if access else ()), *names), rest)
    return Joined((Phrase("flags"), Phrase("|".join(words), flags, meant)), " ")


class FcntlResult(Returns):
    """A result whose meaning the command decides."""

    def fetches(self, planning: Planning) -> tuple[Fetch, ...]:
        return planning.describe(AtResult())

    def bind(self, scope: Scope) -> Result:
        command = scope.number("op")

        def result(ctx: Context) -> tuple[Value | None, Value | None]:
            op = command(ctx, ctx.args) & 0xFFFFFFFF
            ret = ctx.ret
            if op in (F_DUPFD, F_DUPFD_CLOEXEC):
                known = ctx.descriptors
                about = None if known is None else known.about(ctx.pid, ret, ctx.memory)
                return Descriptor(ret, None, about), None
            if op == F_GETOWN:
                return ProcessId(ret), None
            note = _remark(op, ret)
            return Integer(ret, Base.HEX if note and op != F_GETSIG else Base.DEC), note

        return result


def _remark(op: int, ret: int) -> Value | None:
    if op == F_GETFL:
        return _status(ret)
    if op == F_GETLEASE:
        name = F_LOCK_TYPES.name_of(ret)
        return None if name is None else Phrase(name, ret)
    if not ret:
        return None
    if op == F_GETFD:
        return Joined((Phrase("flags"), FlagSet(FD_FLAGS).make(ret)), " ")
    if op == F_GET_SEALS:
        return Joined((Phrase("seals"), FlagSet(F_SEALS).make(ret)), " ")
    if op == F_GETSIG:
        return Phrase(signal_name(ret) or str(ret), ret)
    return None
