"""Values and lists of extended attributes."""

from __future__ import annotations

from typing import Any

from pytracer.spec.aggregate import StructOf
from pytracer.spec.context import Context
from pytracer.spec.pointer import Bytes, Out, read_buffer
from pytracer.spec.scalar import FlagSet, UInt
from pytracer.spec.type import DecodeAt, Scope
from pytracer.spec.values import Address, Text, Value
from pytracer.spec.versioned import Versioned
from pytracer.tables.constants.files import XATTR_FLAGS

XATTR_SIZE_MAX = 65536  # include/uapi/linux/limits.h
XATTR_ARGS_SIZE_VER0 = 16  # include/linux/xattr.h, Linux 6.13


class AttributeValue(Bytes):
    """The value of an attribute: text as a rule, with or without its NUL.

    ``room``: the sibling that says how much the kernel may fill in; with none, only the address
    is shown.
    """

    def __init__(self, length: str, room: str | None = None) -> None:
        super().__init__(length)
        self.room = room

    def bind_at(self, scope: Scope) -> DecodeAt:
        number = scope.number(self.length)
        room = scope.number(self.room or 1)
        decode_buffer = read_buffer(number)

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            if not room(ctx, frame) or number(ctx, frame) > XATTR_SIZE_MAX:
                return Address(address)
            value: Value = decode_buffer(ctx, address, frame)
            if isinstance(value, Text):
                value.terminated = True
            return value

        return decode_at


class _WidePointer(AttributeValue):
    """The value's address as struct xattr_args holds it, in 64 bits everywhere."""

    ctype = "u64"


class AttributeNames(Bytes):
    """The names of attributes, each with its NUL; the address where only their size was asked."""

    def __init__(self) -> None:
        super().__init__("ret")

    def bind_at(self, scope: Scope) -> DecodeAt:
        decode_buffer = super().bind_at(scope)
        room = scope.number("size")

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            value: Value = (
                decode_buffer(ctx, address, frame) if room(ctx, frame) else Address(address)
            )
            return value

        return decode_at


def _args(value: _WidePointer) -> Versioned:
    return Versioned(
        StructOf(value=value, size=UInt(), flags=FlagSet(XATTR_FLAGS)),
        size="size",
        least=XATTR_ARGS_SIZE_VER0,
    )


SET_ARGS = _args(_WidePointer(length="size"))
GET_ARGS = Out(_args(_WidePointer(length="ret", room="size")), failed=True)
