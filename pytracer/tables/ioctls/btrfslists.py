"""Requests of btrfs that answer with lists: what a search found, paths, inodes, space.

Source: include/uapi/linux/btrfs.h, Linux 7.2.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, Final

from pytracer.spec.abi import X86_64
from pytracer.spec.aggregate import ArrayOf, Pad, StructOf
from pytracer.spec.context import Context, Decode
from pytracer.spec.exchange import Exchange
from pytracer.spec.plan import At, Fetch, From, Length, Planning
from pytracer.spec.pointer import CAPTURE_LIMIT, PATH_MAX, In, Pointee, unreadable
from pytracer.spec.reserved import Reserved
from pytracer.spec.scalar import Enum, FlagSet, Number, Scalar
from pytracer.spec.type import DecodeAt, Scope, Type, Wrapper
from pytracer.spec.values import (
    Address,
    Array,
    Base,
    Changed,
    Integer,
    Struct,
    Text,
    Unavailable,
    Value,
)
from pytracer.spec.xlat import Xlat
from pytracer.tables.constants import btrfs as bt
from pytracer.tables.ioctls.filesystems import WideFd

_EOVERFLOW: Final = 75  # include/uapi/asm-generic/errno.h
_WIDE = Number("u64")
# What has no name has no comment either.
_MOST = (0xFFFFFFFFFFFFFFFF, "UINT64_MAX")
TREE = OBJECT = Enum(Xlat("", (*bt.BTRFS_TREES.entries, _MOST)), "u64", Base.DEC)
_KEY = Enum(Xlat("", (*bt.BTRFS_KEY_TYPES.entries, (0xFFFFFFFF, "UINT32_MAX"))), "uint", Base.DEC)
# A number of which all bits set mean that there is no bound.
BOUND = Enum(Xlat("", (_MOST,)), "u64", Base.DEC)


class _Place(Scalar):
    """An address of 64 bits, whatever the caller's are."""

    def __init__(self) -> None:
        super().__init__("u64")

    def make(self, number: int) -> Value:
        return Address(number)


class _Unusual(Wrapper):
    """A value that is left out while it is the usual one, unless nothing is abbreviated."""

    def __init__(self, inner: Type, usual: int) -> None:
        super().__init__(inner)
        self.usual = usual

    def bind(self, scope: Scope) -> Decode:
        decode_value = self.inner.bind(scope)
        usual = self.usual

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Value | None:
            if raw == usual and not ctx.whole:
                return None
            value: Value = decode_value(ctx, raw, frame)
            return value

        return decode


_SEARCH = StructOf(
    tree_id=OBJECT,
    min_objectid=_Unusual(OBJECT, bt.BTRFS_FIRST_FREE_OBJECTID),
    max_objectid=_Unusual(OBJECT, bt.BTRFS_LAST_FREE_OBJECTID),
    min_offset=BOUND,
    max_offset=BOUND,
    min_transid=BOUND,
    max_transid=BOUND,
    min_type=_KEY,
    max_type=_KEY,
    nr_items=Number("uint"),
    unused=Pad(36),
)
_KEY_BYTES: Final = 104
_ITEMS_AT: Final = 64
_ITEM = StructOf(transid=_WIDE, objectid=OBJECT, offset=_WIDE, type=_KEY, len=Number("uint"))
_ITEM_BYTES: Final = 32
_decode_item = _ITEM.bind(Scope(X86_64, {}))


