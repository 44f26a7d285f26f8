"""struct lsm_ctx: what a security module says of a task, include/uapi/linux/lsm.h."""

from __future__ import annotations

import struct
from typing import Any, Final

from pytracer.spec.context import LATER, Context, Decode
from pytracer.spec.plan import At, Fetch, From, Length, Planning
from pytracer.spec.pointer import Pointee, named_length, unreadable
from pytracer.spec.scalar import Enum
from pytracer.spec.type import DecodeAt, Scope
from pytracer.spec.values import Address, Array, Changed, Integer, Struct, Text, Value
from pytracer.tables.constants.process import LSM_FLAG_SINGLE, LSM_IDS

_HEAD: Final = struct.Struct("<4Q")
_MOST: Final = 4096  # a module's contexts are a few words; more than a page is not looked at

LSM_ID = Enum(LSM_IDS, "u64")


def _context(ctx: Context, data: bytes) -> Struct:
    module, flags, length, text_length = _HEAD.unpack_from(data)
    fields: list[tuple[str, Value]] = [
        ("id", LSM_ID.make(module)),
        ("flags", Integer(flags)),
        ("len", Integer(length)),
        ("ctx_len", Integer(text_length)),
    ]
    text = data[_HEAD.size : _HEAD.size + text_length]
    if text:
        limit = ctx.string_bytes
        fields.append(("ctx", Text(text[:limit], len(text) > limit, escaped=True)))
    return Struct(tuple(fields))


class ModuleContext(Pointee):
    """One context of ``size`` bytes; fewer than its head takes leave the address."""

    def __init__(self, size: str) -> None:
        self.size = size

    def bind_at(self, scope: Scope) -> DecodeAt:
        number = scope.number(self.size)

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            size = number(ctx, frame)
            if not address or size < _HEAD.size:
                return Address(address)
            data = ctx.memory.read(address, min(size, _MOST))
            if not isinstance(data, bytes):
                return unreadable(address, data)
            value = _context(ctx, data)
            value.address = address
            return value

        return decode_at

    def fetches_at(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        length = named_length(self.size, planning) or Length(From.CONST, _MOST)
        return (Fetch(at, planning.phase, length, _MOST, False, planning.always),)


class ModuleContexts(Pointee):
    """As many contexts as the result says, one behind the other.

    Where only one module was asked for, the caller says which in the first field.
    """

    def bind(self, scope: Scope) -> Decode:
        flags = scope.number("flags")

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
            if not ctx.exiting:
                return LATER
            found = _contexts(ctx, raw)
            asked = ctx.saved.get(self) if flags(ctx, frame) & LSM_FLAG_SINGLE else None
            if asked is None:
                return found
            one = Struct((("id", asked),), raw)
            return one if ctx.failed else Changed(one, found)

        return decode

    def prefetch(self, scope: Scope, index: int) -> Any:
        def keep(ctx: Context) -> None:
            data = ctx.memory.read(ctx.args[index], 8)
            if isinstance(data, bytes):
                ctx.saved[self] = LSM_ID.make(int.from_bytes(data, "little"))

        return keep

    def fetches(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        entry, late = planning.at_entry(), planning.at_exit()
        return (
            Fetch(at, entry.phase, Length(From.CONST, 8), 8),
            Fetch(at, late.phase, Length(From.CONST, _MOST), _MOST),
        )


def _contexts(ctx: Context, address: int) -> Value:
    if not address or ctx.failed:
        return Address(address)
    data = ctx.memory.read_some(address, _MOST)
    if not isinstance(data, bytes):
        return unreadable(address, data)
    items: list[Value] = []
    start = 0
    while len(items) < ctx.ret and len(data) >= start + _HEAD.size:
        one = data[start:]
        items.append(_context(ctx, one))
        start += _HEAD.unpack_from(one)[2] or _HEAD.size
    more = len(items) < ctx.ret
    return Array(tuple(items), address, more, brief=ctx.string_bytes)
