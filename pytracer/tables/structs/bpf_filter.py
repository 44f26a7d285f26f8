"""Programs of the classic BPF: filters of system calls and of packets.

Source of the opcodes' layout: include/uapi/linux/bpf_common.h and filter.h.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from pytracer.spec.abi import Layout
from pytracer.spec.aggregate import ArrayOf, StructOf
from pytracer.spec.context import Context, Decode
from pytracer.spec.plan import At, Fetch, Planning
from pytracer.spec.scalar import Number
from pytracer.spec.type import DecodeAt, Scope, Type
from pytracer.spec.values import (
    Array,
    Base,
    Function,
    Integer,
    Joined,
    Noted,
    Symbol,
    Value,
)
from pytracer.spec.xlat import Xlat
from pytracer.tables.constants.process import (
    CBPF_ALU_OPS,
    CBPF_CLASS,
    CBPF_JMP_OPS,
    CBPF_MISC_OPS,
    CBPF_MODE,
    CBPF_RVAL,
    CBPF_SIZE,
    CBPF_SRC,
    SECCOMP_RET_ACTION_FULL,
    SECCOMP_RETURNS,
    SKF_AD,
    SKF_OFF,
)

_LD, _LDX, _ST, _STX, _ALU, _JMP, _RET, _MISC = range(8)
_ABS: Final = 0x20
BPF_MAXINSNS: Final = 4096  # include/uapi/linux/bpf_common.h
# What an instruction's operand means; None where it is a plain number.
Operand = Callable[[int, int], Value | None]


def _named(xlat: Xlat, value: int) -> Value:
    return Symbol(value, xlat.name_of(value), xlat.unknown)


def opcode(code: int) -> Value:
    """The parts of an opcode: its class and what the class makes of the rest."""
    kind = code & 7
    rest = code & ~7
    parts: list[Value] = [_named(CBPF_CLASS, kind)]
    extra = 0
    if kind in (_ST, _STX):
        extra = rest
    elif kind in (_LD, _LDX):
        parts.append(_named(CBPF_SIZE, code & 0x18))
        parts.append(_named(CBPF_MODE, code & 0xE0))
    elif kind == _MISC:
        parts.append(_named(CBPF_MISC_OPS, code & 0xF8))
        extra = rest & ~0xF8
    elif kind in (_ALU, _JMP):
        parts.append(_named(CBPF_SRC, code & 0x08))
        operations = CBPF_ALU_OPS if kind == _ALU else CBPF_JMP_OPS
        parts.append(_named(operations, code & 0xF0))
    else:
        parts.append(_named(CBPF_RVAL, code & 0x18))
        extra = rest & ~0x18
    if extra:
        parts.append(Noted(Integer(extra, Base.HEX), "BPF_???"))
    return Joined(tuple(parts))


def seccomp_operand(code: int, operand: int) -> Value | None:
    """What a filter of system calls returns: an action and its data."""
    if code & 7 != _RET:
        return None
    action = operand & SECCOMP_RET_ACTION_FULL
    named = _named(SECCOMP_RETURNS, action)
    data = operand & ~SECCOMP_RET_ACTION_FULL & 0xFFFFFFFF
    return Joined((named, Integer(data, Base.HEX))) if data else named


def socket_operand(code: int, operand: int) -> Value | None:
    """What a filter of packets loads from beyond the packet."""
    if code & 7 != _LD or code & 0xE0 != _ABS:
        return None
    for base, name in sorted(SKF_OFF.entries, reverse=True):
        if operand >= base:
            offset = operand - base
            where = _named(SKF_AD, offset) if name == "SKF_AD_OFF" else Integer(offset)
            return Joined((Symbol(base, name), where), "+")
    return None


class Instruction(Type):
    """struct sock_filter: a statement, or a jump when it has somewhere to go."""

    def __init__(self, operand: Operand) -> None:
        self.operand = operand

    def measure(self, abi: Layout) -> tuple[int, int, str]:
        return 8, 4, "8s"

    def bind(self, scope: Scope) -> Decode:
        explain = self.operand

        def decode(ctx: Context, raw: bytes, frame: tuple[Any, ...]) -> Value:
            code = int.from_bytes(raw[:2], "little")
            true, false = raw[2], raw[3]
            operand = int.from_bytes(raw[4:], "little")
            plain = Integer(operand, Base.HEX)
            if true or false:
                targets = (Integer(true, Base.HEX), Integer(false, Base.HEX))
                return Function("BPF_JUMP", (opcode(code), plain, *targets))
            return Function("BPF_STMT", (opcode(code), explain(code, operand) or plain))

        return decode


class Filter(ArrayOf):
    """A program's instructions; abbreviated to where they are."""

    def __init__(self, operand: Operand, count: str) -> None:
        super().__init__(Instruction(operand), count, limit=BPF_MAXINSNS)

    def bind_at(self, scope: Scope) -> DecodeAt:
        decode_array = super().bind_at(scope)

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            value: Value = decode_array(ctx, address, frame)
            if isinstance(value, Array):
                value.hidden = True
            return value

        return decode_at

    def fetches_at(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        return super().fetches_at(at, planning) if planning.whole else ()


def program(operand: Operand) -> StructOf:
    """struct sock_fprog, include/uapi/linux/filter.h."""
    return StructOf(len=Number("ushort"), filter=Filter(operand, "len"))


SECCOMP_PROGRAM = program(seccomp_operand)
SOCKET_PROGRAM = program(socket_operand)
