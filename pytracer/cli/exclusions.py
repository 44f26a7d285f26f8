"""Options that exclude each other where a recording is made or replayed."""

from __future__ import annotations

from typing import Final

from pytracer.cli.messages import Failure
from pytracer.cli.options import Options, Summary

# Keys of options that are about a live target, and how they are called.
_LIVE: Final = {
    "p": "-p/--attach",
    "D": "-D/--daemonize",
    "daemonize": "-D/--daemonize",
    "E": "-E/--env",
    "u": "-u/--user",
    "b": "-b/--detach-on",
    "argv0": "--argv0",
    "kill-on-exit": "--kill-on-exit",
    "seccomp-bpf": "--seccomp-bpf",
    "backend": "--backend",
    "duration": "--duration",
    "interval": "--interval",
    "record": "--record",
    "spool-size": "--spool-size",
    "ring-size": "--ring-size",
    "on-full": "--on-full",
    "unit": "--unit",
    "cgroup": "--cgroup",
    "container": "--container",
    "comm": "--comm",
    "all": "--all",
}


def check(options: Options) -> None:
    """Check what goes with a recording.

    Errors: Failure.
    """
    if options.replay is not None:
        _check_replay(options)
    elif options.record is not None and (
        options.summary is Summary.ONLY or (options.summary is Summary.BOTH and alone(options))
    ):
        name = "-C/--summary" if options.summary is Summary.BOTH else "-c/--summary-only"
        raise Failure(f"{name} has no effect with --record: give it with --replay")
    elif options.record is not None and options.daemonize:
        raise Failure("-D/--daemonize cannot be used with --record")


def _check_replay(options: Options) -> None:
    if options.program:
        raise Failure(f"--replay takes no PROG, but '{options.program[0]}' was given")
    for key, name in _LIVE.items():
        if key in options.asked:
            raise Failure(f"{name} cannot be used with --replay: nothing live is traced")


def alone(options: Options) -> bool:
    """Whether nobody wants to see what is recorded meanwhile."""
    return options.output is None and not options.json
