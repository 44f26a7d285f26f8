"""Vectors of buffers: readv, writev, sendmsg, process_vm_readv.

``Vector("iovcnt")`` shows the whole buffers that a call is given, ``Filled("iovcnt")`` as much as
the call filled in, ``Places("iovcnt")`` where they lie and no more.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pytracer.spec.aggregate import ArrayOf, StructOf
from pytracer.spec.context import LATER, Context, Decode, Number
from pytracer.spec.plan import At, Fetch, Planning
from pytracer.spec.pointer import Bytes, read_buffer
from pytracer.spec.scalar import Number as Integer
from pytracer.spec.scalar import Pointer
from pytracer.spec.type import DecodeAt, Scope
from pytracer.spec.values import Value

IOV_MAX = 1024  # UIO_MAXIOV, include/uapi/linux/uio.h

IOVEC = StructOf(iov_base=Bytes(length="iov_len"), iov_len=Integer("ulong"))
IOVEC_PLACE = StructOf(iov_base=Pointer(), iov_len=Integer("ulong"))


class _Left:
    """The key, in what a call keeps, of the bytes that no buffer of a vector has shown yet."""


class Part(Bytes):
    """A buffer, as far as the call filled it."""

    def count(self, scope: Scope) -> Number:
        """Compile how many bytes it holds: asking takes them from what the next ones may hold."""
        whole = scope.number(self.length)

        def left_for(ctx: Context, frame: tuple[Any, ...]) -> int:
            left: int = ctx.saved[_Left]
            length = min(whole(ctx, frame), left)
            ctx.saved[_Left] = left - length
            return length

        return left_for

    def bind_at(self, scope: Scope) -> DecodeAt:
        return read_buffer(self.count(scope))


def Vector(count: str) -> ArrayOf:
    """``count`` buffers, each shown whole: what a call is given to write."""
    return ArrayOf(IOVEC, count)


def Places(count: str) -> ArrayOf:
    """``count`` buffers of which only the addresses are shown."""
    return ArrayOf(IOVEC_PLACE, count)


class Shared(ArrayOf):
    """``count`` buffers that hold, one after the other, as many bytes as ``total`` says.

    ``part`` is the type of one buffer's contents.
    """

    def __init__(self, count: str, total: str, part: Bytes | None = None) -> None:
        base = part or Part(length="iov_len")
        super().__init__(StructOf(iov_base=base, iov_len=Integer("ulong")), count)
        self.total = total

    def filled(self, scope: Scope) -> Number:
        """Compile how many bytes they hold."""
        return scope.number(self.total)

    def bind_at(self, scope: Scope) -> DecodeAt:
        decode_buffers = super().bind_at(scope)
        number = self.filled(scope)

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            ctx.saved[_Left] = number(ctx, frame)
            value: Value = decode_buffers(ctx, address, frame)
            return value

        return decode_at


class Filled(Shared):
    """Buffers that a call has filled.

    A pointer to them is decoded when the call has returned; if it failed,
    only the buffers' addresses are shown.
    """

    def __init__(self, count: str, total: str = "ret", part: Bytes | None = None) -> None:
        super().__init__(count, total, part)
        self.places = Places(count)

    def bind_at(self, scope: Scope) -> DecodeAt:
        filled = super().bind_at(scope)
        places = self.places.bind_at(scope)

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            value: Value = (places if ctx.failed else filled)(ctx, address, frame)
            return value

        return decode_at

    def bind(self, scope: Scope) -> Decode:
        decode_at = self.bind_at(scope)

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
            return decode_at(ctx, raw, frame) if ctx.exiting else LATER

        return decode

    def fetches_at(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        late = planning.at_exit(always=True)
        found = super().fetches_at(at, late)
        if self.total != "ret":
            return found
        return tuple(replace(f, inside=tuple(map(_brought, f.inside))) for f in found)


def _brought(fetch: Fetch) -> Fetch:
    return replace(fetch, length=replace(fetch.length, brought=True))
