"""What requests of btrfs pass to name a subvolume, a snapshot or a device.

Source: include/uapi/linux/btrfs.h, Linux 7.2.
"""

from __future__ import annotations

from typing import Any

from pytracer.spec.abi import Layout
from pytracer.spec.aggregate import ArrayOf, Chars, Pad, StructOf
from pytracer.spec.context import Context
from pytracer.spec.exchange import Exchange
from pytracer.spec.pointer import In
from pytracer.spec.scalar import FlagSet, Number
from pytracer.spec.trailing import Trailing
from pytracer.spec.type import AnyBit, Scope
from pytracer.spec.values import Struct, Value
from pytracer.tables.constants import btrfs as bt
from pytracer.tables.ioctls.filesystems import WideFd

WIDE = Number("u64")


class _Remains(Pad):
    """What a union has room for behind a number of 64 bits and a pointer."""

    def __init__(self) -> None:
        super().__init__(0)

    def measure(self, abi: Layout) -> tuple[int, int, str]:
        return 24 - abi.word, 1, f"{24 - abi.word}s"


def name(size: int) -> Chars:
    """A name that is shown whole."""
    return Chars(size, whole=True)


LIMIT = StructOf(
    flags=FlagSet(bt.BTRFS_QGROUP_LIMITS, "u64"),
    max_rfer=WIDE,
    max_excl=WIDE,
    rsv_rfer=WIDE,
    rsv_excl=WIDE,
)


class _Inheritance(Trailing):
    """struct btrfs_qgroup_inherit: abbreviated, without the groups."""

    def __init__(self) -> None:
        head = StructOf(
            flags=FlagSet(bt.BTRFS_QGROUP_INHERIT_FLAGS, "u64"),
            num_qgroups=WIDE,
            num_ref_copies=WIDE,
            num_excl_copies=WIDE,
            lim=LIMIT,
        )
        super().__init__(head, "qgroups", ArrayOf(WIDE, "num_qgroups"), rarely=True)

    def bind_at(self, scope: Scope) -> Any:
        decode_whole = super().bind_at(scope)

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            value: Value = decode_whole(ctx, address, frame)
            if isinstance(value, Struct):
                value.more = not ctx.whole
            return value

        return decode_at


_INHERITS = AnyBit("flags", bt.BTRFS_SUBVOL_QGROUP_INHERIT)
VOLUME = In(StructOf(fd=WideFd(), name=name(4088)))
VOLUME_V2 = Exchange(
    StructOf(
        fd=WideFd(),
        transid=Pad(8, 4),
        flags=FlagSet(bt.BTRFS_SUBVOL_FLAGS, "u64"),
        size=WIDE.when(_INHERITS),
        qgroup_inherit=In(_Inheritance()).when(_INHERITS),
        rest=_Remains(),
        name=name(4040),
    ),
    StructOf(fd=Pad(8), transid=WIDE),
)
