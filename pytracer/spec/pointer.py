"""Types of things that lie at an address: strings, buffers, and pointers to anything."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from pytracer.spec.abi import Layout
from pytracer.spec.context import LATER, Context, Decode, Number, was_read
from pytracer.spec.plan import At, Fetch, From, Length, Planning
from pytracer.spec.type import DecodeAt, Scope, Type, Wrapper
from pytracer.spec.values import (
    Address,
    Array,
    Changed,
    Struct,
    Text,
    Unavailable,
    Value,
)

PATH_MAX = 4096  # include/uapi/linux/limits.h
# No buffer is captured beyond this, whatever -s says; it bounds the kernel's record.
CAPTURE_LIMIT = 16384


def unreadable(address: int, answer: Any) -> Value:
    """The value that stands for bytes that were not to be had."""
    return Unavailable(address, answer.reason.value) if address else Address(0)


def read_block(size: int, code: str, decode: Decode) -> DecodeAt:
    """Compile a decoder of the fixed-size value at an address.

    Aggregates keep the address; a number is shown in brackets, as what a pointer points to.
    """
    unpack = struct.Struct("<" + code).unpack

    def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
        if not address:
            return Address(0)
        data = ctx.memory.read(address, size)
        if not isinstance(data, bytes):
            return unreadable(address, data)
        value: Value = decode(ctx, unpack(data)[0], frame)
        if isinstance(value, Struct | Array | Text):
            value.address = address
            return value
        return Array((value,), address)

    return decode_at


class Pointee(Type):
    """Something that only exists behind a pointer. As an argument or field it is that pointer."""

    ctype = "ptr"

    def bind(self, scope: Scope) -> Decode:
        return self.bind_at(scope)

    def bind_at(self, scope: Scope) -> DecodeAt:
        raise NotImplementedError(type(self).__name__)

    def fetches(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        return self.fetches_at(at, planning)

    def fetches_at(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        raise NotImplementedError(type(self).__name__)


class Cstr(Pointee):
    """A NUL-terminated string, shown up to the length of strings that is wanted (-s)."""

    def bind_at(self, scope: Scope) -> DecodeAt:
        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            limit = ctx.string_bytes
            found = ctx.memory.read_cstr(address, limit + 1)
            if not was_read(found):
                return unreadable(address, found)
            data = found.data
            return Text(data[:limit], not found.terminated or len(data) > limit, address)

        return decode_at

    def fetches_at(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        limit = min(planning.string_bytes + 1, CAPTURE_LIMIT)
        return (Fetch(at, planning.phase, Length(From.CONST, limit), limit, True, planning.always),)


class Path(Pointee):
    """The name of a file, shown whole. ``at`` names the descriptor from which it starts, if any.

    ``accessed``: whether the call looks at the file of that name (-P); a symbolic link's text
    is but stored.
    """

    classes = frozenset({"file"})

    def __init__(self, at: str | None = None, accessed: bool = True) -> None:
        self.at = at
        self.accessed = accessed

    def bind_at(self, scope: Scope) -> DecodeAt:
        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            found = ctx.memory.read_cstr(address, PATH_MAX)
            if not was_read(found):
                return unreadable(address, found)
            if found.terminated:
                return Text(found.data, False, address, True)
            return Text(found.data[: PATH_MAX - 1], True, address, True)

        return decode_at

    def fetches_at(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        length = Length(From.CONST, PATH_MAX)
        return (Fetch(at, planning.phase, length, PATH_MAX, True, planning.always),)


def read_buffer(number: Number, path: bool = False, escaped: bool = False) -> DecodeAt:
    """Compile a decoder of a buffer whose length ``number`` gives; a negative one hides it."""

    def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
        if not address:
            return Address(0)
        length = number(ctx, frame)
        if length < 0:
            return Address(address)
        limit = length if path or length <= ctx.string_bytes else ctx.string_bytes
        if not limit:
            return Text(b"", length > 0, address, path, escaped)
        data = ctx.memory.read(address, limit)
        if not isinstance(data, bytes):
            return unreadable(address, data)
        return Text(data, length > limit, address, path, escaped)

    return decode_at


class Bytes(Pointee):
    """A buffer of a length that a sibling, the result or a constant gives.

    ``path``: it holds a file's name, shown whole. ``escaped``: it is shown in hexadecimal
    throughout.
    """

    def __init__(
        self, length: str | int, path: bool = False, escaped: bool = False, unit: int = 1
    ) -> None:
        self.length = length
        self.path = path
        self.escaped = escaped
        self.unit = unit

    def bind_at(self, scope: Scope) -> DecodeAt:
        number = scope.number(self.length)
        unit = self.unit
        if unit != 1:
            return read_buffer(lambda c, f: number(c, f) * unit, self.path, self.escaped)
        return read_buffer(number, self.path, self.escaped)

    def fetches_at(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        limit = PATH_MAX if self.path else min(planning.string_bytes, CAPTURE_LIMIT)
        length = named_length(self.length, planning, self.unit) or Length(From.CONST, limit)
        return (Fetch(at, planning.phase, length, limit, False, planning.always),)


def named_length(name: str | int, planning: Planning, unit: int = 1) -> Length | None:
    """The capture plan's form of a length; None when the kernel program cannot know it."""
    if isinstance(name, int):
        return Length(From.CONST, name * unit)
    if name.startswith("*"):
        return None
    return planning.length(name, unit)


