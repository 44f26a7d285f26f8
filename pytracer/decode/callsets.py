"""Sets of system calls, in strace's words.

Source: strace(1), -e trace=.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from pytracer.event.abi import Abi


class BadCallSet(ValueError):
    """What was given describes no set of calls.

    ``text``: why, in strace's words. ``hint``: whether strace also points to its usage.
    """

    def __init__(self, text: str, *, hint: bool = False) -> None:
        super().__init__(text)
        self.text = text
        self.hint = hint


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


def read(text: str) -> CallSet:
    """Read a set of system calls.

    Errors: BadCallSet, for what is no call, class or expression.
    """
    body, inverted = negation(text)
    if body == "none":
        return CallSet(inverted=inverted)
    if body == "all":
        return CallSet(inverted=not inverted)
    tokens = [token for token in body.split(",") if token]
    if not tokens:
        raise BadCallSet(f"invalid system call '{text}'")
    listed: dict[Abi, set[int]] = {abi: set() for abi in Abi}
    for token in tokens:
        _add(token, listed)
    return CallSet({abi: frozenset(found) for abi, found in listed.items()}, inverted)


def negation(text: str) -> tuple[str, bool]:
    """Split an expression into what is listed and whether it is negated."""
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
            raise BadCallSet(
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
        raise BadCallSet(f"invalid system call '{token}'")


def _matcher(name: str) -> Callable[[Abi], set[int]]:
    if name[:1].isdigit():
        number = int(name) if name.isascii() and name.isdigit() and len(name) < 20 else -1
        return lambda abi: {number} & _names(abi).keys()
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
        raise BadCallSet(f"regcomp: {text}: {words.value.decode()}")
    return lambda name: not libc.regexec(compiled, name.encode(), 0, None, 0)
