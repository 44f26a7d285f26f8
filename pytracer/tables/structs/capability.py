"""Capabilities and supplementary groups of a process."""

from __future__ import annotations

import struct
from typing import Any, Final

from pytracer.spec.aggregate import ArrayOf, StructOf
from pytracer.spec.context import Context
from pytracer.spec.plan import At, AtRegister, Fetch, From, Length, Planning
from pytracer.spec.pointer import Pointee, unreadable
from pytracer.spec.scalar import Enum, FlagSet, Pid
from pytracer.spec.type import DecodeAt, Scope, Type
from pytracer.spec.values import Address, Joined, Struct, Value
from pytracer.tables.constants.process import CAP_MASK_HIGH, CAP_MASK_LOW, CAP_VERSIONS

_NGROUPS_MAX: Final = 65536  # include/uapi/linux/limits.h
_HEADER_BYTES: Final = 8
_SET_BYTES: Final = 12  # struct __user_cap_data_struct, one for each 32 capabilities
_TWO_SETS: Final = frozenset(
    CAP_VERSIONS.value_of(name)
    for name in ("_LINUX_CAPABILITY_VERSION_2", "_LINUX_CAPABILITY_VERSION_3")
)

CAP_HEADER = StructOf(version=Enum(CAP_VERSIONS), pid=Pid())

_low = FlagSet(CAP_MASK_LOW).make
_high = FlagSet(CAP_MASK_HIGH).make


def _capabilities(low: int, high: int) -> Value:
    if not high:
        return _low(low)
    parts = (_low(low), _high(high)) if low else (_high(high),)
    return Joined(parts, value=low | high << 32)


class CapData(Pointee):
    """Three sets of capabilities, in the form that the header in register ``header`` asks for."""

    def __init__(self, header: int) -> None:
        self.header = header

    def bind_at(self, scope: Scope) -> DecodeAt:
        header = self.header

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            head = ctx.memory.read(ctx.args[header], _HEADER_BYTES)
            if not address or not isinstance(head, bytes):
                return Address(address)
            two = int.from_bytes(head[:4], "little") in _TWO_SETS
            data = ctx.memory.read(address, _SET_BYTES * (1 + two))
            if not isinstance(data, bytes):
                return unreadable(address, data)
            low = struct.unpack_from("<3I", data)
            high = struct.unpack_from("<3I", data, _SET_BYTES) if two else (0, 0, 0)
            names = ("effective", "permitted", "inheritable")
            sets = map(_capabilities, low, high)
            return Struct(tuple(zip(names, sets, strict=True)), address)

        return decode_at

    def fetches_at(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        phase, always = planning.phase, planning.always
        head, sets = _HEADER_BYTES, 2 * _SET_BYTES
        return (
            Fetch(AtRegister(self.header), phase, Length(From.CONST, head), head, always=always),
            Fetch(at, phase, Length(From.CONST, sets), sets, always=always),
        )


class Groups(ArrayOf):
    """A list of group ids; of a length that no kernel accepts, only the address."""

    def __init__(self, element: Type, count: str) -> None:
        super().__init__(element, count)

    def bind_at(self, scope: Scope) -> DecodeAt:
        decode_array = super().bind_at(scope)
        number = scope.number(self.count)

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            if not 0 <= number(ctx, frame) <= _NGROUPS_MAX:
                return Address(address)
            value: Value = decode_array(ctx, address, frame)
            return value

        return decode_at
