"""Colours for text on its way to a terminal (--color).

The text is made without knowing of colours: they are put in as it goes by, which costs nothing
where they are not wanted.

Source: strace 7.2: names of calls yellow, arguments magenta with constants blue and comments cyan,
results green, errors red; punctuation, times and names of fields as the terminal has them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum, auto
from itertools import groupby
from operator import itemgetter
from typing import Final, TypeAlias

from pytracer.output.stream import Sink

_RESET: Final = "\033[0m"
_CALL, _BASE, _SYMBOL, _PLAIN, _COMMENT, _RESULT, _ERROR = 33, 35, 34, 39, 36, 32, 31

# What a line is about. A name is followed by its arguments, or comes back to them.
_START: Final = re.compile(
    r"(?P<ended>\+\+\+ [^\n]*)|(?P<signal>--- [^\n]*)|(?P<frame>^ > [^\n]*)"
    r"|<\.\.\. (?P<resumed>[\w#]+) resumed>|(?P<name>[a-z_][\w#]*)\(|\n",
    re.MULTILINE,
)
_PID: Final = re.compile(r"^\[(pid +\d+[^\]\n]*)\]", re.MULTILINE)
_TOKEN: Final = re.compile(
    r'(?P<string>"(?:[^"\\\n]|\\.)*"(?:\.\.\.)?)'
    # What a descriptor refers to may hold any bracket.
    r"|(?P<about>(?<=[\dD])<(?!<)[^\n]*?>(?=[,)\]}( ]))"
    r"|(?P<comment>/\*.*?\*/)"
    r"|(?P<field>[A-Za-z_]\w*=(?![=>]))"
    r"|(?P<word>[A-Za-z_]\w*(?=\())"
    r"|(?P<symbol>_*[A-Z][A-Za-z0-9_]*(?:\|_*[A-Z][A-Za-z0-9_]*)*)"
    r"|(?P<open>[({\[])|(?P<close>[)}\]])|(?P<line>\n)"
    r"|(?P<gap>, | => )|(?P<other>[\w.+-]+|.)"
)
_OUTCOME: Final = re.compile(
    r"(?P<equals> *= )(?P<value>[^\s]+)?"
    r"(?P<error> [A-Z][A-Z0-9_]+(?: \([^\n]*?\))?)?(?P<rest>[^\n]*)"
)
_NOTE: Final = re.compile(r"^( \(.*\))")
_COLORS: Final = {
    "string": _BASE,
    "about": _BASE,
    "comment": _COMMENT,
    "field": _PLAIN,
    "word": _CALL,
    "symbol": _SYMBOL,
    "open": _BASE,
    "close": _BASE,
    "other": _BASE,
}


class _At(Enum):
    """Where in a line the text has come to."""

    START = auto()
    ARGUMENTS = auto()
    RESULT = auto()


# Pieces of text with their colours, 0 for none.
Painted: TypeAlias = list[tuple[int, str]]


def _join(painted: Painted) -> str:
    """Put colours around the pieces; neighbours of one colour are one piece."""
    parts = []
    for color, pieces in groupby(painted, itemgetter(0)):
        text = "".join(piece for _, piece in pieces)
        parts.append(f"\033[{color}m{text}{_RESET}" if color and text else text)
    return "".join(parts)


class ColorSink:
    """Hands text on to a sink, in colours. A line may come in several pieces."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._at = _At.START
        self._depth = 0
        self._parts: dict[_At, Callable[[str, int, Painted], int]] = {
            _At.START: self._start,
            _At.ARGUMENTS: self._arguments,
            _At.RESULT: self._result,
        }
        self.flush = sink.flush
        self.close = sink.close

    def write(self, text: str, /) -> None:
        """Write all of the text."""
        painted: Painted = []
        at = 0
        while at < len(text):
            at = self._parts[self._at](text, at, painted)
        self._sink.write(_join(painted))

    def _start(self, text: str, at: int, painted: Painted) -> int:
        found = _START.search(text, at)
        lead = text[at : found.start() if found is not None else len(text)]
        pid = _PID.search(lead)
        if pid is not None:
            painted += [(0, "["), (_BASE, pid[1])]
            lead = lead[pid.end(1) :]
        painted.append((0, lead))
        if found is None:
            return len(text)
        whole = found[0]
        match found.lastgroup:
            case "ended":
                painted.append((_BASE, whole))
            case "signal":
                painted += [(_BASE, "--- "), *map(_token, _TOKEN.finditer(whole, 4))]
            case "resumed":
                painted += [(0, "<... "), (_CALL, found["resumed"]), (0, " resumed>")]
                self._at, self._depth = _At.ARGUMENTS, 1
            case "name":
                painted += [(_CALL, found["name"]), (0, "(")]
                self._at, self._depth = _At.ARGUMENTS, 1
            case _:
                painted.append((0, whole))
        return found.end()

    def _arguments(self, text: str, at: int, painted: Painted) -> int:
        while (found := _TOKEN.match(text, at)) is not None:
            at = found.end()
            match found.lastgroup:
                case "line":
                    painted.append((0, "\n"))
                    self._at = _At.START
                    return at
                case "open":
                    self._depth += 1
                case "close":
                    self._depth -= 1
                    if not self._depth:
                        painted.append((0, found[0]))
                        self._at = _At.RESULT
                        return at
                case _:
                    pass
            if text.startswith(("<unfinished ...>", "<detached ...>"), found.start()):
                at = text.index(">", at) + 1
                painted.append((0, text[found.start() : at]))
            else:
                painted.append(_token(found))
        return at

    def _result(self, text: str, at: int, painted: Painted) -> int:
        if text.startswith("\n", at):
            painted.append((0, "\n"))
            self._at = _At.START
            return at + 1
        found = _OUTCOME.match(text, at)
        if found is None:
            end = text.find("\n", at)
            end = len(text) if end < 0 else end
            painted.append((0, text[at:end]))
            return end
        rest = found["rest"]
        note = _NOTE.match(rest)
        noted = note[0] if note is not None else ""
        painted += [
            (0, found["equals"]),
            (_RESULT, found["value"] or ""),
            (_ERROR, found["error"] or ""),
            (_RESULT, noted),
            (0, rest[len(noted) :]),
        ]
        return found.end()


def _token(found: re.Match[str]) -> tuple[int, str]:
    text = found[0]
    return 0 if text.isspace() else _COLORS.get(found.lastgroup or "", 0), text
