"""Requests of btrfs that pass structures of one size; lists are in ``btrfslists``.

Source: include/uapi/linux/btrfs.h, Linux 7.2.
"""

from __future__ import annotations

from typing import Any

from pytracer.spec.abi import Layout
from pytracer.spec.aggregate import FixedArray, Pad, StructOf
from pytracer.spec.context import Context, Decode
from pytracer.spec.exchange import Exchange
from pytracer.spec.pointer import In, Out
from pytracer.spec.scalar import Enum, FlagSet, Number, Scalar
from pytracer.spec.switch import Absent
from pytracer.spec.type import AnyBit, Condition, Equals, Scope, Type, Wrapper
from pytracer.spec.values import (
    Address,
    Array,
    Changed,
    Integer,
    Noted,
    Phrase,
    Struct,
    Unavailable,
    Value,
)
from pytracer.spec.xlat import Xlat
from pytracer.tables.constants import btrfs as bt
from pytracer.tables.ioctls.btrfslists import BOUND, LISTS, OBJECT, TREE
from pytracer.tables.ioctls.btrfsvolumes import LIMIT, VOLUME, VOLUME_V2, WIDE, name
from pytracer.tables.structs.indexed import index_array
from pytracer.tables.structs.mode import Device
from pytracer.tables.structs.time import Dated, Timestamp

DEVICE = Device("u64")
ORDINAL = Number("uint")


class Uuid(Type):
    """Sixteen bytes as identifiers are written. ``optional``: left out when all are zero."""

    def __init__(self, optional: bool = False) -> None:
        self.optional = optional

    def measure(self, abi: Layout) -> tuple[int, int, str]:
        return 16, 1, "16s"

    def bind(self, scope: Scope) -> Decode:
        optional = self.optional

        def decode(ctx: Context, data: bytes, frame: tuple[Any, ...]) -> Value | None:
            if optional and not any(data):
                return None
            text = data.hex()
            parts = (text[:8], text[8:12], text[12:16], text[16:20], text[20:])
            return Phrase("-".join(parts))

        return decode


class Bare(Wrapper):
    """A pointer to a number that is shown without the brackets of what a pointer points to."""

    def bind(self, scope: Scope) -> Decode:
        decode_pointed = self.inner.bind(scope)

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
            value = decode_pointed(ctx, raw, frame)
            return value.items[0] if isinstance(value, Array) and value.items else value

        return decode


_SPACE = FlagSet(bt.BTRFS_BLOCK_GROUPS, "u64")
_BALANCE_ARGS = StructOf(
    profiles=_SPACE,
    usage=BOUND,
    devid=DEVICE,
    pstart=BOUND,
    pend=BOUND,
    vstart=BOUND,
    vend=BOUND,
    target=BOUND,
    flags=FlagSet(bt.BTRFS_BALANCE_ARGS, "u64"),
    rest=Pad(64),
)


def _balance(state: Type) -> StructOf:
    return StructOf(
        flags=FlagSet(bt.BTRFS_BALANCE_FLAGS, "u64"),
        state=state,
        data=_BALANCE_ARGS.when(AnyBit("flags", bt.BTRFS_BALANCE_DATA)),
        meta=_BALANCE_ARGS.when(AnyBit("flags", bt.BTRFS_BALANCE_METADATA)),
        sys=_BALANCE_ARGS.when(AnyBit("flags", bt.BTRFS_BALANCE_SYSTEM)),
        rest=Pad(24 + 576),
    )


class _Insistent(Exchange):
    """What is shown again when the call has succeeded, even if it could not be read before."""

    def bind(self, scope: Scope) -> Decode:
        decode_both = super().bind(scope)

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
            value = decode_both(ctx, raw, frame)
            lost = isinstance(value, Address | Unavailable)
            return Changed(value, value) if lost and not ctx.failed else value

        return decode


_BALANCED = _balance(FlagSet(bt.BTRFS_BALANCE_STATES, "u64"))

_FEATURES = StructOf(
    compat_flags=FlagSet(Xlat("BTRFS_FEATURE_COMPAT_???", ()), "u64"),
    compat_ro_flags=FlagSet(bt.BTRFS_FEATURES_COMPAT_RO, "u64"),
    incompat_flags=FlagSet(bt.BTRFS_FEATURES_INCOMPAT, "u64"),
)


class _Supported(FixedArray):
    """Features that there are, that may be set, and that may be cleared."""

    NOTES = ("supported", "safe to set", "safe to clear")

    def __init__(self) -> None:
        super().__init__(_FEATURES, len(self.NOTES))

    def bind(self, scope: Scope) -> Decode:
        decode_array = super().bind(scope)

        def decode(ctx: Context, raw: Any, frame: tuple[Any, ...]) -> Value:
            found: Value = decode_array(ctx, raw, frame)
            assert isinstance(found, Array)
            noted = zip(found.items, self.NOTES, strict=True)
            return Array(tuple(Noted(value, note) for value, note in noted))

        return decode