class In(Wrapper):
    """A pointer to what the caller hands in, decoded before the call runs."""

    def __init__(self, inner: Type) -> None:
        super().__init__(inner)
        self.ctype = "ptr"

    def measure(self, abi: Layout) -> tuple[int, int, str]:
        return abi.measure("ptr")

    def registers(self, abi: Layout) -> int:
        return 1

    def number(self, abi: Layout) -> Any:
        return Type.number(self, abi)

    def bind(self, scope: Scope) -> Decode:
        return self.inner.bind_at(scope)

    def fetches(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        return self.inner.fetches_at(at, planning)


class Out(In):
    """A pointer to what the kernel fills in, decoded once the call has returned.

    ``failed``: decode it even if the call failed; otherwise the address alone is shown then.
    """

    def __init__(self, inner: Type, failed: bool = False) -> None:
        super().__init__(inner)
        self.failed = failed

    def bind(self, scope: Scope) -> Decode:
        decode_at = self.inner.bind_at(scope)
        failed = self.failed

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
            if not ctx.exiting:
                return LATER
            if ctx.failed and not failed:
                return Address(raw)
            return decode_at(ctx, raw, frame)

        return decode

    def fetches(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        return self.inner.fetches_at(at, planning.at_exit(self.failed))


class OutIf(Out):
    """Out, decoded only where the result passes a test; otherwise the address alone is shown.

    ``holds`` gets the raw result, errors included.
    """

    def __init__(self, inner: Type, holds: Callable[[int], bool]) -> None:
        super().__init__(inner, failed=True)
        self.holds = holds

    def bind(self, scope: Scope) -> Decode:
        decode_at = self.inner.bind_at(scope)
        holds = self.holds

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
            if not ctx.exiting:
                return LATER
            return decode_at(ctx, raw, frame) if holds(ctx.ret) else Address(raw)

        return decode


class Kept(Wrapper):
    """A value decoded at the entry, although it is shown after what only the exit can tell."""

    def bind(self, scope: Scope) -> Decode:
        decode_now = self.inner.bind(scope)

        def decode(ctx: Context, raw: Any, frame: tuple[Any, ...]) -> Any:
            return ctx.saved[self] if ctx.exiting else decode_now(ctx, raw, frame)

        return decode

    def prefetch(self, scope: Scope, index: int) -> Any:
        decode_now = self.inner.bind(scope)

        def keep(ctx: Context) -> None:
            ctx.saved[self] = decode_now(ctx, ctx.args[index], ctx.args)

        return keep

    def fetches(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        return self.inner.fetches(at, planning.at_entry())


class InOut(In):
    """A pointer to what the kernel reads and overwrites: shown as before => after where it changed.

    If the call failed, only what was handed in is shown, unless ``failed`` says that it writes then
    too.
    """

    def __init__(self, inner: Type, failed: bool = False) -> None:
        super().__init__(inner)
        self.failed = failed

    def bind(self, scope: Scope) -> Decode:
        decode_at = self.inner.bind_at(scope)
        failed = self.failed

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
            if not ctx.exiting:
                return LATER
            before: Value = ctx.saved.get(raw) or Address(raw)
            if (ctx.failed and not failed) or isinstance(before, Address | Unavailable):
                return before
            return merge(before, decode_at(ctx, raw, frame))

        return decode

    def prefetch(self, scope: Scope, index: int) -> Any:
        decode_at = self.inner.bind_at(scope)

        def keep(ctx: Context) -> None:
            raw = ctx.args[index]
            ctx.saved[raw] = decode_at(ctx, raw, ctx.args)

        return keep

    def fetches(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        inner = self.inner
        late = planning.at_exit(self.failed)
        return inner.fetches_at(at, planning.at_entry()) + inner.fetches_at(at, late)


def merge(before: Value, after: Value) -> Value:
    """One value for two moments: itself when nothing changed."""
    match before, after:
        case Array(items=(old,)), Array(items=(new,)):
            if same(old, new):
                return before
            return Array((Changed(old, new),), before.address)
        case _:
            return before if same(before, after) else Changed(before, after)


def same(a: Any, b: Any) -> bool:
    """Whether two values are equal in all their parts."""
    if type(a) is not type(b):
        return False
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if hasattr(a, "__dataclass_fields__"):
        return all(same(getattr(a, f), getattr(b, f)) for f in a.__dataclass_fields__)
    return bool(a == b)
