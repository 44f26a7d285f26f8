"""Structures that end in an array whose length one of their fields tells."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from pytracer.spec.aggregate import StructOf
from pytracer.spec.context import Context
from pytracer.spec.plan import At, AtOffset, Fetch, From, Length, Planning
from pytracer.spec.pointer import Pointee, unreadable
from pytracer.spec.type import DecodeAt, Scope, Type
from pytracer.spec.values import Address, Struct, Value


class Trailing(Pointee):
    """A structure, and right behind it ``tail``, shown as its last field ``name``.

    ``rarely``: the tail is only read where nothing is abbreviated. ``limit``: bytes of both that a
    capture brings.
    """

    def __init__(
        self,
        head: StructOf,
        name: str,
        tail: Pointee,
        rarely: bool = False,
        limit: int = 4096,
    ) -> None:
        self.head = head
        self.name = name
        self.tail = tail
        self.rarely = rarely
        self.limit = limit

    def bind_at(self, scope: Scope) -> DecodeAt:
        placed, size, _ = self.head.place(scope.abi)
        unpack = struct.Struct(self.head.format(scope.abi)).unpack
        decode_head = self.head.bind(scope)
        inner = scope.within({f.name: (i, f.kind) for i, f in enumerate(placed)})
        decode_tail = self.tail.bind_at(inner)
        name, rarely = self.name, self.rarely

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            if not address:
                return Address(0)
            data = ctx.memory.read(address, size)
            if not isinstance(data, bytes):
                return unreadable(address, data)
            value = decode_head(ctx, data, frame)
            assert isinstance(value, Struct)
            value.address = address
            if not rarely or ctx.whole:
                last = decode_tail(ctx, address + size, unpack(data))
                value.fields += ((name, last),)
            return value

        return decode_at

    def fetches_at(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        _, size, _ = self.head.place(planning.abi)
        limit = size if self.rarely and not planning.whole else max(self.limit, size)
        inside = self.head.fetches(AtOffset(0), planning)
        length = Length(From.CONST, limit)
        return (Fetch(at, planning.phase, length, limit, always=planning.always, inside=inside),)

    def parts(self) -> Iterator[Type]:
        yield self.head
        yield self.tail
