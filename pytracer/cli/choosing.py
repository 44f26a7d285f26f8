"""Which backend serves a command line, and what each cannot.

The decision is written down in docs/decisions/0001-auto-backend.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from pytracer.backend.base import Backend, BackendUnavailable, TargetError
from pytracer.cli.messages import Failure
from pytracer.cli.options import Backend as Choice
from pytracer.cli.options import Options, Summary
from pytracer.target.selection import Launch, Selection, Target

if TYPE_CHECKING:
    from pytracer.backend.ptrace.rules import Holds
    from pytracer.decode.decoder import DecodeOptions


def ptrace_only(options: Options) -> Iterator[str]:
    """Name what was asked for and only ptrace can do."""
    wanted = (
        (options.seccomp_bpf, "--seccomp-bpf"),
        (options.kill_on_exit, "--kill-on-exit"),
        (bool(options.program and options.pids), "-p/--attach together with PROG"),
        (bool(options.daemonize), "-D/--daemonize"),
        (options.detach_on_execve, "-b/--detach-on"),
        (bool(options.paths), "-P/--trace-path"),
        (bool(options.decode_fds), "-y/--decode-fds"),
        (bool(options.decode_pids), "-Y/--decode-pids"),
        (
            options.summary is not Summary.NONE and not options.summary_wall,
            "-c/--summary-only without -w/--summary-wall-clock",
        ),
    )
    return (name for asked, name in wanted if asked)


def choose(options: Options) -> Choice:
    """Choose the backend.

    Errors: Failure when the one that was asked for cannot serve an option.
    """
    unserved = next(ptrace_only(options), None)
    if options.backend is Choice.EBPF and unserved is not None:
        raise Failure(f"{unserved} cannot be served by --backend=ebpf: use --backend=ptrace")
    if options.backend is not Choice.AUTO:
        return options.backend
    if options.program or unserved is not None:
        return Choice.PTRACE
    return Choice.EBPF


def make(
    options: Options,
    target: Target,
    selection: Selection,
    decoding: DecodeOptions,
    refuse: Callable[[TargetError], None],
    note: Callable[[str], None],
) -> Backend:
    """Make the backend. ``note`` takes what has no effect, ``refuse`` who cannot be attached.

    Errors: Failure, BackendUnavailable when only ebpf will do and it does not work here.
    """
    choice = choose(options)
    if choice is Choice.EBPF:
        try:
            return _ebpf(target, selection, decoding, refuse)
        except BackendUnavailable:
            if options.backend is Choice.EBPF:
                raise
    from pytracer.backend.ptrace import PtraceBackend
    from pytracer.backend.ptrace.seccomp import why_not

    if options.seccomp_bpf and isinstance(target, Launch):
        unfiltered = why_not(target, selection)
        if unfiltered is not None:
            note(unfiltered)
    return PtraceBackend(
        target,
        selection,
        count_cpu=options.summary is not Summary.NONE and not options.summary_wall,
        kill_on_exit=options.kill_on_exit,
        holds=_holds(options, decoding),
        refuse=refuse,
    )


def _holds(options: Options, decoding: DecodeOptions) -> Holds | None:
    """Say which calls' tasks must stay stopped while they are decoded; None for all.

    What a line needs beyond memory, such as the path of a descriptor, is looked up in /proc:
    it must not change meanwhile. Nor may the target write where the line is about to be written.
    """
    looked_up = options.decode_fds or options.decode_pids or options.paths or options.trace_fds
    if looked_up or (options.output is None and options.summary is not Summary.ONLY):
        return None
    from pytracer.decode.plans import TablePlans

    return TablePlans(decoding.string_bytes, decoding.whole).phases


def _ebpf(
    target: Target,
    selection: Selection,
    decoding: DecodeOptions,
    refuse: Callable[[TargetError], None],
) -> Backend:
    from pytracer.backend.ebpf import EbpfBackend
    from pytracer.decode.plans import TablePlans

    plans = TablePlans(decoding.string_bytes, decoding.whole, selection.syscalls)
    return EbpfBackend(target, selection, plans, refuse=refuse)
