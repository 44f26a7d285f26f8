"""Requests of userfaultfd.

Source: include/uapi/linux/userfaultfd.h, Linux 6.18.
"""

from __future__ import annotations

from pytracer.spec.aggregate import Pad, StructOf
from pytracer.spec.exchange import Completed
from pytracer.spec.pointer import In
from pytracer.spec.scalar import FlagSet, Hex
from pytracer.spec.type import Type
from pytracer.spec.values import Changed, Flags, Struct, Titled, Value
from pytracer.tables.constants.userfaultfd import (
    UFFD_API_IOCTLS,
    UFFD_CONTINUE_MODES,
    UFFD_COPY_MODES,
    UFFD_FEATURES,
    UFFD_POISON_MODES,
    UFFD_RANGE_IOCTLS,
    UFFD_REGISTER_MODES,
    UFFD_WRITEPROTECT_MODES,
    UFFD_ZEROPAGE_MODES,
)

WIDE = Hex("u64")
RANGE = StructOf(start=WIDE, len=WIDE)


class _Api(Completed):
    """The handshake: features asked for, and those that the kernel grants where they differ."""

    def join(self, before: Value, after: Value) -> Value:
        if not isinstance(before, Struct) or not isinstance(after, Struct):
            return before
        (_, asked), (_, granted) = before.fields[1], after.fields[0]
        assert isinstance(asked, Flags) and isinstance(granted, Flags)
        features: Value = asked
        if asked.value != granted.value:
            features = Changed(asked, Titled("features", granted))
        return Struct((before.fields[0], ("features", features), after.fields[1]), before.address)


FEATURES = FlagSet(UFFD_FEATURES, "u64")

REQUESTS: dict[str, Type] = {
    "UFFDIO_API": _Api(
        StructOf(api=WIDE, features=FEATURES),
        StructOf(api=Pad(8), features=FEATURES, ioctls=FlagSet(UFFD_API_IOCTLS, "u64")),
    ),
    "UFFDIO_REGISTER": Completed(
        StructOf(range=RANGE, mode=FlagSet(UFFD_REGISTER_MODES, "u64")),
        StructOf(asked=Pad(24), ioctls=FlagSet(UFFD_RANGE_IOCTLS, "u64")),
    ),
    "UFFDIO_COPY": Completed(
        StructOf(dst=WIDE, src=WIDE, len=WIDE, mode=FlagSet(UFFD_COPY_MODES, "u64")),
        StructOf(asked=Pad(32), copy=WIDE),
    ),
    "UFFDIO_ZEROPAGE": Completed(
        StructOf(range=RANGE, mode=FlagSet(UFFD_ZEROPAGE_MODES, "u64")),
        StructOf(asked=Pad(24), zeropage=WIDE),
    ),
    **dict.fromkeys(("UFFDIO_UNREGISTER", "UFFDIO_WAKE"), In(RANGE)),
    "UFFDIO_WRITEPROTECT": In(StructOf(range=RANGE, mode=FlagSet(UFFD_WRITEPROTECT_MODES, "u64"))),
    "UFFDIO_CONTINUE": Completed(
        StructOf(range=RANGE, mode=FlagSet(UFFD_CONTINUE_MODES, "u64")),
        StructOf(asked=Pad(24), mapped=WIDE),
    ),
    "UFFDIO_POISON": Completed(
        StructOf(range=RANGE, mode=FlagSet(UFFD_POISON_MODES, "u64")),
        StructOf(asked=Pad(24), updated=WIDE),
    ),
}
