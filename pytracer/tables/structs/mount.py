"""What the mount calls hand over and answer.

Source: fs/namespace.c and include/uapi/linux/{mount,nsfs}.h, Linux 6.18; struct ns_id_req of 6.19.
"""

from __future__ import annotations

from typing import Any

from pytracer.spec.aggregate import Pad, StructOf
from pytracer.spec.context import Context, Decode, was_read
from pytracer.spec.plan import At, Fetch, Planning
from pytracer.spec.pointer import Bytes, Cstr, Pointee, unreadable
from pytracer.spec.scalar import Enum, Fd, FlagSet, Hex, Number, Scalar, UInt
from pytracer.spec.type import AnyBit, DecodeAt, NonZero, Scope, Type
from pytracer.spec.values import Address, Flags, Integer, Joined, Struct, Symbol, Text, Value
from pytracer.spec.versioned import Versioned
from pytracer.tables.constants.files import (
    FS_MAGIC,
    LISTNS_USERNS,
    LSMT_IDS,
    MOUNT_ATTR,
    MOUNT_ATTR_IDMAP,
    MOUNT_PROPAGATION,
    MS_BIND,
    MS_FLAGS,
    MS_MGC_MSK,
    MS_MGC_VAL,
    MS_MOVE,
    MS_PRIVATE,
    MS_REMOUNT,
    MS_SHARED,
    MS_SLAVE,
    MS_UNBINDABLE,
    NAMESPACE_TYPES,
    STATMOUNT_FS_SUBTYPE,
    STATMOUNT_FS_TYPE,
    STATMOUNT_MASK,
    STATMOUNT_MNT_BASIC,
    STATMOUNT_MNT_NS_ID,
    STATMOUNT_MNT_OPTS,
    STATMOUNT_MNT_POINT,
    STATMOUNT_MNT_ROOT,
    STATMOUNT_PROPAGATE_FROM,
    STATMOUNT_SB_BASIC,
    STATMOUNT_SB_SOURCE,
    STATMOUNT_SUPPORTED_MASK,
)

_RELATIONS = MS_BIND | MS_MOVE | MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE


def _without_magic(flags: int) -> int:
    return flags & ~MS_MGC_MSK if flags & MS_MGC_MSK == MS_MGC_VAL else flags


class MountFlags(Scalar):
    """The flags of mount, which old programs mark with a magic number."""

    def __init__(self) -> None:
        super().__init__("kulong")

    def make(self, number: int) -> Value:
        flags = _without_magic(number)
        names, rest = MS_FLAGS.names_in(flags)
        shown = Flags(flags, names, rest, MS_FLAGS.unknown)
        if flags == number:
            return shown
        magic = Symbol(MS_MGC_VAL, "MS_MGC_VAL")
        return Joined((magic, shown)) if flags else magic


class _MountString(Cstr):
    """A string that the kernel looks at unless there are certain flags."""

    def __init__(self, ignored: int, unless: int = 0) -> None:
        self.ignored = ignored
        self.unless = unless

    def bind_at(self, scope: Scope) -> DecodeAt:
        decode_string = super().bind_at(scope)
        number = scope.number("mountflags")
        ignored, unless = self.ignored, self.unless

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            flags = _without_magic(number(ctx, frame))
            if flags & ignored and not flags & unless:
                return Address(address)
            value: Value = decode_string(ctx, address, frame)
            return value

        return decode_at


MOUNT_TYPE = _MountString(MS_REMOUNT | _RELATIONS)
MOUNT_DATA = _MountString(_RELATIONS, unless=MS_REMOUNT)


