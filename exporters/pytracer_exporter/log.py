"""What happens, a line each on standard error; the journal is told how serious it is."""

from __future__ import annotations

import logging
import os
import sys
from typing import Final

PROGRAM: Final = "pytracer-exporter"
LOG: Final = logging.getLogger(PROGRAM)
LEVELS: Final = ("debug", "info", "warning", "error")

# sd-daemon(3): a line's priority.
_PRIORITIES: Final = {
    logging.DEBUG: 7,
    logging.INFO: 6,
    logging.WARNING: 4,
    logging.ERROR: 3,
}


class _Lines(logging.Formatter):
    """``to_journal``: whether lines begin with what the journal takes for their priority."""

    def __init__(self, to_journal: bool) -> None:
        super().__init__()
        self._to_journal = to_journal

    def format(self, record: logging.LogRecord) -> str:
        text = one_line(record.getMessage())
        if self._to_journal:
            return f"<{_PRIORITIES.get(record.levelno, 5)}>{text}"
        return f"{PROGRAM}: {record.levelname.lower()}: {text}"


def one_line(text: str) -> str:
    """Escape what would begin another line, or command a terminal."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


def _journal_reads() -> bool:
    """Whether standard error is the journal's own stream. Source: systemd.exec(5)."""
    device, _, inode = os.environ.get("JOURNAL_STREAM", "").partition(":")
    try:
        here = os.fstat(2)
    except OSError:
        return False
    return (device, inode) == (str(here.st_dev), str(here.st_ino))


def begin(level: str) -> None:
    """Have what is logged written from now on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines(_journal_reads()))
    LOG.handlers[:] = [handler]
    LOG.propagate = False
    LOG.setLevel(level.upper())
    logging.raiseExceptions = False  # nobody reads standard error any more: go on
