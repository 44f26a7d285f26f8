"""Arguments and results of prctl that no other call has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pytracer.spec.context import Context, Decode, was_read
from pytracer.spec.plan import At, Fetch, From, Length, Planning
from pytracer.spec.pointer import Pointee, unreadable
from pytracer.spec.returns import Result, Returns
from pytracer.spec.scalar import Pid, Scalar
from pytracer.spec.type import DecodeAt, Scope
from pytracer.spec.values import (
    Address,
    Base,
    Flags,
    Integer,
    Joined,
    Noted,
    Phrase,
    Symbol,
    Text,
    Value,
)
from pytracer.spec.xlat import Xlat
from pytracer.tables.constants.process import (
    PIDTYPES,
    PR_MTE_TAG_MASK,
    PR_MTE_TAG_SHIFT,
    PR_MTE_TCF,
    PR_MTE_TCF_MASK,
    PR_RISCV_V,
    PR_RISCV_V_VSTATE_CTRL_INHERIT,
    PR_SVE_VL_LEN_MASK,
    PR_TAGGED_ADDR_ENABLE,
)
from pytracer.tables.structs.signal import signal_name

# What a result means beside its number: (number in hexadecimal?, remark).
Explain = Callable[[int], tuple[bool, Value | None]]
_MOST_SIGNAL = 128


class Comm(Pointee):
    """A task's name, of at most ``most`` characters."""

    def __init__(self, most: int) -> None:
        self.most = most

    def bind_at(self, scope: Scope) -> DecodeAt:
        most = self.most

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            # A name that fills its room without a NUL is taken to go on.
            limit = ctx.string_bytes
            found = ctx.memory.read_cstr(address, min(most, limit + 1))
            if not was_read(found):
                return unreadable(address, found)
            return Text(found.data[:limit], not found.terminated, address)

        return decode_at

    def fetches_at(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        limit = self.most
        length = Length(From.CONST, limit)
        return (Fetch(at, planning.phase, length, limit, True, planning.always),)


class KernelPointer(Scalar):
    """An address as wide as the kernel's long."""

    def __init__(self) -> None:
        super().__init__("kulong")

    def make(self, number: int) -> Value:
        return Address(number)


class DeathSignal(Scalar):
    """A signal, or a number too large to be one."""

    def __init__(self) -> None:
        super().__init__("kulong")

    def make(self, number: int) -> Value:
        if number > _MOST_SIGNAL:
            return Integer(number)
        return Symbol(number, signal_name(number), "", Base.DEC)


class Tracer(Pid):
    """Who may trace: a process, or any."""

    def bind(self, scope: Scope) -> Decode:
        decode_pid = super().bind(scope)
        number = self.number(scope.abi)
        anyone = Symbol(-1, "PR_SET_PTRACER_ANY", "", Base.DEC)

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Value:
            return anyone if number(raw) == -1 else decode_pid(ctx, raw, frame)

        return decode


class PidType(Scalar):
    """What a process id stands for, with its name beside it."""

    def __init__(self) -> None:
        super().__init__("uint")

    def make(self, number: int) -> Value:
        name = PIDTYPES.name_of(number) or PIDTYPES.unknown
        return Noted(Integer(number, Base.HEX), name, unless_raw=True)


def vector_length(xlat: Xlat, number: int) -> Flags:
    """A length of vectors with flags above it (SVE and SME of arm64)."""
    length = Integer(number & PR_SVE_VL_LEN_MASK, Base.HEX)
    flags = number & ~PR_SVE_VL_LEN_MASK
    names, rest = xlat.names_in(flags) if flags else ((), 0)
    return Flags(number, names, rest, "", Base.HEX, length)


class VectorLength(Scalar):
    """A length of vectors to set."""

    def __init__(self, xlat: Xlat) -> None:
        super().__init__("kulong")
        self.xlat = xlat

    def make(self, number: int) -> Value:
        return vector_length(self.xlat, number)


def tagging(number: int) -> Flags:
    """How addresses are tagged (arm64)."""
    on = number & PR_TAGGED_ADDR_ENABLE
    mode = number & PR_MTE_TCF_MASK
    tags = number & PR_MTE_TAG_MASK
    rest = number & ~(PR_TAGGED_ADDR_ENABLE | PR_MTE_TCF_MASK | PR_MTE_TAG_MASK)
    names = ["PR_TAGGED_ADDR_ENABLE" if on else "!PR_TAGGED_ADDR_ENABLE"]
    names.append(PR_MTE_TCF.name_of(mode) or hex(mode))
    if tags:
        names.append(f"{tags >> PR_MTE_TAG_SHIFT:#x}<<PR_MTE_TAG_SHIFT")
    return Flags(number, tuple(names), rest)


class Tagging(Scalar):
    """How addresses are to be tagged."""

    def __init__(self) -> None:
        super().__init__("kulong")

    def make(self, number: int) -> Value:
        return tagging(number)


class VectorState(Scalar):
    """Whether a task and its successors may use vectors (RISC-V)."""

    def __init__(self) -> None:
        super().__init__("kulong")

    def make(self, number: int) -> Value:
        now, later = number & 3, number >> 2 & 3
        rest = number & ~(0xF | PR_RISCV_V_VSTATE_CTRL_INHERIT)
        parts: list[Value] = [Symbol(now, PR_RISCV_V.name_of(now))]
        if later:
            name = Symbol(later, PR_RISCV_V.name_of(later))
            parts.append(Joined((name, Integer(2)), "<<"))
        if number & PR_RISCV_V_VSTATE_CTRL_INHERIT:
            inherit = PR_RISCV_V_VSTATE_CTRL_INHERIT
            parts.append(Symbol(inherit, "PR_RISCV_V_VSTATE_CTRL_INHERIT"))
        if rest:
            parts.append(Integer(rest, Base.HEX))
        return Joined(tuple(parts)) if len(parts) > 1 else parts[0]


def named(xlat: Xlat) -> Explain:
    """A decimal result that is one constant."""

    def explain(number: int) -> tuple[bool, Value | None]:
        name = xlat.name_of(number)
        return False, Phrase(name, number) if name else None

    return explain


def flag_names(xlat: Xlat, number: int) -> Phrase | None:
    """The names of a result's flags, without their number."""
    names, rest = xlat.names_in(number)
    if not names:
        return None
    words = "|".join([*names, hex(rest)] if rest else names)
    return Phrase(words, number, Flags(number, names, rest), unless_raw=True)


def flagged(xlat: Xlat, zero: bool = False) -> Explain:
    """A result of flags, in hexadecimal; a plain 0 when none is set, unless ``zero`` has a name."""

    def explain(number: int) -> tuple[bool, Value | None]:
        if not number and not zero:
            return False, None
        return True, flag_names(xlat, number)

    return explain


class ResultOf(Returns):
    """A result that means something else for each value of an argument."""

    def __init__(self, on: str, cases: dict[int, Explain]) -> None:
        self.on = on
        self.cases = cases

    def bind(self, scope: Scope) -> Result:
        number = scope.number(self.on)
        cases = self.cases

        def result(ctx: Context) -> tuple[Value | None, Value | None]:
            explain = cases.get(number(ctx, ctx.args) & 0xFFFFFFFF)
            if explain is None:
                return Integer(ctx.ret), None
            in_hex, note = explain(ctx.ret)
            return Integer(ctx.ret, Base.HEX if in_hex else Base.DEC), note

        return result
