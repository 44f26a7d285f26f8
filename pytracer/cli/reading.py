"""From the words of the command line to options, one by one in their order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any, Final, NamedTuple

from pytracer.cli import expressions, vocabulary
from pytracer.cli.combining import Counts, combine
from pytracer.cli.grammar import Given, Words
from pytracer.cli.messages import Failure, Messages
from pytracer.cli.numerals import PRECISIONS, size_bytes, time_ns, unsigned
from pytracer.cli.options import (
    Interruptible,
    Options,
    Summary,
)
from pytracer.cli.refusing import refuse
from pytracer.event.units import duration_ns
from pytracer.output.style import Stamp, Status


class Action(Enum):
    """What is done instead of tracing."""

    HELP = "help"
    VERSION = "version"
    DOCTOR = "doctor"
    JSON_SCHEMA = "json-schema"


class Explain(NamedTuple):
    """Instead of tracing, what is known of a call is shown (--explain)."""

    call: str


class Reader:
    """Applies options in the order in which they are given."""

    def __init__(self, messages: Messages, own_pid: int) -> None:
        self.messages = messages
        self.options = Options()
        self.counts = Counts()
        self.pids: list[int] = []
        self.own_pid = own_pid

    def read(self, words: Sequence[str]) -> Options | Action | Explain:
        """Read a whole command line.

        Errors: Failure for what strace, or we, do not take.
        """
        line = Words(words)
        asked = set()
        explained = ""
        for given in line.options():
            if given.key == "h":
                return Action.HELP
            if given.key == "explain":
                explained = given.value or ""
            asked.add(given.key)
            self._apply(given)
        if "V" in asked:
            return Action.VERSION
        if "doctor" in asked:
            return Action.DOCTOR
        if "explain" in asked:
            return Explain(explained)
        if "json-schema" in asked:
            return Action.JSON_SCHEMA
        self._set(program=tuple(line.rest), pids=tuple(self.pids), asked=frozenset(asked))
        return combine(self.options, self.counts, self.messages)

    def _set(self, **changes: Any) -> None:
        self.options = self.options._replace(**changes)

    def _apply(self, given: Given) -> None:
        refuse(given)
        switch = vocabulary.SWITCHES.get(given.key)
        if switch is not None:
            self._set(**switch)
        elif given.key in vocabulary.COUNTED:
            self.counts.given[given.key] = self.counts.given.get(given.key, 0) + 1
        elif given.key in _READERS:
            _READERS[given.key](self, given)

    def _qualify(self, given: Given) -> None:
        name, equals, value = (given.value or "").partition("=")
        key = vocabulary.QUALIFIERS.get(name) if equals else None
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
        self._set(statuses=expressions.words(given.value or "", "status", vocabulary.STATUSES))

    def _only(self, given: Given) -> None:
        status = Status.SUCCESSFUL if given.key == "z" else Status.FAILED
        self.counts.only += 1
        self._set(statuses=frozenset({status}))

    def _quiet(self, given: Given) -> None:
        text = "attach,personality" if given.value is None else given.value
        self.counts.quiet_given = True
        self._set(quiet=expressions.words(text, "quiet", vocabulary.QUIETS))

    def _decode_fds(self, given: Given) -> None:
        text = "path" if given.value is None else given.value
        self.counts.decode_fds_given = True
        self._set(decode_fds=expressions.words(text, "decode-fds", vocabulary.DECODE_FDS))

    def _decode_pids(self, given: Given) -> None:
        text = {"Y": "comm", "pidns-translation": "pidns"}.get(given.key, given.value or "")
        self._set(decode_pids=expressions.words(text, "decode-pids", vocabulary.DECODE_PIDS))

    def _pids(self, given: Given) -> None:
        for text in (
            (given.value or "").translate(vocabulary.SEPARATORS).removesuffix(",").split(",")
        ):
            if not given.value:
                return
            pid = unsigned(text)
            if not pid:
                raise Failure(f"Invalid process id: '{text}'")
            if pid == self.own_pid:
                raise Failure("I'm sorry, I can't let you do that, Dave.")
            self.pids.append(pid)

    def _number(self, given: Given) -> None:
        name, most = vocabulary.NUMBERS[given.key]
        number = unsigned(given.value or "", most)
        if number is None:
            raise _invalid(given)
        self._set(**{name: number})

    def _text(self, given: Given) -> None:
        self._set(**{vocabulary.TEXTS[given.key]: given.value})

    def _collect(self, given: Given) -> None:
        name = vocabulary.LISTS[given.key]
        self._set(**{name: (*getattr(self.options, name), given.value)})

    def _detach_on(self, given: Given) -> None:
        if given.value != "execve":
            raise Failure(f"Syscall '{given.value}' for -b isn't supported")
        self._set(detach_on_execve=True)

    def _daemonize(self, given: Given) -> None:
        text = "grandchild" if given.value is None else given.value.lower()
        if text not in vocabulary.DAEMONIZE:
            raise _invalid(given)
        self.counts.daemonize_long = vocabulary.DAEMONIZE[text]

    def _interruptible(self, given: Given) -> None:
        text = given.value or ""
        number = unsigned(text, Interruptible.NEVER_TSTP)
        choice = vocabulary.INTERRUPTIBLE.get(
            text.lower(), Interruptible(number) if number else None
        )
        if choice is None:
            raise _invalid(given)
        self.counts.interruptible_given = True
        self._set(interruptible=choice)

    def _syscall_limit(self, given: Given) -> None:
        limit = unsigned(given.value or "")
        if not limit:
            raise _invalid(given)
        self._set(syscall_limit=limit)

    def _stack_trace(self, given: Given) -> None:
        if given.value not in (None, "symbol", "source"):
            raise _invalid(given)
        self.counts.given["k"] = 2 if given.value == "source" else 1

    def _frame_limit(self, given: Given) -> None:
        limit = unsigned(given.value or "")
        if not limit:
            raise _invalid(given)
        self._set(stack_limit=limit)

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
        if text not in vocabulary.HEX_STRINGS:
            raise _invalid(given)
        self.counts.hex_strings_long = vocabulary.HEX_STRINGS[text]

    def _choice(self, given: Given) -> None:
        name, choices = vocabulary.CHOICES[given.key]
        text = "auto" if given.value is None else given.value
        if text not in choices:
            raise _invalid(given)
        self._set(**{name: choices[text]})

    def _seconds(self, given: Given) -> None:
        try:
            seconds = float(given.value or "")
        except ValueError:
            seconds = 0.0
        if not 0 < seconds < float("inf"):
            raise Failure(
                f"--{given.key} must be a positive number of seconds, not '{given.value}'"
            )
        self._set(**{f"{given.key}_s": seconds})

    def _slower_than(self, given: Given) -> None:
        slower_ns = duration_ns(given.value or "")
        if not slower_ns:
            raise Failure(
                f"--slower-than must be a time with a unit such as 10ms, 250us or 1.5s, "
                f"not '{given.value}'"
            )
        self._set(slower_than_ns=slower_ns)

    def _size(self, given: Given) -> None:
        size = size_bytes(given.value or "")
        if size is None:
            raise Failure(
                f"{given.spelled} must be a number of bytes, or of k, M or G, not '{given.value}'"
            )
        self._set(**{vocabulary.SIZES[given.key]: size})

    def _sort(self, given: Given) -> None:
        text = (given.value or "").replace("_", "-")
        column = "nothing" if text in vocabulary.NO_ORDER else vocabulary.COLUMNS.get(text)
        if column in (None, "errnos"):
            raise Failure(f"invalid sortby: '{given.value}'", hint=True)
        self._set(summary_sort=column)

    def _columns(self, given: Given) -> None:
        found: list[str] = []
        rest = given.value or ""
        while True:
            text, comma, after = rest.partition(",")
            column = vocabulary.COLUMNS.get(text.replace("_", "-"))
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
        if what in ("", "format") and value in vocabulary.STAMPS:
            stamp = vocabulary.STAMPS[value]
        elif what in ("", "precision") and value in PRECISIONS:
            digits = PRECISIONS[value]
        else:
            raise _invalid(given)
    if stamp is None:
        stamp = Stamp.TIME if before.stamp is Stamp.NONE else before.stamp
    return stamp, digits


def _invalid(given: Given) -> Failure:
    return Failure(f"invalid {given.spelled} argument: '{given.value or ''}'", hint=True)


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
    **dict.fromkeys(vocabulary.NUMBERS, Reader._number),
    **dict.fromkeys(vocabulary.TEXTS, Reader._text),
    **dict.fromkeys(vocabulary.LISTS, Reader._collect),
    "b": Reader._detach_on,
    "daemonize": Reader._daemonize,
    "I": Reader._interruptible,
    "syscall-limit": Reader._syscall_limit,
    "stack-trace": Reader._stack_trace,
    "stack-trace-frame-limit": Reader._frame_limit,
    "O": Reader._overhead,
    **dict.fromkeys("rT", Reader._precision),
    "timestamps": Reader._timestamps,
    "strings-in-hex": Reader._hex_strings,
    **dict.fromkeys(vocabulary.CHOICES, Reader._choice),
    "slower-than": Reader._slower_than,
    **dict.fromkeys(("duration", "interval"), Reader._seconds),
    **dict.fromkeys(vocabulary.SIZES, Reader._size),
    "S": Reader._sort,
    "U": Reader._columns,
    **dict.fromkeys("cC", Reader._summary),
}
