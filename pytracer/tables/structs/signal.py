"""Signals: their numbers, sets of them, and what is to be done about them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from pytracer.spec.aggregate import StructOf
from pytracer.spec.context import Context, Decode
from pytracer.spec.plan import At, Fetch, From, Length, Planning
from pytracer.spec.pointer import Pointee, named_length, unreadable
from pytracer.spec.scalar import FlagSet, Number, Pointer, Scalar
from pytracer.spec.type import AnyBit, DecodeAt, Scope
from pytracer.spec.values import Address, Base, Set, Symbol, Value
from pytracer.tables.constants.signals import (
    SA_FLAGS,
    SA_RESTORER,
    SIG_HANDLERS,
    SIGNALS,
    SIGRTMAX,
    SIGRTMIN,
    SS_FLAGS,
)

SIGSET_BYTES = 8  # _NSIG / 8, arch/x86/include/uapi/asm/signal.h
# From this many of 32 signals on, those that are missing are listed.
_MANY_OF_32 = 32 * 2 // 3


def signal_name(number: int) -> str | None:
    """The name of a signal: SIGTERM, SIGRTMIN, SIGRT_1; None for a number that is no signal."""
    name = SIGNALS.name_of(number)
    if name is None and SIGRTMIN <= number <= SIGRTMAX:
        return f"SIGRT_{number - SIGRTMIN}" if number > SIGRTMIN else "SIGRTMIN"
    return name


class SignalNumber(Scalar):
    """A signal."""

    def __init__(self, ctype: str = "int") -> None:
        super().__init__(ctype)

    def make(self, number: int) -> Value:
        return Symbol(number, signal_name(number), "", Base.DEC)


@lru_cache(maxsize=1024)
def signal_set(mask: bytes) -> Set:
    """The set of signals that a mask stands for; when most are in it, those that are not.

    Shape: four or eight bytes, little-endian, signal 1 in the lowest bit.
    """
    bits = len(mask) * 8
    value = int.from_bytes(mask, "little")
    inverted = value.bit_count() >= len(mask) // 4 * _MANY_OF_32
    if inverted:
        value ^= (1 << bits) - 1
    numbers = tuple(n for n in range(1, bits + 1) if value >> n - 1 & 1)
    names = tuple((signal_name(n) or str(n)).removeprefix("SIG") for n in numbers)
    return Set(names, inverted, 0, numbers)


class SigSet(Scalar):
    """A set of signals held in a number."""

    def __init__(self, ctype: str = "u64") -> None:
        super().__init__(ctype)

    def bind(self, scope: Scope) -> Decode:
        size, _, _ = self.measure(scope.abi)
        number = self.number(scope.abi)
        mask = (1 << size * 8) - 1
        return lambda ctx, raw, frame: signal_set((number(raw) & mask).to_bytes(size, "little"))


class SigSetAt(Pointee):
    """A set of signals in memory. ``size``: the sibling that holds its length in bytes.

    A length that no kernel accepts leaves the address: ``least`` is the smallest (0: a word).
    """

    def __init__(self, size: str | int, least: int = 0) -> None:
        self.size = size
        self.least = least

    def bind_at(self, scope: Scope) -> DecodeAt:
        length = scope.number(self.size)
        least = self.least or scope.abi.word

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            size = length(ctx, frame)
            if not address or not least <= size <= SIGSET_BYTES:
                return Address(address)
            data = ctx.memory.read(address, size)
            if not isinstance(data, bytes):
                return unreadable(address, data)
            found = signal_set(data.ljust(-(-size // 4) * 4, b"\0"))
            return Set(found.items, found.inverted, address, found.numbers)

        return decode_at

    def fetches_at(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        length = named_length(self.size, planning) or Length(From.CONST, SIGSET_BYTES)
        return (Fetch(at, planning.phase, length, SIGSET_BYTES, False, planning.always),)


class OldSigSetAt(SigSetAt):
    """A set of signals of one word: those of the calls without rt_."""

    def __init__(self) -> None:
        super().__init__(0)

    def bind_at(self, scope: Scope) -> DecodeAt:
        return SigSetAt(scope.abi.word).bind_at(scope)

    def fetches_at(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        return SigSetAt(planning.abi.word).fetches_at(at, planning)


class Handler(Scalar):
    """What handles a signal: a function's address, SIG_DFL or SIG_IGN."""

    def __init__(self) -> None:
        super().__init__("ptr")

    def bind(self, scope: Scope) -> Decode:
        number = self.number(scope.abi)
        # SIG_ERR is known in its 64-bit form only.
        unsigned = {value & (1 << 64) - 1: name for value, name in SIG_HANDLERS.entries}
        named = {value: Symbol(value, name) for value, name in unsigned.items()}

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Value:
            handler = number(raw)
            return named.get(handler) or Address(handler)

        return decode


def _sigaction(mask: SigSet) -> dict[str, Any]:
    return {
        "sa_handler": Handler(),
        "sa_flags": FlagSet(SA_FLAGS, "ulong"),
        "sa_restorer": Pointer().when(AnyBit("sa_flags", SA_RESTORER)),
        "sa_mask": mask,
    }


SHOWN_SIGACTION = ("sa_handler", "sa_mask", "sa_flags", "sa_restorer")

# struct sigaction as the kernel has it, include/linux/signal_types.h
SIGACTION = StructOf(order=SHOWN_SIGACTION, **_sigaction(SigSet()))
# struct compat_old_sigaction, include/linux/compat.h
OLD_SIGACTION = StructOf(
    order=SHOWN_SIGACTION,
    sa_handler=Handler(),
    sa_mask=SigSet("ulong"),
    sa_flags=FlagSet(SA_FLAGS, "ulong"),
    sa_restorer=Pointer().when(AnyBit("sa_flags", SA_RESTORER)),
)
STACK_T = StructOf(
    ss_sp=Pointer(),
    ss_flags=FlagSet(SS_FLAGS),
    ss_size=Number("ulong"),
)
