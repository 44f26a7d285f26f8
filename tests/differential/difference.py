"""A difference between two releases of strace, as the rewriting of a line: see accepted.py."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

Replacement = Callable[[re.Match[str]], str]


@dataclass(frozen=True, slots=True)
class Difference:
    """A rewriting of one line. ``only``: the names of the lines it is for; empty for all."""

    reason: str
    pattern: re.Pattern[str]
    replacement: Replacement
    only: frozenset[str]


def differs(reason: str, pattern: str, replacement: str | Replacement, *only: str) -> Difference:
    if isinstance(replacement, str):
        replacement = _template(replacement)
    return Difference(reason, re.compile(pattern), replacement, frozenset(only))


def _template(text: str) -> Replacement:
    r"""Make a replacement of text in which \1 to \9 stand for groups and all else for itself."""

    def fill(match: re.Match[str]) -> str:
        return re.sub(r"\\([1-9])", lambda group: match[int(group[1])] or "", text)

    return fill
