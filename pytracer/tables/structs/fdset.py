"""The descriptor sets of select, and what it says of them when it returns."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, TypeAlias

from pytracer.spec.abi import Layout
from pytracer.spec.aggregate import StructOf
from pytracer.spec.context import Context, Decode
from pytracer.spec.plan import At, AtOffset, AtRegister, Fetch, Numbers, Planning
from pytracer.spec.pointer import Pointee, unreadable
from pytracer.spec.returns import Result, Returns
from pytracer.spec.scalar import Fd
from pytracer.spec.type import DecodeAt, Scope
from pytracer.spec.values import Address, Descriptor, Integer, Joined, Phrase, Set, Value

NFDS_MAX = 1024 * 1024
# Bytes of a set that a capture brings: 8192 descriptors.
CAPTURED_BYTES = 1024
# Characters of a remark after which strace lists no more descriptors.
REMARK_LIMIT = 998


def _set_bytes(nfds: int, abi: Layout) -> int:
    """The bytes of a set of so many descriptors: whole words."""
    word = abi.word
    return -(-min(max(nfds, 0), NFDS_MAX) // (8 * word)) * word


_BITS = tuple(tuple(bit for bit in range(8) if byte >> bit & 1) for byte in range(256))


def _members(data: bytes, nfds: int) -> list[int]:
    found = []
    for at, byte in enumerate(data):
        if byte:
            found += [at * 8 + bit for bit in _BITS[byte]]
    while found and found[-1] >= nfds:
        found.pop()
    return found


def _fetch(at: At, planning: Planning) -> tuple[Fetch, ...]:
    length = planning.length("nfds", 8)
    assert length is not None
    members = planning.describe(AtOffset(0), Numbers.SET, planning.length("nfds"))
    return (
        Fetch(at, planning.phase, length, CAPTURED_BYTES, always=planning.always, inside=members),
    )


_Told: TypeAlias = tuple[Value, Value | None]


class FdSet(Pointee):
    """A set of descriptors below ``nfds``, one bit each."""

    def bind_at(self, scope: Scope) -> DecodeAt:
        number = scope.number("nfds")
        abi = scope.abi
        decode_fd: Decode = Fd().bind(scope)

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            nfds = number(ctx, frame)
            size = _set_bytes(nfds, abi)
            if not address or not size:
                return Address(address)
            data = ctx.memory.read(address, size)
            if not isinstance(data, bytes):
                return unreadable(address, data)
            found = _members(data, nfds)
            members: tuple[Descriptor, ...] = ()
            if ctx.descriptors is not None:
                members = tuple(decode_fd(ctx, fd, frame) for fd in found)
            return Set(tuple(map(str, found)), False, address, (), members)

        return decode_at

    def fetches_at(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        return _fetch(at, planning)


class Ready(Returns):
    """How many descriptors are ready; which ones, and how much time is left of ``timeout``."""

    _SETS = (("readfds", "in"), ("writefds", "out"), ("exceptfds", "except"))

    def __init__(self, timeout: StructOf) -> None:
        self.timeout = timeout

    def bind(self, scope: Scope) -> Result:
        tell = self.teller(scope)
        return lambda ctx: tell(ctx, ctx.args)

    def teller(self, scope: Scope) -> Callable[[Context, tuple[Any, ...]], _Told]:
        """Compile to a decoder of the result of a call with these arguments."""
        number = scope.number("nfds")
        sets = [(scope.number(name), word) for name, word in self._SETS]
        timeout = scope.number("timeout")
        decode_time = self.timeout.bind_at(scope)
        abi = scope.abi

        def tell(ctx: Context, args: tuple[Any, ...]) -> _Told:
            ret = ctx.ret
            if not ret:
                return Integer(0), Phrase("Timeout")
            nfds = number(ctx, args)
            size = _set_bytes(nfds, abi)
            found = []
            for address, word in sets:
                at = address(ctx, args)
                data = ctx.memory.read(at, size) if at and size else None
                if isinstance(data, bytes):
                    found.append((word, _members(data, nfds)))
            parts = _listed(found, ret)
            at = timeout(ctx, args)
            if at:
                parts.append(Joined((Phrase("left"), decode_time(ctx, at, args)), " "))
            return Integer(ret), Joined(tuple(parts), ", ")

        return tell

    def fetches(self, planning: Planning) -> tuple[Fetch, ...]:
        sets = [f for i in (1, 2, 3) for f in _fetch(AtRegister(i), planning)]
        return (*sets, *self.timeout.fetches_at(AtRegister(4), planning))


def _listed(found: list[tuple[str, list[int]]], left: int) -> list[Value]:
    """The ready descriptors of each set, ``left`` in all, as many as strace has room for."""
    parts: list[Value] = []
    length = 0
    for word, members in found:
        shown: list[str] = []
        for fd in members[: max(left, 0)]:
            if length > REMARK_LIMIT - 2 * bool(parts):
                break
            shown.append(str(fd))
            length += len(shown[-1]) + (1 if shown[1:] else len(word) + 2)
        left -= len(members)
        if shown:
            parts.append(Joined((Phrase(word), Set(tuple(shown))), " "))
            length += 2
    return parts


class OldReady(Ready):
    """The same for the first select of i386, whose arguments ``block`` lie in memory."""

    def __init__(self, timeout: StructOf, block: StructOf) -> None:
        super().__init__(timeout)
        self.block = block

    def bind(self, scope: Scope) -> Result:
        placed, size, _ = self.block.place(scope.abi)
        unpack = struct.Struct(self.block.format(scope.abi)).unpack
        tell = self.teller(scope.within({f.name: (i, f.kind) for i, f in enumerate(placed)}))

        def result(ctx: Context) -> _Told:
            data = ctx.memory.read(ctx.args[0], size)
            if not isinstance(data, bytes):
                return Integer(ctx.ret), None
            return tell(ctx, unpack(data))

        return result

    def fetches(self, planning: Planning) -> tuple[Fetch, ...]:
        return self.block.fetches_at(AtRegister(0), planning)
