"""Requests of loop devices.

Source: include/uapi/linux/loop.h.
"""

from __future__ import annotations

from typing import Any

from pytracer.spec.aggregate import Chars, FixedArray, StructOf
from pytracer.spec.choice import ByAbi
from pytracer.spec.context import Context, Decode
from pytracer.spec.pointer import In, Out
from pytracer.spec.reserved import Reserved
from pytracer.spec.scalar import Enum, Fd, FlagSet, Hex, Int, Number, Size, UInt
from pytracer.spec.switch import Absent
from pytracer.spec.type import Scope, Type
from pytracer.spec.values import Value
from pytracer.tables.constants.devices import LO_CRYPT_NONE, LOOP_CRYPT_TYPES, LOOP_FLAGS
from pytracer.tables.structs.mode import Device

LO_NAME_SIZE = 64  # include/uapi/linux/loop.h
LO_KEY_SIZE = 32
WIDE = Number("u64")
NAME = Chars(LO_NAME_SIZE, whole=True)


class _Key(Chars):
    """The key of an encrypted device: as much as ``lo_encrypt_key_size`` says."""

    def __init__(self) -> None:
        super().__init__(LO_KEY_SIZE, cstr=False, whole=True)

    def bind(self, scope: Scope) -> Decode:
        decode_whole = super().bind(scope)
        size = scope.number("lo_encrypt_key_size")

        def decode(ctx: Context, raw: bytes, frame: tuple[Any, ...]) -> Value:
            length = min(size(ctx, frame) & 0xFFFFFFFF, LO_KEY_SIZE)
            value: Value = decode_whole(ctx, raw[:length], frame)
            return value

        return decode


class _Info(StructOf):
    """A device's state; where it is abbreviated, what is encrypted shows its encryption too."""

    _ENCRYPTION = frozenset(
        ("lo_encrypt_type", "lo_encrypt_key_size", "lo_crypt_name", "lo_encrypt_key")
    )

    def bind(self, scope: Scope) -> Decode:
        assert self.brief is not None
        brief = tuple(self.brief | self._ENCRYPTION)
        decode_plain = super().bind(scope)
        decode_encrypted = StructOf(brief=brief, **self.fields).bind(scope)  # type: ignore[arg-type]
        placed, _, _ = self.place(scope.abi)
        kind = next(f for f in placed if f.name == "lo_encrypt_type")

        def decode(ctx: Context, raw: bytes, frame: tuple[Any, ...]) -> Value:
            encryption = int.from_bytes(raw[kind.offset : kind.offset + 4], "little")
            chosen = decode_plain if encryption == LO_CRYPT_NONE else decode_encrypted
            value: Value = chosen(ctx, raw, frame)
            return value

        return decode


# __kernel_old_dev_t is long on x86_64 and short on i386.
OLD_DEVICE = ByAbi(Device("ulong"), i386=Device("ushort"))
INFO = _Info(
    brief=("lo_number", "lo_offset", "lo_flags", "lo_name"),
    lo_number=Int(),
    lo_device=OLD_DEVICE,
    lo_inode=Number("ulong"),
    lo_rdevice=OLD_DEVICE,
    lo_offset=Hex(),
    lo_encrypt_type=Enum(LOOP_CRYPT_TYPES),
    lo_encrypt_key_size=UInt(),
    lo_flags=FlagSet(LOOP_FLAGS),
    lo_name=NAME,
    lo_encrypt_key=_Key(),
    lo_init=FixedArray(Hex("ulong"), 2),
    reserved=FixedArray(Hex("uchar"), 4),
)
INFO64 = _Info(
    brief=("lo_offset", "lo_number", "lo_flags", "lo_file_name"),
    lo_device=Device("u64"),
    lo_inode=WIDE,
    lo_rdevice=Device("u64"),
    lo_offset=Hex("u64"),
    lo_sizelimit=WIDE,
    lo_number=UInt(),
    lo_encrypt_type=Enum(LOOP_CRYPT_TYPES),
    lo_encrypt_key_size=UInt(),
    lo_flags=FlagSet(LOOP_FLAGS),
    lo_file_name=NAME,
    lo_crypt_name=NAME,
    lo_encrypt_key=_Key(),
    lo_init=FixedArray(Hex("u64"), 2),
)
CONFIG = StructOf(
    fd=Fd(), block_size=UInt(), info=INFO64, __reserved=Reserved(8, "u64", whole=True)
)

REQUESTS: dict[str, Type] = {
    "LOOP_GET_STATUS": Out(INFO),
    "LOOP_SET_STATUS": In(INFO),
    "LOOP_GET_STATUS64": Out(INFO64),
    "LOOP_SET_STATUS64": In(INFO64),
    "LOOP_CONFIGURE": In(CONFIG),
    **dict.fromkeys(("LOOP_CLR_FD", "LOOP_SET_CAPACITY", "LOOP_CTL_GET_FREE"), Absent()),
    **dict.fromkeys(("LOOP_SET_FD", "LOOP_CHANGE_FD"), Fd()),
    **dict.fromkeys(("LOOP_CTL_ADD", "LOOP_CTL_REMOVE"), Int()),
    **dict.fromkeys(("LOOP_SET_DIRECT_IO", "LOOP_SET_BLOCK_SIZE"), Size()),
}
