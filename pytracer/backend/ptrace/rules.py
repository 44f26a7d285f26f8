"""What becomes of each system call, looked up once by what the registers say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from pytracer.backend.ptrace import api
from pytracer.event.schema import FRAME_CALLS, Abi
from pytracer.target.selection import LISTED

# Whether a call's task must be held at its entry, and at its exit.
Holds: TypeAlias = Callable[[Abi, int], tuple[bool, bool]]

_ABIS: Final = {api.ARCH_X86_64: Abi.X86_64, api.ARCH_I386: Abi.I386}
_NO_NUMBER: Final = (1 << 64) - 1
# A target can ask for any number it likes: what was learnt is forgotten beyond so many.
_MOST_RULES: Final = 4096


class Rule:
    """How the stops of one call are dealt with.

    ``nr`` is without the x32 bit, -1 for none. ``hold_entry``, ``hold_exit``: the task
    stays stopped while the consumer has the event. ``frame``: the first argument is the
    stack pointer (FRAME_CALLS).
    """

    __slots__ = ("abi", "frame", "hold_entry", "hold_exit", "nr", "wanted")

    def __init__(self, abi: Abi, nr: int, wanted: bool, holds: tuple[bool, bool]) -> None:
        self.abi = abi
        self.nr = nr
        self.wanted = wanted
        self.hold_entry, self.hold_exit = holds
        self.frame = (abi, nr) in FRAME_CALLS


class Rules:
    """Rules by architecture and raw number, made when first met."""

    def __init__(self, wanted: dict[Abi, frozenset[int]] | None, holds: Holds | None) -> None:
        self.known: dict[int, dict[int, Rule]] = {arch: {} for arch in _ABIS}
        self._wanted = wanted
        self._holds = holds

    def learn(self, arch: int, raw: int) -> Rule:
        """Make the rule of a call that was not met before."""
        abi, nr = _ABIS[arch], raw
        if raw == _NO_NUMBER:
            nr = -1
        elif abi is Abi.X86_64 and raw & api.X32_BIT:
            abi, nr = Abi.X32, raw & ~api.X32_BIT
        wanted = self._wanted
        shown = wanted is None or not 0 <= nr < LISTED or nr in wanted.get(abi, ())
        holds = (True, True) if self._holds is None else self._holds(abi, nr)
        known = self.known[arch]
        if len(known) >= _MOST_RULES:
            known.clear()
        rule = known[raw] = Rule(abi, nr, shown, holds)
        return rule
