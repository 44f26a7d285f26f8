"""Which description belongs to a system call number, compiled when it is first met."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import replace
from functools import cache

from pytracer.event.schema import Abi
from pytracer.spec.abi import LAYOUTS
from pytracer.spec.entry import BOOK, Book, Compiled, Entry
from pytracer.spec.returns import Count, HexResult
from pytracer.spec.scalar import Hex
from pytracer.tables import FAMILIES
from pytracer.tables.groups import GROUPS
from pytracer.tables.index import INDEX
from pytracer.tables.multiplexers import MULTIPLEXERS

_NUMBERS = {
    Abi.X86_64: "pytracer.tables.numbers.x86_64",
    Abi.I386: "pytracer.tables.numbers.i386",
    Abi.X32: "pytracer.tables.numbers.x32",
}


@cache
def book() -> Book:
    """All descriptions, read once."""
    for family in FAMILIES:
        importlib.import_module(f"pytracer.tables.{family}")
    return BOOK


@cache
def numbers(abi: Abi) -> Mapping[int, tuple[str, int]]:
    """Number -> (name, argument count) of every call that the ABI has."""
    table: Mapping[int, tuple[str, int]] = importlib.import_module(_NUMBERS[abi]).NUMBERS
    return table


@cache
def numbers_by_name(abi: Abi) -> Mapping[str, int]:
    """Name -> number of every call that the ABI has."""
    return {name: nr for nr, (name, _) in numbers(abi).items()}


def with_multiplexers(wanted: Mapping[Abi, frozenset[int]]) -> dict[Abi, frozenset[int]]:
    """Add the calls through which wanted ones may be made (socketcall)."""
    known = numbers_by_name(Abi.I386)
    i386 = wanted[Abi.I386]
    through = {
        known[name]
        for name, calls in MULTIPLEXERS.items()
        if any(known.get(call) in i386 for call in calls.values())
    }
    return {**wanted, Abi.I386: i386 | through}


def name_of(abi: Abi, nr: int) -> str:
    """The name of a call, or ``syscall_0x...`` for a number that no kernel up to ours knows."""
    known = numbers(abi).get(nr)
    if known is not None:
        return known[0]
    # A number that is not even one is shown as wide as the caller's registers.
    return f"syscall_{nr & (0xFFFFFFFFFFFFFFFF if abi is Abi.X86_64 else 0xFFFFFFFF):#x}"


def describe(abi: Abi, nr: int) -> Entry:
    """Find the description of a call; one of raw registers where there is none."""
    known = numbers(abi).get(nr)
    if known is not None:
        entry = _entry(known[0], abi)
        if entry is not None:
            return entry
    return undescribed(abi, nr)


def _entry(name: str, abi: Abi) -> Entry | None:
    # Reading all families takes longer than starting does otherwise: read the one that it is in.
    family = INDEX.get(name)
    if family is not None:
        importlib.import_module(f"pytracer.tables.{family}")
        entry = BOOK.entries.get((name, int(abi)))
        if entry is not None:
            return entry
    return book().entries.get((name, int(abi)))


def undescribed(abi: Abi, nr: int, raw: bool = False) -> Entry:
    """A description that shows every register as it is: unknown calls, and ``raw`` ones (-e raw=),
    whose results are shown so too.
    """
    known = numbers(abi).get(nr)
    name, count = known if known is not None else (name_of(abi, nr), 6)
    args = {f"arg{i + 1}": Hex("kulong") for i in range(count)}
    returns = HexResult() if raw else Count()
    return Entry(name, dict(args), returns, _groups(name), frozenset({int(abi)}), None)


def _groups(name: str) -> frozenset[str]:
    # Numbers of x86_64 that x32 programs may not use are of the group of the call itself.
    plain = name.removesuffix("#64")
    entry = _entry(plain, Abi.X86_64)
    return entry.classes if entry is not None else GROUPS.get(plain, frozenset())


class Catalogue:
    """Compiled descriptions by ABI and number. ``raw``: names of calls to show as raw registers."""

    def __init__(self, raw: frozenset[str] = frozenset()) -> None:
        self.raw = raw
        self._compiled: dict[tuple[int, int], Compiled] = {}

    def find(self, abi: Abi, nr: int) -> Compiled:
        """Find the compiled description of a call."""
        key = abi, nr
        found = self._compiled.get(key)
        if found is None:
            raw = name_of(abi, nr) in self.raw
            entry = undescribed(abi, nr, raw=True) if raw else describe(abi, nr)
            found = entry.compile(LAYOUTS[abi])
            if raw:
                found = replace(found, raw=True)
            self._compiled[key] = found
        return found
