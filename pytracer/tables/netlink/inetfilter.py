"""Filters of sockets, in the questions about those of the internet.

Source: include/uapi/linux/inet_diag.h, Linux 7.2.
"""

from __future__ import annotations

import struct

from pytracer.spec.context import Context
from pytracer.spec.scalar import Scalar
from pytracer.spec.values import Integer, Joined, Struct, Symbol, Value
from pytracer.tables.constants import sockdiag as sd
from pytracer.tables.netlink.attributes import raw
from pytracer.tables.netlink.message import FAMILY
from pytracer.tables.netlink.routing import address_field
from pytracer.tables.structs.netaddr import interface


class _Operation(Scalar):
    """One operation of a filter of sockets."""

    def __init__(self) -> None:
        super().__init__("uint")

    def make(self, value: int) -> Value:
        code = value & 0xFF
        names = sd.INET_DIAG_BYTECODES
        return Struct(
            (
                ("code", Symbol(code, names.name_of(code), names.unknown)),
                ("yes", Integer(value >> 8 & 0xFF)),
                ("no", Integer(value >> 16)),
            )
        )


_OPERATION = _Operation()


def _condition(ctx: Context, data: bytes) -> Value:
    """A host, a port or both, as a filter compares them."""
    if len(data) < 8:
        return raw(ctx, data)
    family, prefix = data[0], data[1]
    fields: tuple[tuple[str, Value], ...] = (
        ("family", FAMILY.make(family)),
        ("prefix_len", Integer(prefix)),
        ("port", Integer(int.from_bytes(data[4:8], "little"))),
    )
    if data[8:]:
        fields += (address_field(ctx, data[8:], family, "addr"),)
    return Struct(fields)


def bytecode(ctx: Context, data: bytes, family: int) -> Value | None:
    """The first operation of a filter, and what it compares with."""
    if len(data) < 4:
        return None
    operation = _OPERATION.make(int.from_bytes(data[:4], "little"))
    rest = data[4:]
    if not rest:
        return operation
    shown: Value = raw(ctx, rest)
    code = data[0]
    if code in (sd.INET_DIAG_BC_S_COND, sd.INET_DIAG_BC_D_COND):
        shown = _condition(ctx, rest)
    elif len(rest) >= 4 and code == sd.INET_DIAG_BC_DEV_COND:
        shown = interface(int.from_bytes(rest[:4], "little"))
    elif len(rest) >= 4 and code in _COMPARISONS:
        shown = _OPERATION.make(int.from_bytes(rest[:4], "little"))
    elif len(rest) >= 8 and code == sd.INET_DIAG_BC_MARK_COND:
        mark, mask = struct.unpack_from("<II", rest)
        shown = Struct((("mark", Integer(mark)), ("mask", Integer(mask))))
    return Joined((operation, shown), ", ")


_COMPARISONS = (
    sd.INET_DIAG_BC_S_GE,
    sd.INET_DIAG_BC_S_LE,
    sd.INET_DIAG_BC_D_GE,
    sd.INET_DIAG_BC_D_LE,
)
