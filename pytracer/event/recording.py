"""The form of a recording: a line that names it, then frames, each with its length and checksums.

What has been damaged is found out, and passed over up to the next frame that is whole. Nothing in
a recording is executed or trusted: numbers, bytes and JSON.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, Final, NamedTuple

MAGIC: Final = b"pytracer record\n"
FORMAT: Final = 1

# How events are held.
SLICES: Final = "slices"
LIVE: Final = "events"

# Kinds of frames.
HEADER: Final = 1  # JSON, once, at the beginning
EVENTS: Final = 2  # events, see pytracer/event/written.py
TURN: Final = 3  # slices of rings, see pytracer/backend/ebpf/turn.py
END: Final = 4  # JSON, once, at the end of a recording that came to its end

_SYNC: Final = b"\xabPT\x0b"
# Mark, kind, length, checksum of the contents; then the checksum of these.
_FRAME: Final = struct.Struct("<4sIII")
_CHECK: Final = struct.Struct("<I")
FRAME_BYTES: Final = _FRAME.size + _CHECK.size
MOST_BYTES: Final = 1 << 30
_CHUNK_BYTES: Final = 1 << 20
_MOST_PARTS: Final = 512  # IOV_MAX is 1024


class Header(NamedTuple):
    """What a recording says about itself.

    ``events``: how the events are held, "slices" of rings (ebpf) or "events" (ptrace).
    ``layout``: a number for the binary form of slices. ``tables``: a fingerprint of the
    descriptions of system calls. ``counters``: names of what the kernel counts, in order.
    ``selection``: what was captured, by the names of the options. ``program``: what was launched.
    ``pids``: who was attached. ``standard``: what is told about the descriptors at the start.
    ``cpu_times``: whether the CPU time of each call is there.
    """

    events: str
    wall_offset_ns: int
    layout: int = 0
    tables: str = ""
    counters: tuple[str, ...] = ()
    selection: dict[str, Any] = {}  # noqa: RUF012 - nobody changes it
    program: tuple[str, ...] = ()
    pids: tuple[int, ...] = ()
    version: str = ""
    kernel: str = ""
    machine: str = ""
    cpus: int = 0
    cpu_times: bool = False
    format: int = FORMAT

    @property
    def backend(self) -> str:
        """The backend that saw the events."""
        return "ebpf" if self.events == SLICES else "ptrace"

    def encode(self) -> bytes:
        """As JSON, to be read by people too."""
        import json  # where nothing is recorded nobody needs it

        return json.dumps(self._asdict()).encode() + b"\n"

    @classmethod
    def decode(cls, data: bytes) -> Header:
        """Read it. Names that are not known are of a later version, and passed over.

        Errors: BadRecording.
        """
        import json

        try:
            found = json.loads(data)
            fields = {name: found[name] for name in cls._fields if name in found}
            for name in ("counters", "program", "pids"):
                fields[name] = tuple(fields.get(name, ()))
            header = cls(**fields)
            good = (
                isinstance(header.wall_offset_ns, int)
                and isinstance(header.layout, int)
                and isinstance(header.cpu_times, bool)
                and isinstance(header.selection, dict)
                and isinstance(header.tables, str)
                and all(isinstance(each, int) for each in header.pids)
                and all(isinstance(each, str) for each in (*header.program, *header.counters))
            )
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise BadRecording("its header cannot be read") from error
        if not good:
            raise BadRecording("its header cannot be read")
        if header.format != FORMAT:
            raise BadRecording(f"its format is {header.format}, this pytracer reads {FORMAT}")
        return header


class BadRecording(Exception):
    """A file that cannot be replayed, and why."""


def frame(kind: int, parts: Sequence[bytes]) -> bytes:
    """What goes before the parts of a frame."""
    check = 0
    for part in parts:
        check = zlib.crc32(part, check)
    head = _FRAME.pack(_SYNC, kind, sum(map(len, parts)), check)
    return head + _CHECK.pack(zlib.crc32(head))


def write_at(fd: int, parts: Sequence[bytes], at: int) -> int:
    """Write all parts at a place of a file; where they end.

    Errors: OSError; the file then ends where it was to be written.
    """
    start = at
    views = [memoryview(part) for part in parts if part]
    try:
        while views:
            done = os.pwritev(fd, views[:_MOST_PARTS], at)
            at += done
            while views and done >= len(views[0]):
                done -= len(views.pop(0))
            if done:
                views[0] = views[0][done:]
    except OSError:
        os.ftruncate(fd, start)
        raise
    return at


class Frames:
    """Reads the frames of a file, from where its header ends.

    ``header``: as the file has it. ``damage``: what was wrong with the file, if anything.

    Errors: BadRecording for a file that is no recording.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._buffer = b""
        self.damage = ""
        if self._read(len(MAGIC)) != MAGIC:
            raise BadRecording("it is not a recording of pytracer")
        kind, payload = next(self._frames(), (0, b""))
        if kind != HEADER:
            raise BadRecording("its header cannot be read")
        self.header = Header.decode(payload)

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        """Give kind and contents of each frame that is whole."""
        kind = HEADER
        for kind, payload in self._frames():
            yield kind, payload
            if kind == END:
                return
        if not self.damage:
            self.damage = "it ends too early"

    def _frames(self) -> Iterator[tuple[int, bytes]]:
        while True:
            head = self._read(FRAME_BYTES)
            if not head:
                return
            if len(head) < FRAME_BYTES:
                self.damage = self.damage or "it ends too early"
                return
            sync, kind, length, check = _FRAME.unpack_from(head)
            (own,) = _CHECK.unpack_from(head, _FRAME.size)
            if sync != _SYNC or zlib.crc32(head[: _FRAME.size]) != own or length > MOST_BYTES:
                self.damage = self.damage or "a part of it is damaged"
                self._seek_mark(head)
                continue
            payload = self._read(length)
            if len(payload) < length:
                self.damage = self.damage or "it ends too early"
                return
            if zlib.crc32(payload) != check:
                self.damage = self.damage or "a part of it is damaged"
                continue
            yield kind, payload

    def _read(self, length: int) -> bytes:
        kept, self._buffer = self._buffer[:length], self._buffer[length:]
        if len(kept) == length:
            return kept
        return kept + self._file.read(length - len(kept))

    def _seek_mark(self, rest: bytes) -> None:
        """Go on at the next place that looks like a frame."""
        rest = rest[1:]
        while True:
            at = rest.find(_SYNC)
            if at >= 0:
                self._buffer = rest[at:] + self._buffer
                return
            more = self._read(_CHUNK_BYTES)
            if not more:
                return
            rest = rest[-len(_SYNC) + 1 :] + more
