"""From the words of the command line to options, one by one in their order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from enum import Enum
from typing import Any, Final

from pytracer.cli import expressions
from pytracer.cli.combining import Counts, combine
from pytracer.cli.expressions import NO_CALLS
from pytracer.cli.grammar import Given, Words
from pytracer.cli.messages import Failure, Messages
from pytracer.cli.numerals import PRECISIONS, time_ns, unsigned
from pytracer.cli.options import (
    Backend,
    Color,
    DecodePid,
    Interruptible,
    Options,
    Summary,
)
from pytracer.cli.refusing import refuse
from pytracer.decode.descriptors import Told
from pytracer.output.text.style import Quiet, Stamp, Status


class Action(Enum):
    """What is done instead of tracing."""

    HELP = "help"
    VERSION = "version"
    DOCTOR = "doctor"


# Source: UINT_MAX / 4, the longest string that strace's -s takes.
MOST_STRING_BYTES: Final = 0xFFFFFFFF // 4

_INTERRUPTIBLE: Final = {
    "anywhere": Interruptible.ANYWHERE,
    "always": Interruptible.ANYWHERE,
    "waiting": Interruptible.WAITING,
    "never": Interruptible.NEVER,
    "never_tstp": Interruptible.NEVER_TSTP,
}
_DAEMONIZE: Final = {"grandchild": 1, "pgroup": 2, "pgrp": 2, "session": 3}
_HEX_STRINGS: Final = {"none": 0, "non-ascii-chars": 1, "non-ascii": 2, "all": 3}
_STATUSES: Final = {status.value: status for status in Status}
_QUIETS: Final = {
    "attach": Quiet.ATTACH,
    "exit": Quiet.EXIT,
    "exits": Quiet.EXIT,
    "path-resolution": Quiet.PATH_RESOLUTION,
    "personality": Quiet.PERSONALITY,
    "superseded": Quiet.THREAD_EXECVE,
    "thread-execve": Quiet.THREAD_EXECVE,
}
_DECODE_FDS: Final = {kind.value: kind for kind in Told}
_DECODE_PIDS: Final = {kind.value: kind for kind in DecodePid}

# Names that -e takes before its equals sign; what is no such name is a set of calls.
_QUALIFIERS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("trace", "t"), "trace"),
    **dict.fromkeys(("trace-fds", "trace-fd", "fds", "fd"), "trace-fds"),
    **dict.fromkeys(("abbrev", "a"), "abbrev"),
    **dict.fromkeys(("verbose", "v"), "verbose"),
    **dict.fromkeys(("raw", "x"), "raw"),
    **dict.fromkeys(("signal", "signals", "s"), "signal"),
    "status": "status",
    **dict.fromkeys(("quiet", "silent", "silence", "q"), "quiet"),
    **dict.fromkeys(("read", "reads", "r"), "read"),
    **dict.fromkeys(("write", "writes", "w"), "write"),
    "fault": "fault",
    "inject": "inject",
    "kvm": "kvm",
    **dict.fromkeys(("decode-fds", "decode-fd"), "decode-fds"),
    **dict.fromkeys(("decode-pids", "decode-pid"), "decode-pids"),
    "namespace": "namespace",
    "secontext": "secontext",
}

# Columns of the summary, by all of their names. Source: strace(1), -U.
COLUMNS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("time", "time-percent"), "time-percent"),
    **dict.fromkeys(("time-total", "total-time"), "total-time"),
    **dict.fromkeys(("min-time", "shortest", "time-min"), "min-time"),
    **dict.fromkeys(("longest", "max-time", "time-max"), "max-time"),
    **dict.fromkeys(("avg-time", "time-avg"), "avg-time"),
    **{
        spelled: f"wall-{what}"
        for what in ("total", "min", "max", "avg")
        for spelled in (f"wall-{what}", f"{what}-wall")
    },
    **dict.fromkeys(("calls", "count"), "calls"),
    **dict.fromkeys(("error", "errors"), "errors"),
    **dict.fromkeys(("name", "syscall", "syscall-name"), "name"),
}
_NO_ORDER: Final = ("none", "nothing")


class Reader:
    """Applies options in the order in which they are given."""

    def __init__(self, messages: Messages, own_pid: int) -> None:
        self.messages = messages
        self.options = Options()
        self.counts = Counts()
        self.pids: list[int] = []
        self.own_pid = own_pid

    def read(self, words: Sequence[str]) -> Options | Action:
        """Read a whole command line.

        Errors: Failure for what strace, or we, do not take.
        """
        line = Words(words)
        asked = set()
        for given in line.options():
            if given.key == "h":
                return Action.HELP
            asked.add(given.key)
            self._apply(given)
        if "V" in asked:
            return Action.VERSION
        if "doctor" in asked:
            return Action.DOCTOR
        self._set(program=tuple(line.rest), pids=tuple(self.pids), asked=frozenset(asked))
        return combine(self.options, self.counts, self.messages)

    def _set(self, **changes: Any) -> None:
        self.options = replace(self.options, **changes)

    def _apply(self, given: Given) -> None:
        refuse(given)
        switch = _SWITCHES.get(given.key)
        if switch is not None:
            self._set(**switch)
        elif given.key in _COUNTED:
            self.counts.given[given.key] = self.counts.given.get(given.key, 0) + 1
        elif given.key in _READERS:
            _READERS[given.key](self, given)

    def _qualify(self, given: Given) -> None:
        name, equals, value = (given.value or "").partition("=")
        key = _QUALIFIERS.get(name) if equals else None
        if key is None:
            key, value = "trace", given.value or ""
        qualifier = Given(key, f"-e {key}", value)
        refuse(qualifier)
        _READERS[key](self, qualifier)

    def _calls(self, given: Given) -> None:
        self._set(**{given.key: expressions.calls(given.value or "")})

    def _trace_fds(self, given: Given) -> None:
        self._set(trace_fds=expressions.descriptors(given.value or ""))

    def _signals(self, given: Given) -> None:
        self._set(signals=expressions.signals(given.value or ""))

    def _statuses(self, given: Given) -> None:
        self._set(statuses=expressions.words(given.value or "", "status", _STATUSES))

    def _only(self, given: Given) -> None:
        status = Status.SUCCESSFUL if given.key == "z" else Status.FAILED
        self.counts.only += 1
        self._set(statuses=frozenset({status}))

    def _quiet(self, given: Given) -> None:
        text = "attach,personality" if given.value is None else given.value
        self.counts.quiet_given = True
        self._set(quiet=expressions.words(text, "quiet", _QUIETS))

    def _decode_fds(self, given: Given) -> None:
        text = "path" if given.value is None else given.value
        self.counts.decode_fds_given = True
        self._set(decode_fds=expressions.words(text, "decode-fds", _DECODE_FDS))

    def _decode_pids(self, given: Given) -> None:
        text = {"Y": "comm", "pidns-translation": "pidns"}.get(given.key, given.value or "")
        self._set(decode_pids=expressions.words(text, "decode-pids", _DECODE_PIDS))

    def _pids(self, given: Given) -> None:
        for text in (given.value or "").translate(_SEPARATORS).removesuffix(",").split(","):
            if not given.value:
                return
            pid = unsigned(text)
            if not pid:
                raise Failure(f"Invalid process id: '{text}'")
            if pid == self.own_pid:
                raise Failure("I'm sorry, I can't let you do that, Dave.")
            self.pids.append(pid)

    def _number(self, given: Given) -> None:
        name, most = _NUMBERS[given.key]
        number = unsigned(given.value or "", most)
        if number is None:
            raise _invalid(given)
        self._set(**{name: number})

    def _text(self, given: Given) -> None:
        self._set(**{_TEXTS[given.key]: given.value})

    def _collect(self, given: Given) -> None:
        name = _LISTS[given.key]
        self._set(**{name: (*getattr(self.options, name), given.value)})

    def _detach_on(self, given: Given) -> None:
        if given.value != "execve":
            raise Failure(f"Syscall '{given.value}' for -b isn't supported")
        self._set(detach_on_execve=True)

    def _daemonize(self, given: Given) -> None:
        text = "grandchild" if given.value is None else given.value.lower()
        if text not in _DAEMONIZE:
            raise _invalid(given)
        self.counts.daemonize_long = _DAEMONIZE[text]

    def _interruptible(self, given: Given) -> None:
        text = given.value or ""
        number = unsigned(text, Interruptible.NEVER_TSTP)
        choice = _INTERRUPTIBLE.get(text.lower(), Interruptible(number) if number else None)
        if choice is None:
            raise _invalid(given)
        self.counts.interruptible_given = True
        self._set(interruptible=choice)

    def _syscall_limit(self, given: Given) -> None:
        limit = unsigned(given.value or "")
        if not limit:
            raise _invalid(given)
        self._set(syscall_limit=limit)

    def _overhead(self, given: Given) -> None:
        overhead_ns = time_ns(given.value or "")
        if overhead_ns is None:
            raise _invalid(given)
        self._set(overhead_ns=overhead_ns)

    def _precision(self, given: Given) -> None:
        text = "us" if given.value is None else given.value.lower()
        if text not in PRECISIONS:
            raise _invalid(given)
        name = "relative_digits" if given.key == "r" else "times_digits"
        self._set(**{name: PRECISIONS[text]})

    def _timestamps(self, given: Given) -> None:
        self.counts.timestamps_long = True
        stamp, digits = stamps(given, self.options)
        self._set(stamp=stamp, stamp_digits=digits)

    def _hex_strings(self, given: Given) -> None:
        text = "all" if given.value is None else given.value.lower()
        if text not in _HEX_STRINGS:
            raise _invalid(given)
        self.counts.hex_strings_long = _HEX_STRINGS[text]

    def _choice(self, given: Given) -> None:
        name, choices = _CHOICES[given.key]
        text = "auto" if given.value is None else given.value
        if text not in choices:
            raise _invalid(given)
        self._set(**{name: choices[text]})

    def _duration(self, given: Given) -> None:
        try:
            seconds = float(given.value or "")
        except ValueError:
            seconds = 0.0
        if not 0 < seconds < float("inf"):
            raise Failure(f"--duration must be a positive number of seconds, not '{given.value}'")
        self._set(duration_s=seconds)

    def _sort(self, given: Given) -> None:
        text = (given.value or "").replace("_", "-")
        column = "nothing" if text in _NO_ORDER else COLUMNS.get(text)
        if column is None:
            raise Failure(f"invalid sortby: '{given.value}'", hint=True)
        self._set(summary_sort=column)

    def _columns(self, given: Given) -> None:
        found: list[str] = []
        rest = given.value or ""
        while True:
            text, comma, after = rest.partition(",")
            column = COLUMNS.get(text.replace("_", "-"))
            if column is None:
                raise Failure(f"unknown column name: '{text}'", hint=True)
            if column in found:
                raise Failure(
                    f"call summary column has been provided more than once: '{text}' "
                    f"(-U option residual: '{rest}')",
                    hint=True,
                )
            found.append(column)
            if not comma:
                break
            rest = after
        if "name" not in found:
            found.append("name")
        self._set(summary_columns=tuple(found))

    def _summary(self, given: Given) -> None:
        wanted = Summary.ONLY if given.key == "c" else Summary.BOTH
        if self.options.summary not in (Summary.NONE, wanted):
            raise Failure("-c/--summary-only and -C/--summary are mutually exclusive", hint=True)
        self._set(summary=wanted)


def stamps(given: Given, before: Options) -> tuple[Stamp, int]:
    """Read the argument of --absolute-timestamps: a format, a precision, or both."""
    stamp: Stamp | None = None
    digits = before.stamp_digits
    text = "format:time" if given.value is None else given.value
    for token in filter(None, text.lower().split(",")):
        what, colon, value = token.partition(":")
        what, value = (what, value) if colon else ("", token)
        if what in ("", "format") and value in _STAMPS:
            stamp = _STAMPS[value]
        elif what in ("", "precision") and value in PRECISIONS:
            digits = PRECISIONS[value]
        else:
            raise _invalid(given)
    if stamp is None:
        stamp = Stamp.TIME if before.stamp is Stamp.NONE else before.stamp
    return stamp, digits


def _invalid(given: Given) -> Failure:
    return Failure(f"invalid {given.spelled} argument: '{given.value or ''}'", hint=True)


_SEPARATORS: Final = str.maketrans("\n\t ", ",,,")
_STAMPS: Final = {"none": Stamp.NONE, "time": Stamp.TIME, "unix": Stamp.UNIX}
_COUNTED: Final = frozenset("DfFqtxy")
_SWITCHES: Final[Mapping[str, Mapping[str, Any]]] = {
    "A": {"append": True},
    "d": {"debug": True},
    "follow-forks": {"follow": True},
    "output-separately": {"separately": True},
    "i": {"instruction_pointer": True},
    "n": {"syscall_number": True},
    "N": {"arg_names": True},
    "always-show-pid": {"always_show_pid": True},
    "kill-on-exit": {"kill_on_exit": True},
    "v": {"abbrev": NO_CALLS},
    "w": {"summary_wall": True},
    "seccomp-bpf": {"seccomp_bpf": True},
}
_NUMBERS: Final = {"a": ("column", 0x7FFFFFFF), "s": ("string_bytes", MOST_STRING_BYTES)}
_TEXTS: Final = {"o": "output", "u": "user", "argv0": "argv0"}
_LISTS: Final = {"E": "environment", "P": "paths"}
_CHOICES: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "X": ("xlats", {name: name for name in ("raw", "abbrev", "verbose")}),
    "color": ("color", {color.value: color for color in Color}),
    "backend": ("backend", {backend.value: backend for backend in Backend}),
}

_READERS: Final[Mapping[str, Callable[[Reader, Given], None]]] = {
    "e": Reader._qualify,
    **dict.fromkeys(("trace", "abbrev", "verbose", "raw"), Reader._calls),
    "trace-fds": Reader._trace_fds,
    "signal": Reader._signals,
    "status": Reader._statuses,
    **dict.fromkeys("zZ", Reader._only),
    "quiet": Reader._quiet,
    "decode-fds": Reader._decode_fds,
    **dict.fromkeys(("Y", "pidns-translation", "decode-pids"), Reader._decode_pids),
    "p": Reader._pids,
    **dict.fromkeys(_NUMBERS, Reader._number),
    **dict.fromkeys(_TEXTS, Reader._text),
    **dict.fromkeys(_LISTS, Reader._collect),
    "b": Reader._detach_on,
    "daemonize": Reader._daemonize,
    "I": Reader._interruptible,
    "syscall-limit": Reader._syscall_limit,
    "O": Reader._overhead,
    **dict.fromkeys("rT", Reader._precision),
    "timestamps": Reader._timestamps,
    "strings-in-hex": Reader._hex_strings,
    **dict.fromkeys(_CHOICES, Reader._choice),
    "duration": Reader._duration,
    "S": Reader._sort,
    "U": Reader._columns,
    **dict.fromkeys("cC", Reader._summary),
}
