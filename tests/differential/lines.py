"""Take strace-style logs apart: into streams, one a task, and lines into their names.

A stream's key tells its place in the tree of processes ("0" is the program, "0.1" its second
child), so that the streams of two runs can be set side by side although their pids differ.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

UNFINISHED = " <unfinished ...>"

_PID_PREFIX = re.compile(r"(?:\[pid +(\d+)\]|(\d+)) +(?=\S)(.*)", re.DOTALL)
_STAMP = r"(?:\d+|\d\d:\d\d:\d\d)(?:\.\d{3,9})? +(?:\(\+ +[\d.]+\) +)?"
_FRAME = r"(?:\[[ \d]+\] )?(?:\[[0-9a-f?]+\] )?"
STAMP = re.compile(rf"^ *{_STAMP}")
_HEAD = re.compile(rf"\s*(?:{_STAMP})?\s*{_FRAME}(.*)", re.DOTALL)
_NAME = re.compile(r"(?:<\.\.\. )?([a-z_0-9]+)(?:\(| resumed>)")
_RESUMED = re.compile(rf"(\s*(?:{_STAMP})?\s*{_FRAME})<\.\.\. ([a-z_0-9]+) resumed>(.*)", re.DOTALL)
_OWN_PID = re.compile(r"\b(?:set_tid_address|gettid|getpid)\(.*\) += (0x[0-9a-f]+|\d+)(?: <|$)")
_CHILD = re.compile(r"--- SIGCHLD \{.*\bsi_pid=(\d+)")
_NEW_TASK = re.compile(
    r"(?:^|\s)(?:<\.\.\. )?(?:clone3?|v?fork)(?:\(| resumed>).* = (0x[0-9a-f]+|\d+)(?: <|$)"
)


@dataclass(slots=True)
class Line:
    """One line of a task, with its parts joined when others had come between.

    ``stitched``: two parts were joined, so the column of the "=" tells nothing.
    """

    text: str
    stitched: bool = False


@dataclass(slots=True)
class Stream:
    """What one task did, in order."""

    key: str
    pid: int
    lines: list[Line] = field(default_factory=list)


def name_of(text: str) -> str:
    """Return what a line is about: a system call's name, a signal's, "exited" or "killed"."""
    head = _HEAD.match(text)
    rest = head[1] if head else text
    if named := _NAME.match(rest):
        return named[1]
    words = rest.split()
    if rest.startswith("--- ") and len(words) > 1:
        return f"--- {words[1]}"
    if rest.startswith("+++ ") and len(words) > 1:
        return f"+++ {words[1]}"
    return words[0] if words else ""


def split_log(text: str) -> dict[int, list[str]]:
    """Split the log of ``-f -o FILE`` by pid."""
    tasks: dict[int, list[str]] = {}
    for raw in text.splitlines():
        prefixed = _PID_PREFIX.match(raw)
        if prefixed:
            tasks.setdefault(int(prefixed[1] or prefixed[2]), []).append(prefixed[3])
        else:
            tasks.setdefault(0, []).append(raw)
    return tasks


def single_log(text: str) -> dict[int, list[str]]:
    """Take a log without pids as that of one task, whose pid is what its own calls say."""
    lines = text.splitlines()
    found = (_OWN_PID.search(line) for line in lines)
    return {next((int(match[1], 0) for match in found if match), 0): lines}


def read_files(prefix: Path) -> dict[int, list[str]]:
    """Read the files PREFIX.PID that ``-ff -o PREFIX`` leaves."""
    return {
        int(path.suffix[1:]): path.read_text(errors="surrogateescape").splitlines()
        for path in sorted(prefix.parent.glob(f"{prefix.name}.*"))
        if path.suffix[1:].isdigit()
    }


def stitch(lines: Iterable[str]) -> list[Line]:
    """Join "name(... <unfinished ...>" with the "<... name resumed>..." that follows it."""
    done: list[Line] = []
    open_at: int | None = None
    for text in lines:
        resumed = _RESUMED.match(text)
        if resumed and open_at is not None:
            begun = done[open_at].text[: -len(UNFINISHED)]
            done[open_at] = Line(begun + resumed[3], stitched=True)
            open_at = None
            continue
        if text.endswith(UNFINISHED):
            open_at = len(done)
        done.append(Line(text))
    return done


def streams_of(tasks: dict[int, list[str]]) -> dict[str, Stream]:
    """Key every task's lines by its place in the tree of processes.

    The root is the first task that no other task made; tasks whose making was not logged
    (a filter left it out) are keyed "?0", "?1" and so on.
    """
    stitched = {pid: stitch(lines) for pid, lines in tasks.items()}
    made = {pid: _made_by(lines) for pid, lines in stitched.items()}
    children = {child for found in made.values() for child in found}
    first = next((pid for pid in stitched if pid not in children), None)
    if first is None:
        return {}
    keys: dict[int, str] = {}
    queue = [(first, "0")]
    while queue:
        pid, key = queue.pop(0)
        if pid in keys or pid not in stitched:
            continue
        keys[pid] = key
        queue += [(child, f"{key}.{index}") for index, child in enumerate(made[pid])]
    orphans = [pid for pid in stitched if pid not in keys]
    keys |= {pid: f"?{index}" for index, pid in enumerate(orphans)}
    return {key: Stream(key, pid, stitched[pid]) for pid, key in keys.items()}


def children_of(streams: dict[str, Stream]) -> dict[str, int]:
    """Name the tasks that were made under a tracer's eyes but are not in its log."""
    known = {stream.pid for stream in streams.values()}
    found: dict[str, int] = {}
    for key, stream in streams.items():
        named = {f"{key}.{index}": pid for index, pid in enumerate(_made_by(stream.lines))}
        heard = (_CHILD.search(line.text) for line in stream.lines)
        ended = dict.fromkeys(int(match[1]) for match in heard if match)
        named |= {f"{key}.ended{index}": pid for index, pid in enumerate(ended)}
        for name, pid in named.items():
            if pid not in known:
                known.add(pid)
                found[name] = pid
    return found


def _made_by(lines: list[Line]) -> list[int]:
    """Return the pids of the tasks that a task made, in order."""
    found = (_NEW_TASK.search(line.text) for line in lines)
    return list(dict.fromkeys(int(match[1], 0) for match in found if match))