class _Found(Pointee):
    """What a search has found: headers of items. ``sized``: how large the buffer is stands there.

    Otherwise key and buffer make up 4096 bytes.
    """

    def __init__(self, sized: bool) -> None:
        self.sized = sized

    def bind_at(self, scope: Scope) -> DecodeAt:
        sized = self.sized
        head_bytes = _KEY_BYTES + 8 * sized

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            data = ctx.memory.read(address, head_bytes)
            if not isinstance(data, bytes):
                return unreadable(address, data)
            (items,) = struct.unpack_from("<I", data, _ITEMS_AT)
            key = Struct((("nr_items", Integer(items)),))
            fields: tuple[tuple[str, Value], ...] = (("key", key),)
            room = 4096 - _KEY_BYTES
            if sized:
                (room,) = struct.unpack_from("<Q", data, _KEY_BYTES)
                fields += (("buf_size", Integer(room)),)
            if not ctx.whole:
                return Struct(fields, address, more=True)
            found = _items(ctx, address + head_bytes, room, items)
            return Struct((*fields, ("buf", found)), address)

        return decode_at

    def fetches_at(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        limit = _KEY_BYTES + 8
        if planning.whole:
            limit = CAPTURE_LIMIT if self.sized else 4096
        length = Length(From.CONST, limit)
        return (Fetch(at, planning.phase, length, limit, always=planning.always),)


def _items(ctx: Context, address: int, room: int, count: int) -> Value:
    items: list[Value] = []
    at = 0
    for index in range(count):
        if at + _ITEM_BYTES > room or index > ctx.string_bytes:
            return Array(tuple(items), more=True)
        data = ctx.memory.read(address + at, _ITEM_BYTES)
        if not isinstance(data, bytes):
            return Array(tuple(items), unreadable_at=address + at)
        items.append(_decode_item(ctx, data, ()))
        at += _ITEM_BYTES + int.from_bytes(data[28:], "little")
    return Array(tuple(items))


class _Overflowing(Exchange):
    """A search that tells, when there is no room, how much there would have to be."""

    def bind(self, scope: Scope) -> Decode:
        decode_both = super().bind(scope)

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
            value = decode_both(ctx, raw, frame)
            told = ctx.exiting and ctx.failed and ctx.ret == -_EOVERFLOW
            if not told or isinstance(value, Address | Unavailable):
                return value
            data = ctx.memory.read(raw, _KEY_BYTES + 8)
            after: Value = Address(raw)
            if isinstance(data, bytes):
                (room,) = struct.unpack_from("<Q", data, _KEY_BYTES)
                after = Struct((("buf_size", Integer(room)),))
            return Changed(value, after)

        return decode

    def fetches(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        early = self.inner.fetches_at(at, planning.at_entry())
        return early + self.after.fetches_at(at, planning.at_exit(always=True))


_CONTAINER: Final = struct.Struct("<IIII")
_POINTER_AT: Final = 48  # of the container's address, in both requests


class _Container(Pointee):
    """struct btrfs_data_container, at an address of 64 bits; abbreviated, without its values."""

    ctype = "u64"

    def __init__(self, values: Callable[[Context, int, int], Value]) -> None:
        self.values = values

    def bind_at(self, scope: Scope) -> DecodeAt:
        values = self.values

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            data = ctx.memory.read(address, _CONTAINER.size) if address else None
            if not isinstance(data, bytes):
                return Address(address)
            left, missing, count, missed = _CONTAINER.unpack(data)
            fields: tuple[tuple[str, Value], ...] = (
                ("bytes_left", Integer(left)),
                ("bytes_missing", Integer(missing)),
                ("elem_cnt", Integer(count)),
                ("elem_missed", Integer(missed)),
            )
            if not ctx.whole:
                return Struct(fields, address, more=True)
            found = values(ctx, address + _CONTAINER.size, count)
            return Struct((*fields, ("val", found)), address)

        return decode_at

    def fetches_at(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        limit = CAPTURE_LIMIT if planning.whole else _CONTAINER.size
        length = Length(From.CONST, limit)
        return (Fetch(at, planning.phase, length, limit, always=planning.always),)


# Values of a container that are shown; what is longer has been overwritten.
_MOST_VALUES: Final = 1 << 16
_MOST_PATHS: Final = 512


def _inodes(ctx: Context, address: int, count: int) -> Value:
    records = min(count // 3, _MOST_VALUES)
    data = ctx.memory.read_some(address, 24 * records) if records else b""
    if not isinstance(data, bytes):
        return Address(address)
    items = tuple(
        Struct((("inum", Integer(inode)), ("offset", Integer(offset)), ("root", Integer(root))))
        for inode, offset, root in struct.iter_unpack("<QQQ", data[: len(data) // 24 * 24])
    )
    if records and not items:
        return Address(address)
    broken = address + 24 * len(items) if len(items) < records else 0
    return Array(items, more=records < count // 3, unreadable_at=broken)


def _paths(ctx: Context, address: int, count: int) -> Value:
    items: list[Value] = []
    for index in range(min(count, _MOST_PATHS)):
        data = ctx.memory.read(address + 8 * index, 8)
        if not isinstance(data, bytes):
            return (
                Array(tuple(items), unreadable_at=address + 8 * index)
                if items
                else Address(address)
            )
        place = address + int.from_bytes(data, "little") & 0xFFFFFFFFFFFFFFFF
        found = ctx.memory.read_cstr(place, PATH_MAX)
        text = getattr(found, "data", None)
        if text is None:
            items.append(Address(place))
        else:
            whole = getattr(found, "terminated", False)
            items.append(Text(text if whole else text[: PATH_MAX - 1], not whole, path=True))
    return Array(tuple(items), more=count > _MOST_PATHS)


class _Hidden(ArrayOf):
    """An array of which, abbreviated, only the address is shown."""

    def bind_at(self, scope: Scope) -> DecodeAt:
        decode_array = super().bind_at(scope)

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            if not ctx.whole:
                return Address(address)
            value: Value = decode_array(ctx, address, frame)
            return value

        return decode_at

    def fetches_at(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        return super().fetches_at(at, planning) if planning.whole else ()


_SPACE_INFO = StructOf(
    flags=FlagSet(Xlat("BTRFS_SPACE_INFO_???", bt.BTRFS_BLOCK_GROUPS.entries), "u64"),
    total_bytes=_WIDE,
    used_bytes=_WIDE,
)


class _Spaces(Pointee):
    """How space is used, by kind; abbreviated, how many kinds there are."""

    def bind_at(self, scope: Scope) -> DecodeAt:
        decode_array = ArrayOf(_SPACE_INFO, "total_spaces").bind_at(
            scope.within({"total_spaces": (0, _WIDE)})
        )

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            data = ctx.memory.read(address, 16)
            if not isinstance(data, bytes):
                return unreadable(address, data)
            slots, total = struct.unpack("<QQ", data)
            told: tuple[str, Value] = ("total_spaces", Integer(total))
            if not slots and total:
                return Struct((told,), address)
            if not ctx.whole:
                return Struct((told,), address, more=True)
            spaces: Value = decode_array(ctx, address + 16, (total,))
            return Struct((told, ("spaces", spaces)), address)

        return decode_at

    def fetches_at(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        limit = CAPTURE_LIMIT if planning.whole else 16
        length = Length(From.CONST, limit)
        return (Fetch(at, planning.phase, length, limit, always=planning.always),)


LISTS: dict[str, Type] = {
    "TREE_SEARCH": Exchange(StructOf(key=_SEARCH), _Found(sized=False)),
    "TREE_SEARCH_V2": _Overflowing(StructOf(key=_SEARCH, buf_size=_WIDE), _Found(sized=True)),
    "INO_PATHS": Exchange(
        StructOf(inum=_WIDE, size=_WIDE, reserved=Pad(32), fspath=_Place()),
        StructOf(head=Pad(_POINTER_AT, 4), fspath=_Container(_paths)),
    ),
    "LOGICAL_INO": Exchange(
        StructOf(
            logical=_WIDE,
            size=_WIDE,
            reserved=Reserved(3, "u64"),
            flags=FlagSet(bt.BTRFS_LOGICAL_INO_FLAGS, "u64"),
            inodes=_Place(),
        ),
        StructOf(head=Pad(_POINTER_AT, 4), inodes=_Container(_inodes)),
    ),
    "SPACE_INFO": Exchange(StructOf(space_slots=_WIDE, total_spaces=Pad(8)), _Spaces()),
    "SEND": In(
        StructOf(
            send_fd=WideFd(),
            clone_sources_count=_WIDE,
            clone_sources=_Hidden(OBJECT, "clone_sources_count"),
            parent_root=OBJECT,
            flags=FlagSet(bt.BTRFS_SEND_FLAGS, "u64"),
            version=Pad(4, 4),
            reserved=Pad(28),
        )
    ),
}
