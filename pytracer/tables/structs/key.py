"""Keys: their numbers, and the structures of keyctl's operations.

Source: include/uapi/linux/keyctl.h.
"""

from __future__ import annotations

from typing import Any

from pytracer.spec.aggregate import StructOf
from pytracer.spec.context import LATER, Context, Decode
from pytracer.spec.context import Number as Count
from pytracer.spec.plan import At, AtRegister, Fetch, From, Length, Planning
from pytracer.spec.pointer import CAPTURE_LIMIT, Bytes, Cstr, Pointee, read_buffer, unreadable
from pytracer.spec.reserved import Reserved
from pytracer.spec.scalar import Enum, FlagSet, Hex, Number
from pytracer.spec.type import DecodeAt, Scope
from pytracer.spec.values import Address, Array, Base, Text, Value
from pytracer.tables.constants.keys import KEY_SPECS, KEYCTL_CAPS0, KEYCTL_CAPS1, KEYCTL_PKEY_OPS

KEY = Enum(KEY_SPECS, "int", Base.DEC)
_UINT = Number("uint")
_USHORT = Number("ushort")


class Answer(Bytes):
    """What the kernel has filled in: as much as it says, or as there was room for.

    ``text``: it ends with a NUL, which is not shown.
    """

    def __init__(self, room: str, text: bool = False) -> None:
        super().__init__(room)
        self.text = text

    def bind(self, scope: Scope) -> Decode:
        room = scope.number(self.length)
        buffer = read_buffer(lambda ctx, frame: min(room(ctx, frame), ctx.ret))
        text = self.text

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
            if not ctx.exiting:
                return LATER
            if ctx.failed:
                return Address(raw)
            value: Value = buffer(ctx, raw, frame)
            if isinstance(value, Text):
                value.terminated = text
            return value

        return decode

    def fetches(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        return super().fetches(at, planning.at_exit())


class Capabilities(Answer):
    """Bytes of flags, each with names of its own."""

    def bind(self, scope: Scope) -> Decode:
        room = scope.number(self.length)
        kinds = (FlagSet(KEYCTL_CAPS0, "uchar"), FlagSet(KEYCTL_CAPS1, "uchar"))
        plain = Hex("uchar")

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
            if not ctx.exiting:
                return LATER
            if ctx.failed or not raw:
                return Address(raw)
            count = min(room(ctx, frame), ctx.ret)
            data = ctx.memory.read(raw, min(count, ctx.elements)) if count else b""
            if not isinstance(data, bytes):
                return unreadable(raw, data)
            items = tuple(
                (kinds[i] if i < len(kinds) else plain).make(byte) for i, byte in enumerate(data)
            )
            return Array(items, raw, brief=ctx.string_bytes)

        return decode


class _Info(Bytes):
    """A buffer that is not looked at where its length is 0."""

    def bind_at(self, scope: Scope) -> DecodeAt:
        number = scope.number(self.length)
        buffer = super().bind_at(scope)

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            value: Value = buffer(ctx, address, frame) if number(ctx, frame) else Address(address)
            return value

        return decode_at


DH_PARAMS = StructOf(private=KEY, prime=KEY, base=KEY)
KDF_PARAMS = StructOf(
    hashname=Cstr(),
    otherinfo=_Info("otherinfolen"),
    otherinfolen=_UINT,
    __spare=Reserved(8),
)
PKEY_QUERY = StructOf(
    supported_ops=FlagSet(KEYCTL_PKEY_OPS),
    key_size=_UINT,
    max_data_size=_USHORT,
    max_sig_size=_USHORT,
    max_enc_size=_USHORT,
    max_dec_size=_USHORT,
    __spare=Reserved(10),
)
PKEY_IN_OUT = StructOf(key_id=KEY, in_len=_UINT, out_len=_UINT, __spare=Reserved(7))
PKEY_IN_IN = StructOf(key_id=KEY, in_len=_UINT, in2_len=_UINT, __spare=Reserved(7))
_PARAMS_REGISTER = 1


def _length(place: int) -> Count:
    """A length that the call's parameters hold; -1 when they cannot be read."""

    def number(ctx: Context, frame: tuple[Any, ...]) -> int:
        data = ctx.memory.read(ctx.args[_PARAMS_REGISTER], PKEY_SIZE)
        if not isinstance(data, bytes):
            return -1
        return int.from_bytes(data[place : place + 4], "little")

    return number


PKEY_SIZE = 40
_IN_LENGTH, _OTHER_LENGTH = 4, 8


class Operand(Pointee):
    """Data for an operation with a public key, as long as its parameters say."""

    def __init__(self, second: bool = False) -> None:
        self.place = _OTHER_LENGTH if second else _IN_LENGTH

    def bind_at(self, scope: Scope) -> DecodeAt:
        return read_buffer(_length(self.place))

    def fetches_at(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        limit = min(planning.string_bytes, CAPTURE_LIMIT)
        return (Fetch(at, planning.phase, Length(From.CONST, limit), limit),)


class Result(Operand):
    """Data that such an operation has made."""

    def __init__(self) -> None:
        super().__init__(second=True)

    def bind(self, scope: Scope) -> Decode:
        buffer = read_buffer(lambda ctx, frame: ctx.saved[Result])
        number = _length(self.place)

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
            if not ctx.exiting:
                length = ctx.saved[Result] = number(ctx, frame)
                return LATER if length >= 0 else Address(raw)
            return Address(raw) if ctx.failed else buffer(ctx, raw, frame)

        return decode

    def fetches(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        params = Fetch(
            AtRegister(_PARAMS_REGISTER), planning.phase, Length(From.CONST, PKEY_SIZE), PKEY_SIZE
        )
        return (params, *super().fetches(at, planning.at_exit()))
