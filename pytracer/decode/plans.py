"""The capture plans of the tables' entries, as a backend that reads memory ahead asks for them."""

from __future__ import annotations

from collections.abc import Iterable

from pytracer.decode.catalogue import describe, numbers
from pytracer.event.schema import Abi
from pytracer.spec.abi import LAYOUTS
from pytracer.spec.entry import Selector
from pytracer.spec.plan import STACK, Fetch, Phase


class TablePlans:
    """Plans for one session.

    ``string_bytes``: the longest string wanted (-s); ``whole``: abbreviated structures are shown
    whole (-v). ``wanted``: numbers per ABI, None for all. ``descriptors``: it is told what
    descriptors refer to. ``stacks``: the caller's stack comes with each call.
    """

    def __init__(
        self,
        string_bytes: int,
        whole: bool,
        wanted: dict[Abi, frozenset[int]] | None = None,
        descriptors: bool = False,
        stacks: bool = False,
    ) -> None:
        self._string_bytes = string_bytes
        self._whole = whole
        self._wanted = wanted
        self.descriptors = descriptors
        self.stacks = stacks

    def numbers(self, abi: Abi) -> Iterable[int]:
        """All numbers that are wanted and have a name."""
        if self._wanted is None:
            return numbers(abi)
        return numbers(abi).keys() & self._wanted[abi]

    def selector(self, abi: Abi, nr: int) -> Selector | None:
        """The argument that the plan of a call depends on."""
        return describe(abi, nr).selector(LAYOUTS[abi])

    def fetches(self, abi: Abi, nr: int, selected: int | None) -> tuple[Fetch, ...]:
        """The plan of a call for one value of the selector; None for the others."""
        entry = describe(abi, nr)
        fetches = entry.fetches(
            LAYOUTS[abi], self._string_bytes, self._whole, selected, self.descriptors
        )
        return STACK + fetches if self.stacks and abi is Abi.X86_64 else fetches

    def phases(self, abi: Abi, nr: int) -> tuple[bool, bool]:
        """Tell whether decoding a call reads memory at its entry, and at its exit."""
        if nr not in numbers(abi):
            return False, False
        selector = self.selector(abi, nr)
        values = (None, *(selector.values if selector is not None else ()))
        fetches = [fetch for value in values for fetch in self.fetches(abi, nr, value)]
        found = {fetch.phase for fetch in fetches}
        return Phase.ENTRY in found, Phase.EXIT in found
