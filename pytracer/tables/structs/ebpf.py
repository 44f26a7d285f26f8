"""Instructions of eBPF programs.

Source: include/uapi/linux/bpf.h.
"""

from __future__ import annotations

from typing import Any

from pytracer.spec.abi import Layout
from pytracer.spec.aggregate import ArrayOf
from pytracer.spec.context import Context, Decode
from pytracer.spec.plan import At, Fetch, Planning
from pytracer.spec.type import DecodeAt, Scope, Type
from pytracer.spec.values import Array, Base, Integer, Joined, Noted, Struct, Symbol, Value
from pytracer.spec.xlat import Xlat
from pytracer.tables.constants import bpf as b
from pytracer.tables.constants.process import CBPF_SRC

_LD, _LDX, _ST, _STX, _ALU, _JMP, _JMP32, _ALU64 = range(8)
MOST = 4096  # BPF_MAXINSNS, include/uapi/linux/bpf_common.h


def _named(xlat: Xlat, value: int) -> Value:
    return Symbol(value, xlat.name_of(value), xlat.unknown)


def opcode(code: int) -> Value:
    """The parts of an opcode: its class and what the class makes of the rest."""
    kind = code & 7
    parts: list[Value] = [_named(b.EBPF_CLASS, kind)]
    if kind <= _STX:
        parts += (_named(b.EBPF_SIZE, code & 0x18), _named(b.EBPF_MODE, code & 0xE0))
    elif kind == _JMP32:
        if code & ~7:
            parts.append(Noted(Integer(code & ~7, Base.HEX), "BPF_???"))
    else:
        operations = b.EBPF_JMP_OPS if kind == _JMP else b.EBPF_ALU_OPS
        parts += (_named(CBPF_SRC, code & 8), _named(operations, code & 0xF0))
    return Joined(tuple(parts))


class Instruction(Type):
    """struct bpf_insn."""

    def measure(self, abi: Layout) -> tuple[int, int, str]:
        return 8, 4, "8s"

    def bind(self, scope: Scope) -> Decode:
        def decode(ctx: Context, raw: bytes, frame: tuple[Any, ...]) -> Value:
            return Struct(
                (
                    ("code", opcode(raw[0])),
                    ("dst_reg", _named(b.EBPF_REGISTERS, raw[1] & 0xF)),
                    ("src_reg", _named(b.EBPF_REGISTERS, raw[1] >> 4)),
                    ("off", Integer(int.from_bytes(raw[2:4], "little", signed=True))),
                    ("imm", Integer(int.from_bytes(raw[4:], "little"), Base.HEX)),
                )
            )

        return decode


class Program(ArrayOf):
    """A program's instructions; abbreviated to where they are."""

    def __init__(self, count: str) -> None:
        super().__init__(Instruction(), count, limit=MOST)

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
