"""Which backend serves a command line, and what each cannot.

The decision is written down in docs/decisions/0001-auto-backend.md.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pytracer.backend.base import Backend, BackendUnavailable, TargetError
from pytracer.cli.messages import Failure
from pytracer.cli.options import Backend as Choice
from pytracer.cli.options import OnFull, Options, Summary
from pytracer.target.selection import Attach, Launch, Members, Selection, Target

DEFAULT_SPOOL_BYTES: Final = 1 << 30

if TYPE_CHECKING:
    from pytracer.backend.ebpf.backend import EbpfBackend
    from pytracer.backend.ebpf.programs import StreamPrograms
    from pytracer.backend.ptrace.rules import Holds
    from pytracer.backend.recorder import Recording
    from pytracer.decode.decoder import DecodeOptions
    from pytracer.decode.frames.recorded import KeptStacks

# Longer strings, in vectors and messages, may take more reads than the programs make for a call.
MOST_EXACT_BYTES: Final = 1024


def ptrace_only(options: Options) -> Iterator[str]:
    """Name what was asked for and only ptrace can do."""
    wanted = (
        # The kernel kills what a dead tracer traced by ptrace, and nothing else.
        (options.kill_on_exit, "--kill-on-exit"),
        # What belongs to a group would be let go of, and join again.
        (options.detach_on_execve and options.grouped is not None, "-b/--detach-on"),
    )
    return (name for asked, name in wanted if asked)


def ebpf_only(options: Options) -> Iterator[str]:
    """Name what was asked for and only ebpf can do."""
    wanted = ((bool(options.comms), "--comm"), (options.everyone, "--all"))
    return (name for asked, name in wanted if asked)


def countable(options: Options) -> bool:
    """Whether what is wanted can be counted in the kernel, which looks at numbers alone.

    Nor does what counts tell how a program ended that was let go of before.
    """
    chosen_by_content = bool(options.paths) or options.trace_fds is not None
    until = options.syscall_limit is not None or options.detach_on_execve
    return not chosen_by_content and not until


def ptrace_better(options: Options) -> Iterator[str]:
    """Name what both backends can do, and only ptrace word for word as strace."""
    launched = bool(options.program)
    apart = options.output is not None or options.record is not None
    wanted = (
        (options.seccomp_bpf, "--seccomp-bpf"),
        # The frames that a signal meets.
        (options.stack_trace, "-k/--stack-trace"),
        # A process that was attached to is not held back for the program's sake.
        (bool(options.program and options.pids), "-p/--attach together with PROG"),
        # Where both write to one place, a line stands before what the program does next.
        (launched and not apart and options.summary is not Summary.ONLY, "no -o/--output"),
        (launched and bool(options.decode_pids), "-Y/--decode-pids"),
        # The programs bring so much of a call's memory, and no more.
        (launched and not options.abbrev.everything, "-v/--no-abbrev"),
        (launched and options.string_bytes > MOST_EXACT_BYTES, "-s/--string-limit"),
    )
    return (name for asked, name in wanted if asked)


def choose(options: Options) -> Choice:
    """Choose the backend.

    Errors: Failure when the one that was asked for cannot serve an option.
    """
    unserved = next(ptrace_only(options), None)
    unattachable = next(ebpf_only(options), None)
    if unattachable is not None:
        if options.backend is Choice.PTRACE:
            raise Failure(
                f"{unattachable} cannot be served by --backend=ptrace: use --backend=ebpf"
            )
        if unserved is not None:
            raise Failure(
                f"{unserved} needs --backend=ptrace, which cannot serve {unattachable}: "
                "leave one of them out"
            )
    if options.on_full is OnFull.PAUSE and options.pids:
        raise Failure(
            "--on-full=pause does not hold back processes that were attached to: "
            "use --on-full=pause-attached if that is wanted"
        )
    if options.backend is Choice.EBPF and unserved is not None:
        raise Failure(f"{unserved} cannot be served by --backend=ebpf: use --backend=ptrace")
    if options.backend is not Choice.AUTO:
        return options.backend
    if unserved is not None or next(ptrace_better(options), None) is not None:
        return Choice.PTRACE if unattachable is None else Choice.EBPF
    return Choice.EBPF


def begin(options: Options, target: Target) -> StreamPrograms | None:
    """Have the kernel begin with what streams calls, where ebpf will do that.

    What does not work is told when the backend is made.
    """
    if choose(options) is not Choice.EBPF or _only_counts(options):
        return None
    from pytracer.backend.ebpf.programs import StreamPrograms

    descriptors = _asks_descriptors(options)
    measured = _measures_cpu(options)
    return StreamPrograms(target, descriptors, options.stack_trace, _pauses(options), measured)


def _only_counts(options: Options) -> bool:
    return options.summary is Summary.ONLY and countable(options)


def _measures_cpu(options: Options) -> bool:
    """Whether the CPU time of each call is wanted: now, or when a recording is looked at."""
    counting = options.summary is not Summary.NONE and not options.summary_wall
    return counting or options.record is not None


def _asks_descriptors(options: Options) -> bool:
    return bool(options.decode_fds or options.paths)


def _pauses(options: Options) -> bool:
    """Whether the target is held back rather than calls lost."""
    # Who did not ask for ebpf shall not lose by it.
    keeps_all = bool(options.program) and options.backend is Choice.AUTO
    return options.on_full is not OnFull.DROP or (keeps_all and "on-full" not in options.asked)


def make(
    options: Options,
    target: Target,
    selection: Selection,
    decoding: DecodeOptions,
    refuse: Callable[[TargetError], None],
    note: Callable[[str], None],
    recording: Recording | None = None,
    programs: StreamPrograms | None = None,
) -> Backend:
    """Make the backend. ``note`` takes what has no effect, ``refuse`` who cannot be attached.

    ``programs``: what :func:`begin` gave.

    Errors: Failure, BackendUnavailable when only ebpf will do and it does not work here.
    """
    choice = choose(options)
    if choice is Choice.EBPF:
        if isinstance(target, Members):
            for cgroup in target.cgroups:
                if not os.path.isdir(cgroup.folder):
                    note(f"control group {cgroup.path} is not there yet: waiting for it")
        if options.seccomp_bpf:
            note("--seccomp-bpf has no effect with --backend=ebpf: no call stops the program")
        try:
            if _only_counts(options):
                return _counting(options, target, selection, refuse)
            return _ebpf(options, target, selection, decoding, refuse, recording, programs)
        except BackendUnavailable:
            if options.backend is Choice.EBPF or isinstance(target, Members):
                raise
    if isinstance(target, Members):
        target, selection = _present(options, target, selection, note)
    from pytracer.backend.ptrace.backend import PtraceBackend
    from pytracer.backend.ptrace.seccomp import why_not

    if options.seccomp_bpf and isinstance(target, Launch):
        unfiltered = why_not(target, selection)
        if unfiltered is not None:
            note(unfiltered)
    backend = PtraceBackend(
        target,
        selection,
        count_cpu=_measures_cpu(options),
        kill_on_exit=options.kill_on_exit,
        holds=_holds(options, decoding),
        refuse=refuse,
    )
    if recording is None:
        return backend
    from pytracer.backend.recorder import RecordedBackend
    from pytracer.decode.witness import Reads

    read = replace(decoding, raw=frozenset(), wanted=None, processes=None)
    recording.witness = Reads(read, _kept_stacks(options) if options.stack_trace else None)
    return RecordedBackend(backend, recording)


def _kept_stacks(options: Options) -> KeptStacks:
    from pytracer.decode.frames.recorded import KeptStacks
    from pytracer.decode.frames.stacks import Stacks

    return KeptStacks(Stacks(options.stack_limit, bool(options.program)))


def _present(
    options: Options, target: Members, selection: Selection, note: Callable[[str], None]
) -> tuple[Attach, Selection]:
    """What ptrace can do for control groups: attach to what is there, and follow its children.

    Errors: Failure when nothing is there.
    """
    from pytracer.target.cgroups import processes

    found = [pid for group in target.cgroups for pid in processes(group)]
    pids = tuple(pid for pid in dict.fromkeys((*target.pids, *found)) if pid != os.getpid())
    if not pids:
        raise Failure(
            f"{options.grouped}: no process is there, and ptrace cannot wait for one: "
            "use --backend=ebpf"
        )
    note(
        "with --backend=ptrace only the processes that are there now, and their children, are "
        "traced: --backend=ebpf sees others join and leave"
    )
    return Attach(pids), selection._replace(follow=True)


def _holds(options: Options, decoding: DecodeOptions) -> Holds | None:
    """Say which calls' tasks must stay stopped while they are decoded; None for all.

    What a line needs beyond memory, such as the path of a descriptor, is looked up in /proc:
    it must not change meanwhile. Nor may the target write where the line is about to be written.
    """
    looked_up = (
        options.decode_fds
        or options.decode_pids
        or options.paths
        or options.trace_fds
        or options.stack_trace
    )
    if looked_up or (options.output is None and options.summary is not Summary.ONLY):
        return None
    from pytracer.decode.plans import TablePlans

    return TablePlans(decoding.string_bytes, decoding.whole).phases


def _counting(
    options: Options,
    target: Target,
    selection: Selection,
    refuse: Callable[[TargetError], None],
) -> Backend:
    from pytracer.backend.ebpf.counting import CountBackend

    return CountBackend(
        target,
        selection,
        cpu=not options.summary_wall,
        overhead_ns=options.overhead_ns or 0,
        refuse=refuse,
    )


def _ebpf(
    options: Options,
    target: Target,
    selection: Selection,
    decoding: DecodeOptions,
    refuse: Callable[[TargetError], None],
    recording: Recording | None,
    programs: StreamPrograms | None,
) -> EbpfBackend:
    from pytracer.backend.ebpf.backend import EbpfBackend, Sizes
    from pytracer.decode.catalogue import with_multiplexers
    from pytracer.decode.plans import TablePlans

    captured = selection.syscalls
    if recording is not None:
        from pytracer.decode.witness import descriptors_at_start

        recording.witness = descriptors_at_start
    elif captured is None and decoding.syscalls is not None:
        # Of some calls nothing but their numbers is wanted: the target need not pay for more.
        captured = with_multiplexers(decoding.syscalls)
    plans = TablePlans(
        decoding.string_bytes,
        decoding.whole,
        captured,
        _asks_descriptors(options),
        options.stack_trace,
    )
    spool_bytes = DEFAULT_SPOOL_BYTES if options.spool_bytes is None else options.spool_bytes
    sizes = Sizes(options.ring_bytes, spool_bytes, _pauses(options))
    return EbpfBackend(
        target,
        selection,
        plans,
        refuse=refuse,
        sizes=sizes,
        recording=recording,
        programs=programs or begin(options, target),
    )
