"""The sets that ``-e`` and its long forms describe: of calls, signals, statuses and others.

Source: strace(1), -e trace= and its kin.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from typing import Final, TypeVar

from pytracer.cli.messages import Failure
from pytracer.cli.numerals import unsigned
from pytracer.event.abi import Abi

PERSONALITIES: Final = {"64": Abi.X86_64, "32": Abi.I386, "x32": Abi.X32}

# Class -> group of the tables' entries; None stands for all calls.
CLASSES: Final[Mapping[str, str | None]] = {
    "%desc": "desc",
    "%file": "file",
    "%memory": "memory",
    "%process": "process",
    "%creds": "creds",
    "%signal": "signal",
    "%ipc": "ipc",
    "%net": "network",
    "%network": "network",
    "%stat": "stat",
    "%lstat": "lstat",
    "%fstat": "fstat",
    "%%stat": "stat_like",
    "%statfs": "statfs",
    "%fstatfs": "fstatfs",
    "%%statfs": "statfs_like",
    "%pure": "pure",
    "%clock": "clock",
    "all": None,
    "desc": "desc",
    "file": "file",
    "memory": "memory",
    "process": "process",
    "signal": "signal",
    "ipc": "ipc",
    "network": "network",
}


@dataclass(frozen=True, slots=True)
class CallSet:
    """Calls by number and ABI: those listed or, when ``inverted``, all but those."""

    listed: Mapping[Abi, frozenset[int]] = field(default_factory=dict)
    inverted: bool = False

    def __contains__(self, call: object) -> bool:
        match call:
            case (Abi() as abi, int() as nr):
                return (nr in self.listed.get(abi, ())) != self.inverted
        return False

    @property
    def everything(self) -> bool:
        """Whether there is no call outside of the set."""
        return self.inverted and not any(self.listed.values())

    @property
    def empty(self) -> bool:
        """Whether no call is in the set."""
        return not self.inverted and not any(self.listed.values())


ALL_CALLS: Final = CallSet(inverted=True)
NO_CALLS: Final = CallSet()


def calls(text: str) -> CallSet:
    """Read a set of system calls.

    Errors: Failure, in strace's words, for what is no call, class or expression.
    """
    body, inverted = _negation(text)
    if body == "none":
        return CallSet(inverted=inverted)
    if body == "all":
        return CallSet(inverted=not inverted)
    tokens = [token for token in body.split(",") if token]
    if not tokens:
        raise Failure(f"invalid system call '{text}'")
    listed: dict[Abi, set[int]] = {abi: set() for abi in Abi}
    for token in tokens:
        _add(token, listed)
    return CallSet({abi: frozenset(found) for abi, found in listed.items()}, inverted)


def _negation(text: str) -> tuple[str, bool]:
    body = text.lstrip("!")
    return body, (len(text) - len(body)) % 2 == 1


def _add(token: str, listed: dict[Abi, set[int]]) -> None:
    name = token.lstrip("?")
    optional = name != token
    abis = list(Abi)
    name, at, designator = name.rpartition("@") if "@" in name else (name, "", "")
    if at:
        abi = PERSONALITIES.get(designator)
        if abi is None:
            raise Failure(
                f"incorrect personality designator '{designator}' in qualification "
                f"'{token.lstrip('?')}'",
                hint=True,
            )
        abis = [abi]
    matches = _matcher(name)
    found = name in CLASSES  # there may be none of a class
    for abi in abis:
        numbers = matches(abi)
        listed[abi] |= numbers
        found = found or bool(numbers)
    if not found and not optional:
        raise Failure(f"invalid system call '{token}'")


def _matcher(name: str) -> Callable[[Abi], set[int]]:
    if name[:1].isdigit():
        number = unsigned(name)
        return lambda abi: {number} & _names(abi).keys() if number is not None else set()
    if name.startswith("/"):
        matches = _regular_expression(name[1:])
        return lambda abi: {nr for nr, known in _names(abi).items() if matches(known)}
    if name in CLASSES:
        group = CLASSES[name]
        return lambda abi: {nr for nr in _names(abi) if group is None or group in _groups(abi, nr)}
    return lambda abi: {nr for nr, known in _names(abi).items() if known == name}


@cache
def _names(abi: Abi) -> dict[int, str]:
    from pytracer.decode.catalogue import numbers

    return {nr: name for nr, (name, _count) in numbers(abi).items()}


def _groups(abi: Abi, nr: int) -> frozenset[str]:
    from pytracer.decode.catalogue import describe

    return describe(abi, nr).classes


# Source: REG_EXTENDED and REG_NOSUB, regex.h of glibc and musl alike; regex_t is smaller than this.
_REG_EXTENDED_NOSUB: Final = 1 | 8
_REGEX_BYTES: Final = 512


def _regular_expression(text: str) -> Callable[[str], bool]:
    # POSIX extended expressions are not Python's: the C library decides, and words the errors.
    libc = ctypes.CDLL(None)
    compiled = ctypes.create_string_buffer(_REGEX_BYTES)
    code = libc.regcomp(compiled, text.encode("utf-8", "surrogateescape"), _REG_EXTENDED_NOSUB)
    if code:
        words = ctypes.create_string_buffer(512)
        libc.regerror(code, compiled, words, len(words))
        raise Failure(f"regcomp: {text}: {words.value.decode()}")
    return lambda name: not libc.regexec(compiled, name.encode(), 0, None, 0)


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
    body, inverted = _negation(text)
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
