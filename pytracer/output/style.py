"""The choices that change how text looks, never what was decoded."""

from __future__ import annotations

import os
from enum import Enum
from typing import NamedTuple


class Xlats(Enum):
    """How constants are written (-X)."""

    ABBREV = "abbrev"
    RAW = "raw"
    VERBOSE = "verbose"


class Quoting(Enum):
    """What is written in hexadecimal (--strings-in-hex).

    HEX_UNPRINTABLE (-x): strings that are not text, throughout. HEX_ALL (-xx): all strings.
    HEX_CHARACTERS: single characters that cannot be printed, instead of octal.
    """

    ESCAPED = 0
    HEX_UNPRINTABLE = 1
    HEX_ALL = 2
    HEX_CHARACTERS = 3


class Style(NamedTuple):
    """How values are written.

    ``abbreviate``: structures and arrays are shortened (all but -v), except those of the calls
    named by ``whole`` (-e abbrev=). ``undecoded``: names of calls whose structures and arrays are
    shown as addresses (-e verbose=).
    ``arg_names``: -N. ``column``: where results are aligned (-a).
    """

    quoting: Quoting = Quoting.ESCAPED
    xlats: Xlats = Xlats.ABBREV
    abbreviate: bool = True
    whole: frozenset[str] = frozenset()
    undecoded: frozenset[str] = frozenset()
    arg_names: bool = False
    column: int = 40


class Stamp(Enum):
    """How the time of day is written (-t, --absolute-timestamps)."""

    NONE = ""
    TIME = "time"
    UNIX = "unix"


class Status(Enum):
    """What can become of a call (-e status=)."""

    SUCCESSFUL = "successful"
    FAILED = "failed"
    UNFINISHED = "unfinished"
    UNAVAILABLE = "unavailable"
    DETACHED = "detached"


class Quiet(Enum):
    """Messages that can be left out (-q, -e quiet=)."""

    ATTACH = "attach"
    EXIT = "exit"
    PATH_RESOLUTION = "path-resolution"
    PERSONALITY = "personality"
    THREAD_EXECVE = "thread-execve"


class LineStyle(NamedTuple):
    """Which lines there are and what they begin and end with.

    ``pid_prefix``: every line begins with the task's id (-o with -f, --always-show-pid).
    ``bracket_pid``: lines begin with ``[pid N]`` while there are several tasks (no -o).
    ``comm``: the task's name follows its id (-Y).
    ``stamp``, ``stamp_digits``: -t, -tt, -ttt. ``relative``: digits of -r, None for none.
    ``duration``: digits of -T, None for none. ``number``: -n. ``ip``: -i.
    ``statuses``: the calls shown; None for all. Anything less shows a call only once it is over.
    ``slower_than_ns``: calls that took less are not shown; needs ``statuses``.
    ``signals``: numbers of the signals shown; None for all. ``quiet``: the messages left out.
    """

    pid_prefix: bool = False
    bracket_pid: bool = True
    comm: bool = False
    stamp: Stamp = Stamp.NONE
    stamp_digits: int = 0
    relative: int | None = None
    duration: int | None = None
    number: bool = False
    ip: bool = False
    statuses: frozenset[Status] | None = None
    slower_than_ns: int = 0
    signals: frozenset[int] | None = None
    quiet: frozenset[Quiet] = frozenset()

    def shows_signal(self, signo: int) -> bool:
        """Whether a signal is told of."""
        return self.signals is None or signo in self.signals

    def shows_status(self, status: Status) -> bool:
        """Whether a call of which that became is told of."""
        return self.statuses is None or status in self.statuses

    def shows_end(self, status: int) -> bool:
        """Whether the end of a task is told of. ``status``: as wait(2) has it."""
        if os.WIFSIGNALED(status):
            return self.shows_signal(os.WTERMSIG(status))
        return Quiet.EXIT not in self.quiet

    def says(self, message: Quiet) -> bool:
        """Whether a message is not left out."""
        return message not in self.quiet