class _UserNamespace(Number):
    """The descriptor of a user namespace where the attributes ask for one, else a number."""

    def __init__(self) -> None:
        super().__init__("u64")

    def fetches(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        return planning.describe(at)

    def bind(self, scope: Scope) -> Decode:
        given, taken = scope.number("attr_set"), scope.number("attr_clr")
        decode_fd = Fd().bind(scope)

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Value:
            attributes = given(ctx, frame) | taken(ctx, frame)
            if raw > 0x7FFFFFFF or not attributes & MOUNT_ATTR_IDMAP:
                return Integer(raw)
            value: Value = decode_fd(ctx, raw, frame)
            return value

        return decode


MOUNT_ATTRIBUTES = Versioned(
    StructOf(
        attr_set=FlagSet(MOUNT_ATTR, "u64"),
        attr_clr=FlagSet(MOUNT_ATTR, "u64"),
        propagation=Enum(MOUNT_PROPAGATION, "u64"),
        userns_fd=_UserNamespace(),
    ),
    size="size",
    least=32,  # MOUNT_ATTR_SIZE_VER0
)


class _Request(Versioned):
    """A request that begins with its own size, of which nothing else is shown below ``least``."""

    def __init__(self, inner: StructOf, least: int) -> None:
        super().__init__(inner, size="*req", least=least, limit=64)

    def bind_at(self, scope: Scope) -> DecodeAt:
        decode_whole = super().bind_at(scope)
        least = self.least

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            data = ctx.memory.read(address, 4) if address else None
            if not isinstance(data, bytes):
                return Address(0) if data is None else unreadable(address, data)
            size = int.from_bytes(data, "little")
            if size < least:
                return Struct((("size", Integer(size)),), address)
            value: Value = decode_whole(ctx, address, frame)
            return value

        return decode_at


def _id_request(mount: Type, param: Type) -> _Request:
    request = StructOf(
        size=UInt(),
        mnt_ns_fd=UInt(),
        mnt_id=mount,
        param=param,
        mnt_ns_id=Hex("u64"),
    )
    return _Request(request, least=24)  # MNT_ID_REQ_SIZE_VER0


STAT_REQUEST = _id_request(Hex("u64"), FlagSet(STATMOUNT_MASK, "u64"))
LIST_REQUEST = _id_request(Enum(LSMT_IDS, "u64"), Hex("u64"))
LIST_NAMESPACES = _Request(
    StructOf(
        size=UInt(),
        spare=NonZero(Hex()),
        ns_id=Hex("u64"),
        ns_type=FlagSet(NAMESPACE_TYPES),
        spare2=NonZero(Hex()),
        user_ns_id=Enum(LISTNS_USERNS, "u64"),
    ),
    least=32,  # NS_ID_REQ_SIZE_VER0
)


class _String(Type):
    """A string, by its place among those that follow struct statmount."""

    ctype = "uint"

    def bind(self, scope: Scope) -> Decode:
        buffer = scope.number("buf")

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Value:
            address = buffer(ctx, frame) + STATMOUNT_BYTES + raw
            limit = ctx.string_bytes
            found = ctx.memory.read_cstr(address, limit + 1)
            if not was_read(found):
                return unreadable(address, found)
            more = not found.terminated or len(found.data) > limit
            return Text(found.data[:limit], more, address)

        return decode


def _if(bits: int, kind: Type) -> Type:
    return kind.when(AnyBit("mask", bits))


_ID = _if(STATMOUNT_MNT_BASIC, Hex("u64"))
_OLD_ID = _if(STATMOUNT_MNT_BASIC, Hex())
STATMOUNT_BYTES = 512
STATMOUNT = StructOf(
    order=(
        "size",
        "mnt_opts",
        "mask",
        "sb_dev_major",
        "sb_dev_minor",
        "sb_magic",
        "sb_flags",
        "fs_type",
        "mnt_id",
        "mnt_parent_id",
        "mnt_id_old",
        "mnt_parent_id_old",
        "mnt_attr",
        "mnt_propagation",
        "mnt_peer_group",
        "mnt_master",
        "propagate_from",
        "mnt_root",
        "mnt_point",
        "mnt_ns_id",
        "fs_subtype",
        "sb_source",
        "supported_mask",
    ),
    size=UInt(),
    mnt_opts=_if(STATMOUNT_MNT_OPTS, _String()),
    mask=FlagSet(STATMOUNT_MASK, "u64"),
    sb_dev_major=_if(STATMOUNT_SB_BASIC, UInt()),
    sb_dev_minor=_if(STATMOUNT_SB_BASIC, UInt()),
    sb_magic=_if(STATMOUNT_SB_BASIC, Enum(FS_MAGIC, "u64")),
    sb_flags=_if(STATMOUNT_SB_BASIC, FlagSet(MS_FLAGS)),
    fs_type=_if(STATMOUNT_FS_TYPE, _String()),
    mnt_id=_ID,
    mnt_parent_id=_ID,
    mnt_id_old=_OLD_ID,
    mnt_parent_id_old=_OLD_ID,
    mnt_attr=_if(STATMOUNT_MNT_BASIC, FlagSet(MOUNT_ATTR, "u64")),
    mnt_propagation=_if(STATMOUNT_MNT_BASIC, FlagSet(MOUNT_PROPAGATION, "u64")),
    mnt_peer_group=_ID,
    mnt_master=_ID,
    propagate_from=_if(STATMOUNT_PROPAGATE_FROM, Hex("u64")),
    mnt_root=_if(STATMOUNT_MNT_ROOT, _String()),
    mnt_point=_if(STATMOUNT_MNT_POINT, _String()),
    mnt_ns_id=_if(STATMOUNT_MNT_NS_ID, Hex("u64")),
    fs_subtype=_if(STATMOUNT_FS_SUBTYPE, _String()),
    sb_source=_if(STATMOUNT_SB_SOURCE, _String()),
    opt_num=Pad(4),
    opt_array=Pad(4),
    opt_sec_num=Pad(4),
    opt_sec_array=Pad(4),
    supported_mask=_if(STATMOUNT_SUPPORTED_MASK, FlagSet(STATMOUNT_MASK, "u64")),
)


class Statmount(Pointee):
    """What statmount fills in: a structure, and behind it the strings that it points to."""

    def bind_at(self, scope: Scope) -> DecodeAt:
        return STATMOUNT.bind_at(scope)

    def fetches_at(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        return Bytes(length="bufsize", path=True).fetches_at(at, planning)