class _Progress(Scalar):
    """Thousandths, and the percentage that they make."""

    def __init__(self) -> None:
        super().__init__("u64")

    def make(self, number: int) -> Value:
        shown = Integer(number)
        return Noted(shown, f"{number // 10}.{number % 10}%") if number <= 1000 else shown


_STATUS = StructOf(
    replace_state=Enum(bt.BTRFS_REPLACE_STATES, "u64"),
    progress_1000=_Progress(),
    time_started=Timestamp("u64"),
    time_stopped=Timestamp("u64"),
    num_write_errors=WIDE,
    num_uncorrectable_read_errors=WIDE,
)
_START = StructOf(
    srcdevid=DEVICE,
    cont_reading_from_srcdev_mode=Enum(bt.BTRFS_REPLACE_READING, "u64"),
    srcdev_name=name(1025),
    tgtdev_name=name(1025),
)
_COMMAND = Enum(bt.BTRFS_REPLACE_COMMANDS, "u64")


def _command(value: int) -> Condition:
    return Equals("cmd", value)


_REPLACE = Exchange(
    StructOf(
        cmd=_COMMAND,
        result=Pad(8, 4),
        start=_START.when(_command(bt.BTRFS_IOCTL_DEV_REPLACE_CMD_START)),
        spare=Pad(512),
    ),
    StructOf(
        None,
        ("result", "status"),
        cmd=_COMMAND,
        result=Enum(bt.BTRFS_REPLACE_RESULTS, "u64"),
        status=_STATUS.when(_command(bt.BTRFS_IOCTL_DEV_REPLACE_CMD_STATUS)),
        rest=Pad(2072 - 48 + 512),
    ),
)

_UNUSED = Pad(8 * 379)
_DEVICE_INFO = Exchange(
    StructOf(devid=DEVICE, uuid=Uuid(optional=True), rest=Pad(16 + 8 * 379 + 1024)),
    StructOf(
        devid=Pad(8),
        uuid=Uuid(optional=True),
        bytes_used=WIDE,
        total_bytes=WIDE,
        unused=_UNUSED,
        path=name(1024),
    ),
)
_HAS_CSUM = AnyBit("flags", bt.BTRFS_FS_INFO_FLAG_CSUM_INFO)
_FS_INFO = StructOf(
    max_id=WIDE,
    num_devices=WIDE,
    fsid=Uuid(),
    nodesize=ORDINAL,
    sectorsize=ORDINAL,
    clone_alignment=ORDINAL,
    csum_type=Enum(bt.BTRFS_CSUM_TYPES, "ushort").when(_HAS_CSUM),
    csum_size=Number("ushort").when(_HAS_CSUM),
    flags=FlagSet(bt.BTRFS_FS_INFO_FLAGS, "u64"),
    generation=WIDE.when(AnyBit("flags", bt.BTRFS_FS_INFO_FLAG_GENERATION)),
    metadata_uuid=Uuid().when(AnyBit("flags", bt.BTRFS_FS_INFO_FLAG_METADATA_UUID)),
    reserved=Pad(944),
)


class _Counters(Type):
    """How often what went wrong, as many as were asked for."""

    COUNT = 5  # BTRFS_DEV_STAT_VALUES_MAX

    def measure(self, abi: Layout) -> tuple[int, int, str]:
        return 8 * self.COUNT, abi.align64, f"{8 * self.COUNT}s"

    def bind(self, scope: Scope) -> Decode:
        number = scope.number("nr_items")
        names = Xlat("", bt.BTRFS_DEV_STATS.entries)

        def decode(ctx: Context, data: bytes, frame: tuple[Any, ...]) -> Value:
            asked = number(ctx, frame)
            found = index_array(ctx, data[: 8 * min(asked, self.COUNT)], names, 8)
            return Array(found.items, more=asked > self.COUNT)

        return decode


_STATS_FLAGS = FlagSet(bt.BTRFS_DEV_STATS_FLAGS, "u64")
_STATISTICS = Exchange(
    StructOf(devid=DEVICE, nr_items=WIDE, flags=_STATS_FLAGS, rest=Pad(1008)),
    StructOf(
        None,
        None,
        **{"devid": Pad(8), "nr_items": WIDE, "flags": _STATS_FLAGS, "": _Counters()},
        rest=Pad(968),
    ),
)


class _Lookup(Exchange):
    """The name of an inode; the tree is told where none was named."""

    def join(self, before: Value, after: Value) -> Value:
        if isinstance(before, Struct) and isinstance(after, Struct):
            tree = before.fields[0][1]
            if getattr(tree, "value", 0):
                after = Struct(after.fields[1:], after.address)
        return super().join(before, after)


