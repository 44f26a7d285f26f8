"""struct user_desc: a segment descriptor of x86, arch/x86/include/uapi/asm/ldt.h."""

from __future__ import annotations

import struct
from typing import Any

from pytracer.spec.abi import Layout
from pytracer.spec.context import Context, Decode
from pytracer.spec.type import Scope, Type
from pytracer.spec.values import Integer, Struct, Value
from pytracer.tables.structs.padded import padded_hex

USER_DESC_BYTES = 16

# (name, first bit, width) of what follows the limit.
_BITS = (
    ("seg_32bit", 0, 1),
    ("contents", 1, 2),
    ("read_exec_only", 3, 1),
    ("limit_in_pages", 4, 1),
    ("seg_not_present", 5, 1),
    ("useable", 6, 1),
    ("lm", 7, 1),
)


def entry_number(number: int) -> Value:
    """The number of a descriptor; all bits set asks the kernel to choose one."""
    return Integer(-1 if number == 0xFFFFFFFF else number)


class UserDesc(Type):
    """A segment descriptor. Its long-mode bit means nothing to 32-bit tasks."""

    def measure(self, abi: Layout) -> tuple[int, int, str]:
        return USER_DESC_BYTES, 4, f"{USER_DESC_BYTES}s"

    def bind(self, scope: Scope) -> Decode:
        shown = _BITS if scope.abi.kernel_word == 8 else _BITS[:-1]

        def decode(ctx: Context, raw: bytes, frame: tuple[Any, ...]) -> Value:
            entry, base, limit, bits = struct.unpack("<4I", raw)
            fields = [
                ("entry_number", entry_number(entry)),
                ("base_addr", padded_hex(base, 4)),
                ("limit", padded_hex(limit, 4)),
            ]
            fields += [
                (name, Integer(bits >> first & (1 << width) - 1)) for name, first, width in shown
            ]
            return Struct(tuple(fields))

        return decode


USER_DESC = UserDesc()
