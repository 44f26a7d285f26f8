"""One system call that stands for many: the kernel finds out which by its first argument."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, TypeAlias

from pytracer.spec.abi import Layout
from pytracer.spec.context import Context
from pytracer.spec.entry import Compiled, Entry, Selector, Target
from pytracer.spec.plan import AtOffset, AtRegister, AtResult, Fetch, From, Length, Phase
from pytracer.spec.returns import Count
from pytracer.spec.type import Type

Registers: TypeAlias = tuple[int, ...]
# How much is captured in case that a descriptor is a netlink socket, where that cannot be told.
_MAYBE_NETLINK: Final = 1024


class Multiplexed(Entry):
    """A call whose first argument, under ``mask``, is the number of one of ``calls``.

    The arguments of that one are the registers that follow or, ``in_memory``, lie where the second
    one points. Where the number means nothing or the memory cannot be read, it is shown as
    it is, by its own ``args``.
    """

    def __init__(
        self,
        name: str,
        args: dict[str, Type],
        calls: Mapping[int, Entry],
        abi: Layout,
        *,
        in_memory: bool,
        mask: int = 0xFFFFFFFF,
        classes: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(name, args, Count(), classes, frozenset({abi.index}), None)
        self.calls = calls
        self.in_memory = in_memory
        self.mask = mask

    def compile(self, abi: Layout) -> Compiled:
        """Compile the call's own form, and the way to the calls that it stands for."""
        compiled: dict[int, Compiled] = {}
        word, mask = abi.word, self.mask

        def redirect(ctx: Context) -> Target | None:
            number = ctx.args[0] & mask
            entry = self.calls.get(number)
            if entry is None:
                return None
            args: Registers = (*ctx.args[1:], 0)
            if self.in_memory:
                size = _registers(entry, abi) * word
                data = ctx.memory.read(ctx.args[1], size)
                if not isinstance(data, bytes):
                    return None
                args = tuple(
                    int.from_bytes(data[i : i + word], "little") for i in range(0, size, word)
                )
                args += (0,) * (6 - len(args))
            if number not in compiled:
                compiled[number] = entry.compile(abi)
            return compiled[number], args

        return replace(super().compile(abi), redirect=redirect)

    def selector(self, abi: Layout) -> Selector | None:
        return Selector(0, self.mask, tuple(sorted(self.calls)))

    def fetches(
        self,
        abi: Layout,
        string_bytes: int,
        whole: bool,
        selected: int | None = None,
        descriptors: bool = False,
    ) -> tuple[Fetch, ...]:
        entry = self.calls.get(selected) if selected is not None else None
        if entry is None:
            return super().fetches(abi, string_bytes, whole, None, descriptors)
        inner = entry.selector(abi)
        # What is selected by another argument than the first is not told apart: all of it is read.
        found: dict[Fetch, None] = {}
        for value in (None, *(inner.values if inner is not None else ())):
            fetches = entry.fetches(abi, string_bytes, whole, value, descriptors)
            found.update(dict.fromkeys(fetches))
        if not self.in_memory:
            return tuple(_shifted(fetch) for fetch in found)
        size = _registers(entry, abi) * abi.word
        roots = [Fetch(AtRegister(1), Phase.ENTRY, Length(From.CONST, size), size)]
        moving = [fetch for fetch in found if isinstance(fetch.at, AtRegister)]
        for phase, always in dict.fromkeys((f.phase, f.always) for f in moving):
            inside = tuple(
                _moved(f, abi.word) for f in moving if (f.phase, f.always) == (phase, always)
            )
            roots.append(replace(roots[0], phase=phase, always=always, inside=inside))
        return (*roots, *(fetch for fetch in found if isinstance(fetch.at, AtResult)))


def _registers(entry: Entry, abi: Layout) -> int:
    return sum(kind.registers(abi) for kind in entry.args.values())


def _shifted(fetch: Fetch) -> Fetch:
    """The same fetch where each argument is one register further on."""
    length, at = fetch.length, fetch.at
    if length.source is From.REGISTER:
        length = replace(length, value=length.value + 1)
    if isinstance(at, AtRegister):
        at = AtRegister(at.index + 1)
    return replace(fetch, at=at, length=length, inside=tuple(map(_shifted, fetch.inside)))


def _moved(fetch: Fetch, word: int) -> Fetch:
    """The same fetch where the arguments are words of a block."""
    assert isinstance(fetch.at, AtRegister)
    length = fetch.length
    if length.source is From.REGISTER:
        width = min(length.width, word) or word
        length = Length(From.PARENT, length.value * word, length.unit, width)
    inside = tuple(_out_of_reach(inner) for inner in fetch.inside)
    moved = replace(fetch, at=AtOffset(fetch.at.index * word), length=length, inside=inside)
    return _without_socket(moved)


def _out_of_reach(fetch: Fetch) -> Fetch:
    """A fetch from which the arguments cannot be reached: it takes all that it may."""
    length = fetch.length
    if length.source is From.REGISTER:
        length = Length(From.CONST, fetch.limit)
    inside = tuple(map(_out_of_reach, fetch.inside))
    return _without_socket(replace(fetch, length=length, inside=inside))


def _without_socket(fetch: Fetch) -> Fetch:
    limit = max(fetch.limit, min(fetch.netlink, _MAYBE_NETLINK))
    return replace(fetch, limit=limit, netlink=0)
