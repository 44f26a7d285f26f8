"""What is particular to x86: segments, registers of the thread, features of the processor."""

from __future__ import annotations

import os
from typing import Any

from pytracer.spec.context import LATER, Context, Decode
from pytracer.spec.entry import syscall
from pytracer.spec.plan import At, AtRegister, Fetch, From, Length, Planning
from pytracer.spec.pointer import In, Out, Pointee, unreadable
from pytracer.spec.returns import Result, Returns
from pytracer.spec.scalar import Enum, Hex, Int, Scalar, Size
from pytracer.spec.switch import Absent, Switch
from pytracer.spec.type import Scope
from pytracer.spec.values import (
    Address,
    Base,
    Changed,
    Integer,
    Joined,
    Noted,
    Phrase,
    Struct,
    Value,
)
from pytracer.tables.constants.errno import ERRNO
from pytracer.tables.constants.process import (
    ARCH_GET_CPUID,
    ARCH_GET_FS,
    ARCH_GET_GS,
    ARCH_GET_XCOMP_GUEST_PERM,
    ARCH_GET_XCOMP_PERM,
    ARCH_GET_XCOMP_SUPP,
    ARCH_PRCTL,
    ARCH_REQ_XCOMP_GUEST_PERM,
    ARCH_REQ_XCOMP_PERM,
    XFEATURE_MASKS,
    XFEATURES,
)
from pytracer.tables.structs.prctl import KernelPointer, flag_names
from pytracer.tables.structs.userdesc import USER_DESC, USER_DESC_BYTES, entry_number


class FeatureMask(Scalar):
    """States of the processor, as a mask, with their names beside it."""

    def __init__(self) -> None:
        super().__init__("u64")

    def make(self, number: int) -> Value:
        names, rest = XFEATURE_MASKS.names_in(number)
        words = [*names, *([hex(rest)] if rest else [])] if names else [XFEATURE_MASKS.unknown]
        shown = Integer(number, Base.HEX)
        return Noted(shown, "|".join(words), unless_raw=True) if number else shown


class Feature(Scalar):
    """The number of a state of the processor, with its name beside it."""

    def __init__(self) -> None:
        super().__init__("kulong")

    def make(self, number: int) -> Value:
        name = XFEATURES.name_of(number) or XFEATURES.unknown
        return Noted(Integer(number, Base.HEX), name, unless_raw=True)


class Permitted(Returns):
    """A result that is a mask of states where the call was to grant one."""

    def bind(self, scope: Scope) -> Result:
        number = scope.number("op")
        asking = (ARCH_REQ_XCOMP_PERM, ARCH_REQ_XCOMP_GUEST_PERM)

        def result(ctx: Context) -> tuple[Value | None, Value | None]:
            if number(ctx, ctx.args) not in asking or ctx.ret <= 0:
                return Integer(ctx.ret), None
            return Integer(ctx.ret, Base.HEX), flag_names(XFEATURE_MASKS, ctx.ret)

        return result


_MASKS = (ARCH_GET_XCOMP_SUPP, ARCH_GET_XCOMP_PERM, ARCH_GET_XCOMP_GUEST_PERM)
arch_prctl = syscall(
    "arch_prctl",
    op=Enum(ARCH_PRCTL),
    addr=Switch(
        on="op",
        cases={
            (ARCH_GET_FS, ARCH_GET_GS): Out(KernelPointer()),
            ARCH_GET_CPUID: Absent(),
            _MASKS: Out(FeatureMask()),
            (ARCH_REQ_XCOMP_PERM, ARCH_REQ_XCOMP_GUEST_PERM): Feature(),
        },
        default=Hex("kulong"),
    ),
    returns=Permitted(),
)


class LdtEntry(In):
    """A descriptor to be written, when the length is that of one."""

    def bind(self, scope: Scope) -> Decode:
        decode_at = self.inner.bind_at(scope)
        length = scope.number("bytecount")

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
            if length(ctx, frame) != USER_DESC_BYTES:
                return Address(raw)
            return decode_at(ctx, raw, frame)

        return decode


class LdtResult(Returns):
    """A number of bytes, or an error that the kernel cut to 32 bits.

    Source: SYSCALL_DEFINE3(modify_ldt), arch/x86/kernel/ldt.c: the ABI expects an int.
    """

    def bind(self, scope: Scope) -> Result:
        def result(ctx: Context) -> tuple[Value | None, Value | None]:
            number = Integer(ctx.ret)
            if not 0xFFFFF000 <= ctx.ret <= 0xFFFFFFFF:
                return number, None
            code = 0x100000000 - ctx.ret
            name = ERRNO.name_of(code)
            if name is None:
                return number, None
            return Joined((number, Phrase(name)), " "), Phrase(os.strerror(code))

        return result


modify_ldt = syscall(
    "modify_ldt",
    func=Int(),
    ptr=LdtEntry(USER_DESC),
    bytecount=Size(),
    returns=LdtResult(),
)


class EntryResult(Returns):
    """The number of the descriptor that the kernel chose, which it wrote where it found one."""

    def bind(self, scope: Scope) -> Result:
        def result(ctx: Context) -> tuple[Value | None, Value | None]:
            data = ctx.memory.read(ctx.args[0], 4)
            if not isinstance(data, bytes):
                return Integer(ctx.ret), None
            number = int.from_bytes(data, "little")
            return Integer(ctx.ret), Phrase(f"entry_number={number}", number)

        return result

    def fetches(self, planning: Planning) -> tuple[Fetch, ...]:
        length = Length(From.CONST, USER_DESC_BYTES)
        return (Fetch(AtRegister(0), planning.phase, length, USER_DESC_BYTES),)


class AskedDesc(Pointee):
    """A descriptor asked for by its number; if the call fails, that is all there is to show."""

    def bind(self, scope: Scope) -> Decode:
        decode_at = USER_DESC.bind_at(scope)

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
            if not ctx.exiting:
                head = ctx.memory.read(raw, 4)
                return LATER if isinstance(head, bytes) else unreadable(raw, head)
            asked = ctx.saved.get(self)
            if ctx.failed or asked is None:
                fields = (("entry_number", asked or Address(raw)),)
                return Struct(fields, raw, None, True)
            value = decode_at(ctx, raw, frame)
            if isinstance(value, Struct):
                got = value.fields[0][1]
                if getattr(got, "value", None) != asked.value:
                    value.fields = (("entry_number", Changed(asked, got)), *value.fields[1:])
            return value

        return decode

    def prefetch(self, scope: Scope, index: int) -> Any:
        def keep(ctx: Context) -> None:
            data = ctx.memory.read(ctx.args[index], 4)
            if isinstance(data, bytes):
                ctx.saved[self] = entry_number(int.from_bytes(data, "little"))

        return keep

    def fetches(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        entry, late = planning.at_entry(), planning.at_exit()
        whole = Length(From.CONST, USER_DESC_BYTES)
        return (
            Fetch(at, entry.phase, Length(From.CONST, 4), 4),
            Fetch(at, late.phase, whole, USER_DESC_BYTES),
        )


set_thread_area = syscall("set_thread_area", u_info=In(USER_DESC), returns=EntryResult())
get_thread_area = syscall("get_thread_area", u_info=AskedDesc())
