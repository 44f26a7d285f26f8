"""The sets that ``-e`` and its long forms describe: of calls, signals, statuses and others.

Source: strace(1), -e trace= and its kin.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Final, TypeVar

from pytracer.cli.messages import Failure
from pytracer.cli.numerals import unsigned
from pytracer.decode import callsets
from pytracer.decode.callsets import BadCallSet, CallSet


def calls(text: str) -> CallSet:
    """Read a set of system calls.

    Errors: Failure, in strace's words, for what is no call, class or expression.
    """
    try:
        return callsets.read(text)
    except BadCallSet as error:
        raise Failure(error.text, hint=error.hint) from error


@dataclass(frozen=True, slots=True)
class TokenSet:
    """Numbers: those listed or, when ``inverted``, all but those."""

    listed: frozenset[int] = frozenset()
    inverted: bool = False

    def __contains__(self, number: int) -> bool:
        return (number in self.listed) != self.inverted

    def among(self, numbers: range) -> frozenset[int]:
        """The members out of these numbers."""
        return frozenset(number for number in numbers if number in self)


def tokens(text: str, kind: str, find: Callable[[str], int | None]) -> TokenSet:
    """Read a set of what ``find`` knows by name or number.

    Errors: Failure, ``invalid KIND 'TOKEN'``.
    """
    body, inverted = callsets.negation(text)
    if body == "none":
        return TokenSet(inverted=inverted)
    if body == "all":
        return TokenSet(inverted=not inverted)
    listed = set()
    for token in filter(None, body.split(",")):
        number = find(token)
        if number is None:
            raise Failure(f"invalid {kind} '{token}'")
        listed.add(number)
    if not listed:
        raise Failure(f"invalid {kind} '{text}'")
    return TokenSet(frozenset(listed), inverted)


HIGHEST_SIGNAL: Final = 255


def signals(text: str) -> TokenSet:
    """Read a set of signals: numbers, or names with or without SIG, in any case."""
    return tokens(text, "signal", _signal)


def _signal(token: str) -> int | None:
    if token[0].isdigit():
        return unsigned(token, HIGHEST_SIGNAL)
    name = token.upper()
    return _signal_numbers().get(name.removeprefix("SIG"))


@cache
def _signal_numbers() -> dict[str, int]:
    from pytracer.tables.constants.signals import SIGNALS, SIGRTMAX, SIGRTMIN

    found = {name.removeprefix("SIG"): number for number, name in SIGNALS.entries}
    found["RTMIN"] = SIGRTMIN
    found.update({f"RT_{nr - SIGRTMIN}": nr for nr in range(SIGRTMIN + 1, SIGRTMAX + 1)})
    return found


def descriptors(text: str) -> TokenSet:
    """Read a set of file descriptors."""
    return tokens(text, "descriptor", unsigned)


Word = TypeVar("Word", bound=Enum)


def words(text: str, kind: str, known: Mapping[str, Word]) -> frozenset[Word]:
    """Read a set of words out of a list, in any case."""
    members = list(dict.fromkeys(known.values()))
    numbers = {name: members.index(member) for name, member in known.items()}
    chosen = tokens(text, kind, lambda token: numbers.get(token.lower()))
    return frozenset(member for i, member in enumerate(members) if i in chosen)
