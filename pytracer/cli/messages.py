"""What is said to the user on standard error, always beginning with the name we were called by."""

from __future__ import annotations

import os
import sys


class Failure(Exception):
    """The one line with which pytracer gives up, exit status 1.

    ``hint``: also point to -h, as strace does for wrong usage.
    """

    def __init__(self, text: str, *, hint: bool = False) -> None:
        super().__init__(text)
        self.text = text
        self.hint = hint


class Messages:
    """Writes lines to standard error. ``program`` is argv[0] exactly as invoked."""

    def __init__(self, program: str) -> None:
        self.program = program

    def note(self, text: str) -> None:
        """Say something and go on."""
        self.write(f"{self.program}: {text}\n")

    def fail(self, failure: Failure) -> None:
        """Say why we give up."""
        self.note(failure.text)
        if failure.hint:
            self.write(f"Try '{self.program} -h' for more information.\n")

    def write(self, text: str) -> None:
        """Write in one piece, so that lines of others do not get in between."""
        _write_all(2, text)

    def answer(self, text: str) -> None:
        """Write to standard output what was asked for."""
        _write_all(1, text)


def _write_all(fd: int, text: str) -> None:
    # Not through sys.stderr: it is None when the descriptor was closed at the start.
    data = memoryview(text.encode("utf-8", "surrogateescape"))
    try:
        while data:
            data = data[os.write(fd, data) :]
    except OSError:
        return  # nobody is there to be told


def say_crashes(messages: Messages, *, whole: bool) -> None:
    """Have an error of pytracer's own told in one line, or ``whole``, as Python would."""
    if whole:
        sys.excepthook = sys.__excepthook__
        return

    def crashed(kind: type[BaseException], error: BaseException, trace: object) -> None:
        messages.note(f"internal error: {kind.__name__}: {error} (please report it; -d tells more)")

    sys.excepthook = crashed


def system_failure(text: str, errno: int, *, hint: bool = False) -> Failure:
    """Make the failure that the system's error number stands for."""
    return Failure(f"{text}: {os.strerror(errno)}", hint=hint)


def invoked_name(name: str, path: str) -> str:
    """The name by which we were invoked, from argv[0] and $PATH.

    The kernel replaces argv[0] of a script by the path of the file. What the shell found
    through PATH was most likely asked for by its bare name.
    """
    if not name:
        return "pytracer"
    folder, _, base = name.rpartition("/")
    if not folder.startswith("/"):
        return name
    for candidate in path.split(":"):
        if candidate and os.access(f"{candidate}/{base}", os.X_OK):
            return base if candidate.rstrip("/") == folder else name
    return name
