"""Set two accounts of a program side by side and tell where they differ."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.differential.accepted import equal, expected
from tests.differential.lines import Stream, name_of
from tests.differential.normalise import normaliser, pid_names
from tests.differential.run import Trace

_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_PADDING = re.compile(r"(?<=[)>]) += (?=\S)")


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A line that differs; None on the side where there is no such line."""

    name: str
    stream: str
    number: int
    wanted: str | None
    actual: str | None


@dataclass(slots=True)
class Report:
    """What a comparison found. ``compared`` counts the lines of the first trace."""

    compared: int = 0
    mismatches: list[Mismatch] = field(default_factory=list)
    status: tuple[int, int] = (0, 0)

    def __bool__(self) -> bool:
        return not self.mismatches and self.status[0] == self.status[1]

    def text(self, per_name: int = 5, width: int = 600) -> str:
        """Say what differs, grouped by system call, the most frequent first."""
        by_name: dict[str, list[Mismatch]] = {}
        for mismatch in self.mismatches:
            by_name.setdefault(mismatch.name, []).append(mismatch)
        out = []
        for name, found in sorted(by_name.items(), key=lambda item: -len(item[1])):
            out.append(f"== {name}: {len(found)} of {self.compared} lines differ")
            for mismatch in found[:per_name]:
                out.append(f"   [{mismatch.stream}:{mismatch.number}]")
                for sign, side in (("-", mismatch.wanted), ("+", mismatch.actual)):
                    if side is not None:
                        out.append(f"  {sign} {side[:width]}")
            if len(found) > per_name:
                out.append(f"   ... and {len(found) - per_name} more")
        if self.status[0] != self.status[1]:
            out.append(f"== exit status: {self.status[0]} against {self.status[1]}")
        if not self.mismatches:
            out.append(f"equal: {self.compared} lines")
        return "\n".join(out)


@dataclass(slots=True)
class _Side:
    """A stream made ready: the names to align by, the texts to compare.

    ``shifted``: what stands before the "=" was joined or hidden, so its column tells nothing.
    """

    names: list[str]
    texts: list[str]
    shifted: list[bool]


Hide = Callable[[int, str, str], str]


def _head(text: str) -> str:
    parts = _PADDING.split(text)
    return text[: -len(parts[-1])] if len(parts) > 1 else ""


def _ready(stream: Stream | None, hide: Hide | None, column: int, rewrite: bool) -> _Side:
    side = _Side([], [], [])
    for index, line in enumerate(stream.lines if stream else ()):
        name = name_of(line.text)
        text = expected(line.text, name, column) if rewrite else line.text
        side.names.append(name)
        hidden = hide(index, name, text) if hide else text
        side.texts.append(hidden)
        side.shifted.append(line.stitched or _head(hidden) != _head(text))
    return side


def _align(first: Sequence[str], second: Sequence[str]) -> list[tuple[int | None, int | None]]:
    """Pair two sequences of names, as diff(1) does: quickly, however long they are."""
    if list(first) == list(second):
        return [(index, index) for index in range(len(first))]
    with tempfile.TemporaryDirectory(prefix="pytracer-align-") as name:
        paths = []
        for side, names in (("a", first), ("b", second)):
            path = Path(name) / side
            path.write_text("".join(f"{item}\n" for item in names), errors="surrogateescape")
            paths.append(str(path))
        done = subprocess.run(
            ["diff", "-U0", "--speed-large-files", *paths],
            capture_output=True, text=True, timeout=60, check=False, errors="surrogateescape",
        )  # fmt: skip
    pairs: list[tuple[int | None, int | None]] = []
    at, bt = 0, 0
    for hunk in _HUNK.finditer(done.stdout):
        a_count = int(hunk[2]) if hunk[2] is not None else 1
        b_count = int(hunk[4]) if hunk[4] is not None else 1
        # With a count of 0, diff names the line before the gap.
        a_start = int(hunk[1]) - (1 if a_count else 0)
        while at < a_start:
            pairs.append((at, bt))
            at, bt = at + 1, bt + 1
        pairs += [(at + step, None) for step in range(a_count)]
        pairs += [(None, bt + step) for step in range(b_count)]
        at, bt = at + a_count, bt + b_count
    while at < len(first):
        pairs.append((at, bt))
        at, bt = at + 1, bt + 1
    return pairs


def _same(wanted: str, actual: str, loosely: bool) -> bool:
    if equal(wanted, actual):
        return True
    return loosely and equal(_PADDING.sub(" = ", wanted), _PADDING.sub(" = ", actual))


def _compare_streams(key: str, first: _Side, second: _Side, report: Report) -> None:
    report.compared += len(first.texts)
    for a, b in _align(first.names, second.names):
        if a is not None and b is not None:
            loosely = first.shifted[a] or second.shifted[b]
            if _same(first.texts[a], second.texts[b], loosely):
                continue
        name = first.names[a] if a is not None else second.names[b or 0]
        report.mismatches.append(
            Mismatch(
                name=name,
                stream=key,
                number=(a if a is not None else b or 0) + 1,
                wanted=first.texts[a] if a is not None else None,
                actual=second.texts[b] if b is not None else None,
            )
        )


def compare(first: Trace, second: Trace, rewrite: bool, column: int = 40) -> Report:
    """Compare two runs, stream by stream; ``rewrite`` turns the first into strace 7.2's words."""
    report = Report(status=(first.status, second.status))
    hides = [
        {key: normaliser(pid_names(trace.pids, trace.tracer), key == "0") for key in trace.pids}
        for trace in (first, second)
    ]
    for key in sorted({*first.streams, *second.streams}):
        sides = [
            _ready(trace.streams.get(key), hide.get(key), column, rewrite and side == 0)
            for side, (trace, hide) in enumerate(zip((first, second), hides, strict=True))
        ]
        _compare_streams(key, sides[0], sides[1], report)
    return report


def compare_same_run(first: Trace, second: Trace, rewrite: bool, column: int = 40) -> Report:
    """Compare two accounts of one run, with nothing hidden.

    The second tracer watched the first: its account of the program begins before the first
    line of the other, with what the tracer's child did to be traced.
    """
    report = Report(status=(first.status, second.status))
    for key in sorted(first.streams):
        wanted = _ready(first.streams[key], None, column, rewrite)
        actual = _ready(second.streams.get(key), None, column, False)
        if key == "0" and wanted.texts:
            begin = next(
                (at for at, text in enumerate(actual.texts) if equal(wanted.texts[0], text)), None
            )
            if begin is None:
                begin = actual.names.index("execve") if "execve" in actual.names else 0
            actual = _Side(actual.names[begin:], actual.texts[begin:], actual.shifted[begin:])
        _compare_streams(key, wanted, actual, report)
    return report
