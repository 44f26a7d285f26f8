"""What the commands of bpf have in common.

Source: include/uapi/linux/bpf.h, Linux 7.2.
"""

from __future__ import annotations

from typing import Any

from pytracer.spec.context import Context, Decode
from pytracer.spec.plan import At, Fetch, Planning
from pytracer.spec.pointer import Cstr, Pointee
from pytracer.spec.scalar import Enum, Fd, FlagSet, Hex, Number, Scalar
from pytracer.spec.type import DecodeAt, Scope
from pytracer.spec.values import Address, Base, Function, Integer, Noted, Struct, Text, Value
from pytracer.spec.wide import Wide
from pytracer.tables.constants import bpf as b
from pytracer.tables.constants.memory import NUMA_NODES
from pytracer.tables.structs.bpfattr import Form
from pytracer.tables.structs.futex import WideAddress

NAME = 16  # BPF_OBJ_NAME_LEN
U32, U64, X32, X64 = Number("uint"), Number("u64"), Hex(), Hex("u64")
FD, AT = Fd(), WideAddress()
ATTACH_TYPE = Enum(b.BPF_ATTACH_TYPES)
ATTACH_FLAGS = FlagSet(b.BPF_ATTACH_FLAGS)
FILE_FLAGS = FlagSet(b.BPF_FILE_MODES)
ELEMENT_FLAGS = FlagSet(b.BPF_LOOKUP_FLAGS, "u64")


class KernelVersion(Scalar):
    """A version of the kernel: KERNEL_VERSION(5, 10, 0)."""

    def __init__(self) -> None:
        super().__init__("uint")

    def make(self, number: int) -> Value:
        parts = (number >> 16, number >> 8 & 0xFF, number & 0xFF)
        return Function("KERNEL_VERSION", tuple(map(Integer, parts)), Integer(number, Base.HEX))


class Node(Scalar):
    """A memory node, always with its name if it has one."""

    def __init__(self) -> None:
        super().__init__("uint")

    def make(self, number: int) -> Value:
        name = NUMA_NODES.name_of(number)
        return Noted(Integer(number), name, unless_raw=True) if name else Integer(number)


class Terminated(Pointee):
    """A string that ends with a NUL or with the room there is. ``room``: a sibling or a number."""

    def __init__(self, room: str | int) -> None:
        self.room = room

    def bind_at(self, scope: Scope) -> DecodeAt:
        room = scope.number(self.room)

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            size = room(ctx, frame)
            if not address:
                return Address(0)
            if not size:
                return Text(b"", address=address)
            found = ctx.memory.read_cstr(address, min(size, ctx.string_bytes + 1))
            data = getattr(found, "data", None)
            if data is None:
                return Address(address)
            limit = ctx.string_bytes
            ended = getattr(found, "terminated", False)
            return Text(data[:limit], not ended or len(data) > limit, address)

        return decode_at

    def fetches_at(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        return Cstr().fetches_at(at, planning)


class Filled(Wide):
    """A pointer to what the kernel fills in; an address if the call failed."""

    def bind(self, scope: Scope) -> Decode:
        decode_at = self.inner.bind_at(scope)

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Value:
            if ctx.failed or not ctx.exiting:
                return Address(raw)
            value: Value = decode_at(ctx, raw, frame)
            return value

        return decode

    def fetches(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        return super().fetches(at, planning) if planning.phase else ()


class Relative(Form):
    """A form that names what it is relative to by a descriptor or, as flagged, by an id."""

    def fields(
        self, decode: Decode, ctx: Context, data: bytes, frame: tuple[Any, ...]
    ) -> dict[str, Value]:
        found = super().fields(decode, ctx, data, frame)
        if int.from_bytes(data[12:16], "little") & b.BPF_F_ID:
            return {_BY_ID.get(n, n): _by_id(v) for n, v in found.items()}
        return found


_BY_ID = {"relative_fd": "relative_id"}


def _by_id(value: Value) -> Value:
    if isinstance(value, Struct):
        fields = tuple((_BY_ID.get(n, n), v) for n, v in value.fields)
        return Struct(fields)
    return value
