"""Requests of trusted execution environments: those that pass no parameters of a session.

Source: include/uapi/linux/tee.h.
"""

from __future__ import annotations

from pytracer.spec.aggregate import StructOf
from pytracer.spec.exchange import Exchange
from pytracer.spec.pointer import In, Out
from pytracer.spec.scalar import Enum, FlagSet, Hex, Int, UInt
from pytracer.spec.switch import Choice
from pytracer.spec.type import Type
from pytracer.tables.constants.boards import (
    TEE_GEN_CAPS,
    TEE_IMPL_ID_OPTEE,
    TEE_IMPL_IDS,
    TEE_OPTEE_CAPS,
    TEE_SHM_FLAGS,
)
from pytracer.tables.structs.futex import WideAddress

VERSION = StructOf(
    None,
    ("impl_id", "gen_caps", "impl_caps"),
    impl_id=Enum(TEE_IMPL_IDS),
    impl_caps=Choice("impl_id", {TEE_IMPL_ID_OPTEE: FlagSet(TEE_OPTEE_CAPS)}, Hex()),
    gen_caps=FlagSet(TEE_GEN_CAPS),
)
_SHARED = FlagSet(TEE_SHM_FLAGS)


def _allocated(*shown: str) -> StructOf:
    return StructOf(None, shown, size=Hex("u64"), flags=_SHARED, id=Int())


def _registered(*shown: str) -> StructOf:
    return StructOf(None, shown, addr=WideAddress(), length=Hex("u64"), flags=_SHARED, id=Int())


REQUESTS: dict[str, Type] = {
    "TEE_IOC_VERSION": Out(VERSION),
    "TEE_IOC_CANCEL": In(StructOf(cancel_id=UInt(), session=Hex())),
    "TEE_IOC_CLOSE_SESSION": In(StructOf(session=Hex())),
    "TEE_IOC_SHM_ALLOC": Exchange(_allocated("size", "flags"), _allocated("size", "flags", "id")),
    "TEE_IOC_SHM_REGISTER": Exchange(
        _registered("addr", "length", "flags"), _registered("length", "flags", "id")
    ),
}
