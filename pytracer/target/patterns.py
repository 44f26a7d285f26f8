"""Patterns of command names, as an automaton that the kernel can run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

# Source: TASK_COMM_LEN, include/linux/sched.h, less the NUL.
COMM_BYTES: Final = 15
STATES: Final = 64
_EVERY: Final = frozenset(range(1, 256))


class BadPattern(Exception):
    """A pattern cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Automaton:
    """Up to 64 states, a bit each: those that a name can be in after some of its letters.

    ``begins``: before the first. ``stays``: any letter leaves the state as it is, too.
    ``ends``: the name fits if it is in one of them after its last letter. ``accepts``: for each
    letter, the states from which it leads to the next.
    """

    begins: int
    stays: int
    ends: int
    accepts: tuple[int, ...]

    def fits(self, name: bytes) -> bool:
        """Whether a name fits a pattern: what the kernel's program computes."""
        states = self.begins
        for letter in name:
            states = (states & self.accepts[letter]) << 1 | states & self.stays
        return bool(states & self.ends)


def compile_patterns(patterns: Sequence[str]) -> Automaton:
    """Compile glob patterns: ``*``, ``?``, ``[seq]`` and ``[!seq]``, as in a shell.

    Errors: BadPattern.
    """
    begins = stays = ends = at = 0
    accepts = [0] * 256
    for pattern in patterns:
        begins |= 1 << at
        first = at
        for letters in _elements(pattern):
            if letters is None:
                stays |= 1 << at
                continue
            for letter in letters:
                accepts[letter] |= 1 << at
            at += 1
        if at - first > COMM_BYTES:
            raise BadPattern(
                f"'{pattern}' can match nothing: a command name has at most {COMM_BYTES} bytes"
            )
        ends |= 1 << at
        at += 1
        if at > STATES:
            raise BadPattern(f"the patterns are too long together: {STATES} letters are the most")
    return Automaton(begins, stays, ends, tuple(accepts))


def _elements(pattern: str) -> Iterator[frozenset[int] | None]:
    """The letters that fit at each place; None for any number of any letters."""
    data = pattern.encode("utf-8", "surrogateescape")
    if not data:
        raise BadPattern("a pattern cannot be empty")
    at = 0
    while at < len(data):
        letter = data[at : at + 1]
        at += 1
        if letter == b"*":
            yield None
        elif letter == b"?":
            yield _EVERY
        elif letter == b"[" and (end := _closing(data, at)):
            yield _set(data[at:end])
            at = end + 1
        else:
            yield frozenset(letter)


def _closing(data: bytes, at: int) -> int:
    """Where a set's bracket closes; 0 when it does not, and the opening one means itself."""
    start = at + 1 if data[at : at + 1] == b"!" else at
    # The first letter of a set may be a closing bracket.
    return max(0, data.find(b"]", start + 1))


def _set(inside: bytes) -> frozenset[int]:
    negated = inside[:1] == b"!"
    inside = inside[1:] if negated else inside
    found: set[int] = set()
    at = 0
    while at < len(inside):
        if inside[at + 1 : at + 2] == b"-" and at + 2 < len(inside):
            found.update(range(inside[at], inside[at + 2] + 1))
            at += 3
        else:
            found.add(inside[at])
            at += 1
    return _EVERY - found if negated else frozenset(found)
