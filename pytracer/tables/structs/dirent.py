"""Directory entries, as the getdents calls pack them into a buffer.

Source: struct linux_dirent and linux_dirent64, fs/readdir.c and include/linux/dirent.h.
"""

from __future__ import annotations

import struct
from typing import Any

from pytracer.spec.abi import Layout
from pytracer.spec.context import LATER, Context, Decode, was_read
from pytracer.spec.plan import At, Fetch, From, Length, Planning
from pytracer.spec.pointer import Pointee, unreadable
from pytracer.spec.type import DecodeAt, Scope
from pytracer.spec.values import Address, Array, Integer, Struct, Symbol, Text, Value
from pytracer.tables.constants.files import DIRENT_TYPES

# What the C library's readdir passes; no more of a larger buffer is captured.
BUFFER_LIMIT = 32768
MOST_BYTES = 1 << 23  # more than any kernel gives at once
NAME_LIMIT = 256


class Dirents(Pointee):
    """The entries in the first "ret" bytes of a buffer: their number, or all of them under -v.

    ``wide``: those of getdents64, in which the type precedes the name.
    """

    def __init__(self, wide: bool) -> None:
        self.wide = wide

    def _head(self, abi: Layout) -> struct.Struct:
        if self.wide:
            return struct.Struct("<QqHB")
        return struct.Struct("<QQH" if abi.kernel_word == 8 else "<IIH")

    def bind_at(self, scope: Scope) -> DecodeAt:
        head = self._head(scope.abi)
        number = scope.number("count")
        decode_entry = _wide_entry if self.wide else _narrow_entry
        least = head.size
        size_at = struct.calcsize("<QQ" if self.wide or scope.abi.kernel_word == 8 else "<II")

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            length = ctx.ret
            if not address or not 0 <= length <= min(number(ctx, frame), MOST_BYTES):
                return Address(address)
            data = ctx.memory.read_some(address, length) if length else b""
            if not isinstance(data, bytes):
                return unreadable(address, data)
            whole = ctx.whole
            items: list[Value] = []
            count = at = 0
            last = len(data) - least
            while at <= last:
                size = data[at + size_at] | data[at + size_at + 1] << 8
                if size < least:
                    size = least
                if whole:
                    end = min(at + size, len(data))
                    items.append(decode_entry(head.unpack_from(data, at), data[at + least : end]))
                count += 1
                at += size
            at = min(at, len(data))
            left = at < length
            broken = address + at if left and whole else 0
            note = f"{count}{'+' * left} entries"
            return Array(tuple(items), address, False, broken, note=note, hidden=True)

        return decode_at

    def fetches_at(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        length = Length(From.RETURN)
        return (Fetch(at, planning.phase, length, BUFFER_LIMIT, always=planning.always),)


DIRENTS = Dirents(wide=False)
DIRENTS64 = Dirents(wide=True)


def _name(data: bytes) -> Value:
    name, nul, _ = data[:NAME_LIMIT].partition(b"\0")
    return Text(name, not nul, path=True)


def _type(value: int) -> Value:
    return Symbol(value, DIRENT_TYPES.name_of(value), DIRENT_TYPES.unknown)


def _place(fields: tuple[int, ...]) -> tuple[tuple[str, Value], ...]:
    return (
        ("d_ino", Integer(fields[0])),
        ("d_off", Integer(fields[1] & (1 << 64) - 1)),
        ("d_reclen", Integer(fields[2])),
    )


def _wide_entry(fields: tuple[int, ...], rest: bytes) -> Value:
    name = (("d_name", _name(rest)),) if rest else ()
    return Struct((*_place(fields), ("d_type", _type(fields[3])), *name))


def _narrow_entry(fields: tuple[int, ...], rest: bytes) -> Value:
    found = _place(fields)
    if len(rest) > 1:
        found += (("d_name", _name(rest[:-1])),)
    if rest:
        found += (("d_type", _type(rest[-1])),)
    return Struct(found)


class OldDirent(Pointee):
    """The single entry that i386's readdir fills in, its name's length in place of its own."""

    _HEAD = struct.Struct("<IIH")

    def bind(self, scope: Scope) -> Decode:
        decode_at = self.bind_at(scope)

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
            if not ctx.exiting:
                return LATER
            return Address(raw) if ctx.ret == 0 else decode_at(ctx, raw, frame)

        return decode

    def bind_at(self, scope: Scope) -> DecodeAt:
        head = self._HEAD

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            data = ctx.memory.read(address, head.size)
            if ctx.failed or not isinstance(data, bytes):
                return Address(address)
            fields = head.unpack(data)
            name = ctx.memory.read_cstr(address + head.size, min(fields[2], NAME_LIMIT) + 1)
            found = name.data if was_read(name) else b""
            shown = Text(found[: fields[2]], len(found) > fields[2], path=True)
            return Struct((*_place(fields), ("d_name", shown)), address)

        return decode_at

    def fetches(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        return self.fetches_at(at, planning.at_exit())

    def fetches_at(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        size = self._HEAD.size + NAME_LIMIT + 1
        return (Fetch(at, planning.phase, Length(From.CONST, size), size, always=True),)
