"""How the value of a socket option is understood, given its length."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, TypeAlias

from pytracer.spec.aggregate import ArrayOf, StructOf
from pytracer.spec.context import Context
from pytracer.spec.pointer import unreadable
from pytracer.spec.scalar import Number
from pytracer.spec.type import Scope, Type
from pytracer.spec.values import Address, Array, Struct, Text, Value

_COUNT = "count"
_WORD = Number("u64")

# (call, address, length, the call's arguments) -> what the option's value means
DecodeOption: TypeAlias = Callable[[Context, int, int, tuple[Any, ...]], Value]


class Option:
    """The type of an option's value, which depends on the length that comes with it."""

    def bind(self, scope: Scope, getting: bool) -> DecodeOption:
        """Compile for a call with these arguments."""
        raise NotImplementedError(type(self).__name__)


class Least(Option):
    """A value of a fixed size, of which there may be more; a shorter one is not understood.

    ``exact``: a longer one is not understood either, nor are bytes that cannot be read.
    ``anyhow``: the length does not matter.
    """

    def __init__(self, inner: Type, exact: bool = False, anyhow: bool = False) -> None:
        self.inner = inner
        self.exact = exact
        self.anyhow = anyhow

    def bind(self, scope: Scope, getting: bool) -> DecodeOption:
        size, _, code = self.inner.measure(scope.abi)
        decode_one = self.inner.bind(scope)
        unpack = struct.Struct("<" + code).unpack
        exact, anyhow = self.exact, self.anyhow

        def decode(ctx: Context, address: int, length: int, frame: tuple[Any, ...]) -> Value:
            if exact and length != size:
                return Address(address)
            if length < size and not anyhow:
                return _bytes(ctx, address, length) if getting else Address(address)
            data = ctx.memory.read(address, size)
            if not isinstance(data, bytes):
                return unreadable(address, data)
            value: Value = decode_one(ctx, unpack(data)[0], frame)
            if isinstance(value, Struct):
                value.address = address
                return value
            return Array((value,), address)

        return decode


class Partial(Option):
    """A structure of which the kernel fills in as much as there is room for."""

    def __init__(self, inner: StructOf) -> None:
        self.inner = inner

    def bind(self, scope: Scope, getting: bool) -> DecodeOption:
        placed, size, _ = self.inner.place(scope.abi)
        decode_whole = self.inner.bind(scope)

        def decode(ctx: Context, address: int, length: int, frame: tuple[Any, ...]) -> Value:
            data = ctx.memory.read(address, min(length, size))
            if not isinstance(data, bytes):
                return unreadable(address, data)
            whole: Struct = decode_whole(ctx, data.ljust(size, b"\0"), frame)
            fields = list(whole.fields)
            for index, field in enumerate(placed):
                if len(data) < field.offset + field.size:
                    rest = data[field.offset :]
                    fields[index:] = [(field.name, Text(rest, escaped=True))] if rest else []
                    break
            return Struct(tuple(fields), address)

        return decode


class Elements(Option):
    """As many elements as fit into the value."""

    def __init__(self, element: Type) -> None:
        self.element = element

    def bind(self, scope: Scope, getting: bool) -> DecodeOption:
        size = self.element.measure(scope.abi)[0]
        array = ArrayOf(self.element, _COUNT).bind_at(Scope(scope.abi, {_COUNT: (0, _WORD)}))
        pointer = scope.number("optlen")

        def decode(ctx: Context, address: int, length: int, frame: tuple[Any, ...]) -> Value:
            room = ctx.saved.get(pointer(ctx, frame), length)
            value: Value = array(ctx, address, (min(room, length) // size,))
            return value

        return decode


class Counted(Option):
    """An array whose number of elements is what the kernel calls its length."""

    def __init__(self, make: Callable[[str], ArrayOf], most: int) -> None:
        self.array = make(_COUNT)
        self.most = most

    def bind(self, scope: Scope, getting: bool) -> DecodeOption:
        decode_array = self.array.bind_at(Scope(scope.abi, {_COUNT: (0, _WORD)}))
        most = self.most

        def decode(ctx: Context, address: int, length: int, frame: tuple[Any, ...]) -> Value:
            if length > most:
                return Address(address)
            value: Value = decode_array(ctx, address, (length,))
            return value

        return decode


def _bytes(ctx: Context, address: int, length: int) -> Value:
    data = ctx.memory.read(address, length)
    return Text(data, escaped=True) if isinstance(data, bytes) else unreadable(address, data)
