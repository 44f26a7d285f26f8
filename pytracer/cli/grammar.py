"""The words of the command line: getopt_long(3) over strace's options and our own.

Options end at the first word that is none; short ones cluster (``-fttT``); long ones may be
shortened while that is unambiguous, and take an optional argument only after ``=``.

Source: strace(1) of release 7.2; the wording of errors, getopt_long(3) of glibc.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum
from typing import NamedTuple

from pytracer.cli.messages import Failure


class Takes(Enum):
    """Whether an option has an argument."""

    NOTHING = 0
    ARGUMENT = 1
    OPTIONAL = 2


class Option(NamedTuple):
    """One option under one long name. Options of the same ``key`` mean the same.

    ``key``: the letter, where there is one, else the long name that stands for all.
    """

    key: str
    name: str
    takes: Takes = Takes.NOTHING


class Given(NamedTuple):
    """An option as it was met. ``spelled``: as messages name it, ``-s`` or ``--string-limit``."""

    key: str
    spelled: str
    value: str | None


_NOTHING, _ARGUMENT, _OPTIONAL = Takes.NOTHING, Takes.ARGUMENT, Takes.OPTIONAL

SHORT = {
    **dict.fromkeys("AcCdDfFhiknNqrtTvVwxyYzZ", _NOTHING),
    **dict.fromkeys("abeEIoOpPsSuUX", _ARGUMENT),
}

# In strace's order, which is that of its messages about ambiguous names.
LONG = (
    Option("a", "columns", _ARGUMENT),
    Option("A", "output-append-mode"),
    Option("b", "detach-on", _ARGUMENT),
    Option("c", "summary-only"),
    Option("C", "summary"),
    Option("d", "debug"),
    Option("daemonize", "daemonize", _OPTIONAL),
    Option("daemonize", "daemonised", _OPTIONAL),
    Option("daemonize", "daemonized", _OPTIONAL),
    Option("argv0", "argv0", _ARGUMENT),
    Option("E", "env", _ARGUMENT),
    Option("follow-forks", "follow-forks"),
    Option("output-separately", "output-separately"),
    Option("h", "help"),
    Option("i", "instruction-pointer"),
    Option("I", "interruptible", _ARGUMENT),
    Option("stack-trace", "stack-trace", _OPTIONAL),
    Option("stack-trace", "stack-traces", _OPTIONAL),
    Option("stack-trace-frame-limit", "stack-trace-frame-limit", _ARGUMENT),
    Option("syscall-limit", "syscall-limit", _ARGUMENT),
    Option("kill-on-exit", "kill-on-exit"),
    Option("n", "syscall-number"),
    Option("N", "arg-names"),
    Option("always-show-pid", "always-show-pid"),
    Option("o", "output", _ARGUMENT),
    Option("O", "summary-syscall-overhead", _ARGUMENT),
    Option("p", "attach", _ARGUMENT),
    Option("P", "trace-path", _ARGUMENT),
    Option("r", "relative-timestamps", _OPTIONAL),
    Option("s", "string-limit", _ARGUMENT),
    Option("S", "summary-sort-by", _ARGUMENT),
    Option("timestamps", "absolute-timestamps", _OPTIONAL),
    Option("timestamps", "timestamps", _OPTIONAL),
    Option("T", "syscall-times", _OPTIONAL),
    Option("u", "user", _ARGUMENT),
    Option("U", "summary-columns", _ARGUMENT),
    Option("v", "no-abbrev"),
    Option("V", "version"),
    Option("w", "summary-wall-clock"),
    Option("strings-in-hex", "strings-in-hex", _OPTIONAL),
    Option("X", "const-print-style", _ARGUMENT),
    Option("pidns-translation", "pidns-translation"),
    Option("z", "successful-only"),
    Option("Z", "failed-only"),
    Option("Z", "failing-only"),
    Option("seccomp-bpf", "seccomp-bpf"),
    Option("tips", "tips", _OPTIONAL),
    Option("color", "color", _OPTIONAL),
    Option("trace", "trace", _ARGUMENT),
    Option("trace-fds", "trace-fds", _ARGUMENT),
    Option("abbrev", "abbrev", _ARGUMENT),
    Option("verbose", "verbose", _ARGUMENT),
    Option("raw", "raw", _ARGUMENT),
    Option("signal", "signals", _ARGUMENT),
    Option("status", "status", _ARGUMENT),
    Option("read", "read", _ARGUMENT),
    Option("write", "write", _ARGUMENT),
    Option("fault", "fault", _ARGUMENT),
    Option("inject", "inject", _ARGUMENT),
    Option("kvm", "kvm", _ARGUMENT),
    Option("quiet", "quiet", _OPTIONAL),
    Option("quiet", "silent", _OPTIONAL),
    Option("quiet", "silence", _OPTIONAL),
    Option("decode-fds", "decode-fds", _OPTIONAL),
    Option("decode-pids", "decode-pids", _ARGUMENT),
    Option("namespace", "namespace", _ARGUMENT),
    Option("secontext", "secontext", _OPTIONAL),
)

# Ours; looked at only when none of strace's begins so, lest its abbreviations change.
OWN = (
    Option("backend", "backend", _ARGUMENT),
    Option("duration", "duration", _ARGUMENT),
    Option("interval", "interval", _ARGUMENT),
    Option("doctor", "doctor"),
    Option("json", "json"),
    Option("json-schema", "json-schema"),
    Option("unit", "unit", _ARGUMENT),
    Option("cgroup", "cgroup", _ARGUMENT),
    Option("container", "container", _ARGUMENT),
    Option("comm", "comm", _ARGUMENT),
    Option("all", "all"),
    Option("slower-than", "slower-than", _ARGUMENT),
    Option("record", "record", _ARGUMENT),
    Option("replay", "replay", _ARGUMENT),
    Option("report", "report", _OPTIONAL),
    Option("explain", "explain", _ARGUMENT),
    Option("on-full", "on-full", _ARGUMENT),
    Option("spool-size", "spool-size", _ARGUMENT),
    Option("ring-size", "ring-size", _ARGUMENT),
)


class Words:
    """Reads a command line option by option; ``rest`` is then the program and its arguments."""

    def __init__(self, words: Sequence[str]) -> None:
        self.rest = list(words)

    def options(self) -> Iterator[Given]:
        """Take options off the front of ``rest``.

        Errors: Failure, worded as getopt_long does, at the first that cannot be read.
        """
        rest = self.rest
        while rest and rest[0].startswith("-") and rest[0] != "-":
            word = rest.pop(0)
            if word == "--":
                return
            if word.startswith("--"):
                yield self._long(word[2:])
            else:
                yield from self._short(word[1:])

    def _short(self, cluster: str) -> Iterator[Given]:
        while cluster:
            letter, cluster = cluster[0], cluster[1:]
            takes = SHORT.get(letter)
            if takes is None:
                raise Failure(f"invalid option -- '{letter}'", hint=True)
            if takes is _NOTHING:
                yield Given(letter, f"-{letter}", None)
                continue
            if not cluster and not self.rest:
                raise Failure(f"option requires an argument -- '{letter}'", hint=True)
            yield Given(letter, f"-{letter}", cluster or self.rest.pop(0))
            return

    def _long(self, word: str) -> Given:
        name, equals, attached = word.partition("=")
        option = _find(name, word)
        spelled = f"--{option.name}"
        value = attached if equals else None
        if option.takes is _NOTHING and value is not None:
            raise Failure(f"option '{spelled}' doesn't allow an argument", hint=True)
        if option.takes is _ARGUMENT and value is None:
            if not self.rest:
                raise Failure(f"option '{spelled}' requires an argument", hint=True)
            value = self.rest.pop(0)
        return Given(option.key, spelled, value)


def _find(name: str, word: str) -> Option:
    for table in (LONG, OWN):
        begins = []
        for option in table:
            if option.name == name:
                return option
            if option.name.startswith(name):
                begins.append(option)
        if not begins:
            continue
        if all((o.key, o.takes) == (begins[0].key, begins[0].takes) for o in begins):
            return begins[0]
        # A full name of ours may begin as several of strace's do.
        own = next((option for option in OWN if option.name == name), None)
        if own is not None:
            return own
        names = " ".join(f"'--{option.name}'" for option in begins)
        raise Failure(f"option '--{word}' is ambiguous; possibilities: {names}", hint=True)
    raise Failure(f"unrecognized option '--{word}'", hint=True)
