"""Where the trace goes: standard error, a file, a file per task, a command."""

from __future__ import annotations

import errno
import os
import signal
import stat
from collections.abc import Callable
from typing import Final

from pytracer.cli.messages import Failure, Messages, system_failure
from pytracer.cli.options import Options
from pytracer.event.schema import Task

SHELL: Final = "/bin/sh"  # _PATH_BSHELL, paths.h
_PATH_MAX: Final = 4096


class FileSink:
    """Writes text to a descriptor, all of it; says once when that is no longer possible."""

    def __init__(self, fd: int, complain: Callable[[int], None]) -> None:
        self.fd = fd
        self._complain: Callable[[int], None] | None = complain

    def write(self, text: str, /) -> None:
        """Write all of the text."""
        data = memoryview(text.encode("utf-8", "surrogateescape"))
        while data and self.fd >= 0:
            try:
                data = data[os.write(self.fd, data) :]
            except BlockingIOError:
                _wait_until_writable(self.fd)
            except OSError as error:
                if self._complain is not None:
                    self._complain(error.errno or 0)
                    self._complain = None
                return

    def flush(self) -> None:
        """Do nothing: nothing is held back."""

    def close(self) -> None:
        """Close the descriptor. Idempotent."""
        if self.fd > 2:
            os.close(self.fd)
        self.fd = -1


def _wait_until_writable(fd: int) -> None:
    import select

    select.select([], [fd], [])


class Destination:
    """The output of one command line, opened.

    ``sink``: where everything goes, or what opens the file of a task.

    Errors: Failure when it cannot be opened.
    """

    def __init__(self, options: Options, messages: Messages) -> None:
        self._messages = messages
        self._append = options.append
        self._name = options.output or ""
        self._command: int | None = None
        self._shared: FileSink | None = None
        self.sink: FileSink | Callable[[Task], FileSink]
        if options.output is None and options.json and not options.program:
            # Standard output is ours, as there is no program; it is let go of under its number.
            self.sink = self._shared = FileSink(os.dup(1), self._complainer("standard output"))
        elif options.output is None:
            self.sink = self._shared = FileSink(2, lambda number: None)
        elif options.piped is not None:
            self.sink = self._shared = self._pipe(options.piped)
        elif options.separately:
            if len(os.fsencode(self._name)) >= _PATH_MAX - 12:
                raise system_failure(self._name, errno.ENAMETOOLONG)
            self.sink = lambda task: self._file(f"{self._name}.{task.tid}")
        else:
            self.sink = self._shared = self._file(self._name)

    @property
    def commands(self) -> tuple[int, ...]:
        """The processes that were started to take what is written."""
        return () if self._command is None else (self._command,)

    def _complainer(self, name: str) -> Callable[[int], None]:
        return lambda number: self._messages.note(f"{name}: {os.strerror(number)}")

    def _file(self, name: str) -> FileSink:
        try:
            fd = open_output(name, self._append)
        except OSError as error:
            raise system_failure(f"Can't fopen '{name}'", error.errno or 0) from error
        return FileSink(fd, self._complainer(name))

    def _pipe(self, command: str) -> FileSink:
        reading, writing = os.pipe()
        # What Python ignores, the command must not; what runs it, as strace does, is a shell.
        try:
            self._command = os.posix_spawn(
                SHELL,
                [b"sh", b"-c", os.fsencode(command)],
                os.environb,
                file_actions=[(os.POSIX_SPAWN_DUP2, reading, 0)],
                setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],
            )
        except OSError as error:
            raise system_failure(f"Can't execute '{SHELL}'", error.errno or 0) from error
        finally:
            os.close(reading)
        return FileSink(writing, self._complainer(self._name))

    def write(self, text: str) -> None:
        """Write something that is of no task, where all tasks share one file."""
        if self._shared is not None:
            self._shared.write(text)

    def forsake(self) -> None:
        """Let go of all: another process has it, and waits for the command."""
        self._command = None
        self.close()

    def close(self) -> None:
        """Close what was opened and wait for the command, if there is one."""
        if self._shared is not None:
            self._shared.close()
        if self._command is not None:
            try:
                os.waitpid(self._command, 0)
            except ChildProcessError:
                # With -D the command is a child of what is now the program.
                self._command = None


def open_output(name: str, append: bool) -> int:
    """Open a file for writing as strace does, but not through somebody else's symbolic link.

    Errors: OSError; ELOOP for a link in a folder where others may put one.
    """
    flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if append else os.O_TRUNC) | os.O_CLOEXEC
    if not link_is_trusted(name):
        flags |= os.O_NOFOLLOW
    return os.open(name, flags, 0o666)


def link_is_trusted(name: str) -> bool:
    """Whether nobody else can have put a symbolic link in the place of a file."""
    # As fs.protected_symlinks has it; the kernel need not be set so, and root's own folders
    # such as /tmp are the usual case.
    folder = os.path.dirname(name) or "."
    try:
        mode = os.stat(folder).st_mode
        if not mode & stat.S_IWOTH:
            return True
        return bool(mode & stat.S_ISVTX) and os.lstat(name).st_uid == os.geteuid()
    except OSError:
        return True  # the opening itself will say what is wrong


__all__ = [
    "Destination",
    "Failure",
    "FileSink",
    "link_is_trusted",
    "open_output",
]