_SCRUBBED = """
    data_extents_scrubbed tree_extents_scrubbed data_bytes_scrubbed tree_bytes_scrubbed read_errors
    csum_errors verify_errors no_csum csum_discards super_errors malloc_errors uncorrectable_errors
    corrected_errors last_physical unverified_errors
"""
_SCRUB_FIELDS: dict[str, Type] = dict.fromkeys(_SCRUBBED.split(), WIDE)
_SCRUB_PROGRESS = StructOf(
    head=Pad(32), progress=StructOf(None, None, **_SCRUB_FIELDS), rest=Pad(1024 - 32 - 120)
)
_TIME = Dated(StructOf(sec=WIDE, nsec=ORDINAL), 9)
_RECEIVED = Exchange(
    StructOf(
        None,
        ("uuid", "stransid", "stime", "flags"),
        uuid=Uuid(),
        stransid=WIDE,
        rtransid=Pad(8, 4),
        stime=_TIME,
        rtime=StructOf(sec=WIDE, nsec=ORDINAL),
        flags=WIDE,
        reserved=Pad(128),
    ),
    StructOf(
        None,
        ("rtransid", "rtime"),
        uuid=Pad(16),
        stransid=Pad(8, 4),
        rtransid=WIDE,
        stime=StructOf(sec=WIDE, nsec=ORDINAL),
        rtime=_TIME,
    ),
)
_SUBVOLUME_FLAGS = FlagSet(bt.BTRFS_SUBVOL_FLAGS, "u64")
_VOLUMES = (
    *("SNAP_CREATE", "RESIZE", "SCAN_DEV", "FORGET_DEV", "ADD_DEV", "RM_DEV", "SUBVOL_CREATE"),
    *("SNAP_DESTROY", "DEVICES_READY"),
)
_NOTHING = (
    *("TRANS_START", "TRANS_END", "SYNC", "SCRUB_CANCEL", "QUOTA_RESCAN_WAIT", "DEFRAG"),
    "BALANCE",
)

_REQUESTS: dict[str, Type] = {
    **dict.fromkeys(_NOTHING, Absent()),
    **dict.fromkeys(_VOLUMES, VOLUME),
    **dict.fromkeys(("SNAP_CREATE_V2", "SUBVOL_CREATE_V2"), VOLUME_V2),
    "BALANCE_CTL": Enum(bt.BTRFS_BALANCE_CTL, "kulong"),
    "START_SYNC": Out(WIDE),
    **dict.fromkeys(("DEFAULT_SUBVOL", "WAIT_SYNC"), In(WIDE)),
    "SUBVOL_GETFLAGS": Bare(Out(_SUBVOLUME_FLAGS)),
    "SUBVOL_SETFLAGS": Bare(In(_SUBVOLUME_FLAGS)),
    "BALANCE_V2": _Insistent(_balance(Pad(8, 4)), _BALANCED),
    "BALANCE_PROGRESS": Out(_BALANCED),
    "DEFRAG_RANGE": In(
        StructOf(
            start=WIDE,
            len=BOUND,
            flags=FlagSet(bt.BTRFS_DEFRAG_FLAGS, "u64"),
            extent_thresh=ORDINAL,
            compress_type=Enum(bt.BTRFS_COMPRESSION),
            unused=Pad(16),
        )
    ),
    "DEV_INFO": _DEVICE_INFO,
    "DEV_REPLACE": _REPLACE,
    "GET_FEATURES": Out(_FEATURES),
    "SET_FEATURES": In(FixedArray(_FEATURES, 2)),
    "GET_SUPPORTED_FEATURES": Out(_Supported()),
    "FS_INFO": Out(_FS_INFO),
    "GET_DEV_STATS": _STATISTICS,
    "INO_LOOKUP": _Lookup(
        StructOf(treeid=TREE, objectid=OBJECT, name=Pad(4080)),
        StructOf(treeid=TREE, objectid=Pad(8, 4), name=name(4080)),
    ),
    "QGROUP_ASSIGN": In(StructOf(assign=WIDE, src=WIDE, dst=WIDE)),
    "QGROUP_CREATE": In(StructOf(create=WIDE, qgroupid=WIDE)),
    "QGROUP_LIMIT": Out(StructOf(qgroupid=WIDE, lim=LIMIT)),
    "QUOTA_CTL": In(StructOf(cmd=Enum(bt.BTRFS_QUOTA_CTL, "u64"), status=Pad(8))),
    "QUOTA_RESCAN": In(StructOf(flags=WIDE, rest=Pad(56))),
    "QUOTA_RESCAN_STATUS": Out(StructOf(flags=WIDE, progress=OBJECT, reserved=Pad(48))),
    "SET_RECEIVED_SUBVOL": _RECEIVED,
    "SCRUB": Exchange(
        StructOf(
            devid=DEVICE,
            start=WIDE,
            end=BOUND,
            flags=FlagSet(bt.BTRFS_SCRUB_FLAGS, "u64"),
            rest=Pad(1024 - 32),
        ),
        _SCRUB_PROGRESS,
    ),
    "SCRUB_PROGRESS": Exchange(StructOf(devid=DEVICE, rest=Pad(1016)), _SCRUB_PROGRESS),
}
REQUESTS: dict[str, Type] = {
    f"BTRFS_IOC_{name}": kind for name, kind in (_REQUESTS | LISTS).items()
}
