"""Structures that grow from one kernel to the next, and whose callers say which size they know."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pytracer.spec.aggregate import StructOf
from pytracer.spec.context import Context
from pytracer.spec.plan import At, AtOffset, Fetch, From, Length, Planning
from pytracer.spec.pointer import Pointee, named_length, unreadable
from pytracer.spec.type import DecodeAt, Scope, Type
from pytracer.spec.values import Address, Joined, Phrase, Struct, Text, Value

PAGE_SIZE = 4096


class Versioned(Pointee):
    """A structure of which the caller passes ``size`` bytes.

    Below ``least`` bytes only its address is shown. Fields that lie beyond the size are left out.
    Bytes beyond the structure are shown unless all are zero: the kernel refuses what it does not
    know. ``limit``: bytes that a capture brings.
    """

    def __init__(self, inner: StructOf, size: str, least: int, limit: int = PAGE_SIZE) -> None:
        self.inner = inner
        self.size = size
        self.least = least
        self.limit = limit

    def bind_at(self, scope: Scope) -> DecodeAt:
        placed, whole, _ = self.inner.place(scope.abi)
        ends = {field.name: field.offset + field.size for field in placed}
        decode = self.inner.bind(scope)
        number = scope.number(self.size)
        least = self.least

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            size = number(ctx, frame)
            if not address or size < least:
                return Address(address)
            data = ctx.memory.read(address, min(size, whole))
            if not isinstance(data, bytes):
                return unreadable(address, data)
            value = decode(ctx, data.ljust(whole, b"\0"), frame)
            value.address = address
            if size < whole:
                value.fields = tuple(f for f in value.fields if ends[f[0]] <= size)
            elif size > whole:
                beyond = _beyond(ctx, address, whole, min(size, PAGE_SIZE))
                value.fields += () if beyond is None else (("", beyond),)
            assert isinstance(value, Struct)
            return value

        return decode_at

    def fetches_at(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        length = named_length(self.size, planning) or Length(From.CONST, self.limit)
        inside = self.inner.fetches(AtOffset(0), planning)
        phase, always = planning.phase, planning.always
        return (Fetch(at, phase, length, self.limit, always=always, inside=inside),)

    def parts(self) -> Iterator[Type]:
        yield self.inner


def _beyond(ctx: Context, address: int, start: int, end: int) -> Value | None:
    """What follows a structure in memory; None for nothing but zeros."""
    if start >= end:
        return None
    data = ctx.memory.read(address + start, end - start)
    if not isinstance(data, bytes):
        return Phrase("???")
    if not any(data):
        return None
    shown = data[: ctx.string_bytes]
    text = Text(shown, len(shown) < len(data), address + start, escaped=True)
    return Joined((Phrase(f"/* bytes {start}..{end - 1} */"), text), " ")
