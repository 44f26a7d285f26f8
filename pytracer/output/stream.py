"""Text on its way to one file, with the line that is still open."""

from __future__ import annotations

from typing import Protocol

# Pieces kept before they are handed on; a few thousand lines.
MOST_PIECES = 4096


class Sink(Protocol):
    """Where text goes: a file, a pipe, the terminal. ``write`` takes all of it."""

    def write(self, text: str, /) -> object: ...

    def flush(self) -> object: ...

    def close(self) -> object: ...


class Stream:
    """A sink, the text that waits for it, and whose line is open at which column.

    ``open`` is the id of the task whose call's line has no end yet, 0 when there is none.
    """

    __slots__ = ("column", "open", "pieces", "sink")

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.pieces: list[str] = []
        self.open = 0
        self.column = 0

    def cut(self) -> None:
        """End the open line, if there is one, as unfinished."""
        if self.open:
            self.open = 0
            self.pieces.append(" <unfinished ...>\n")

    def drain(self) -> None:
        """Hand on what waits."""
        if self.pieces:
            text = "".join(self.pieces)
            self.pieces.clear()
            self.sink.write(text)

    def flush(self) -> None:
        """Let the reader see everything, an open line included."""
        if self.pieces:
            self.drain()
            self.sink.flush()
