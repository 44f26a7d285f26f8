"""From options to what the stages take: selection, decoding, style."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pytracer.backend.base import Backend
from pytracer.cli.destination import FileSink
from pytracer.cli.filters import Filter
from pytracer.cli.messages import Messages
from pytracer.cli.options import ALL_STATUSES, Color, DecodePid, Options, Summary
from pytracer.decode.callsets import CallSet
from pytracer.decode.catalogue import numbers, with_multiplexers
from pytracer.decode.decoder import DecodeOptions, Decoder
from pytracer.decode.siginfo import SignalDecoder
from pytracer.event.schema import Abi, Task
from pytracer.output.stream import Sink
from pytracer.output.style import LineStyle, Quoting, Status, Style, Xlats
from pytracer.output.text.calls import CallWriter
from pytracer.output.text.lines import TextOutput
from pytracer.spec.context import Processes
from pytracer.target.selection import LISTED, Selection

if TYPE_CHECKING:
    from pytracer.decode.descriptors import LiveDescriptors
    from pytracer.decode.frames.seen import Seen
    from pytracer.decode.frames.stacks import Stacks
    from pytracer.event.recording import Header
    from pytracer.event.written import Known
    from pytracer.output.ndjson.lines import NdjsonOutput
    from pytracer.output.ndjson.stacked import StackMembers

_QUOTINGS: Final = (
    Quoting.ESCAPED,
    Quoting.HEX_CHARACTERS,
    Quoting.HEX_UNPRINTABLE,
    Quoting.HEX_ALL,
)
_HIGHEST_SIGNAL: Final = 64  # _NSIG, asm/signal.h


def selection(options: Options) -> Selection:
    """Say what of the target is wanted."""
    shown = options.statuses
    # A summary counts all calls, whichever of them are shown.
    counting = options.summary is not Summary.NONE
    only_returned = shown == {Status.SUCCESSFUL} and not counting
    only_failed = shown == {Status.FAILED} and not counting
    # With -n the lines about signals and ends show the number of the last call, whichever it was.
    everything = options.trace.everything or (options.syscall_number and not options.seccomp_bpf)
    return Selection(
        syscalls=None if everything else with_multiplexers(wanted_numbers(options.trace)),
        signals=_signals(options),
        succeeded=not only_failed,
        failed=not only_returned,
        slower_than_ns=options.slower_than_ns,
        follow=options.follow,
        leave_at_execve=options.detach_on_execve,
        seccomp_bpf=options.seccomp_bpf,
        string_bytes=options.string_bytes,
        verbose=not options.abbrev.everything,
    )


def _signals(options: Options) -> frozenset[int] | None:
    if options.signals.inverted and not options.signals.listed:
        return None
    return options.signals.among(range(1, _HIGHEST_SIGNAL + 1))


def _statuses(options: Options) -> frozenset[Status] | None:
    """The statuses of the calls that are shown; None for all."""
    if options.slower_than_ns:  # how long a call takes is known when it has ended
        return options.statuses & {Status.SUCCESSFUL, Status.FAILED}
    return None if options.statuses == ALL_STATUSES else options.statuses


def wanted_numbers(wanted: CallSet) -> dict[Abi, frozenset[int]]:
    """List the numbers of a set; those that no table knows are always in it, as in strace."""
    found = {}
    for abi in Abi:
        known = numbers(abi)
        found[abi] = frozenset(nr for nr in range(LISTED) if nr not in known or (abi, nr) in wanted)
    return found


def _names(wanted: CallSet) -> frozenset[str]:
    """The names of all calls of a set."""
    return frozenset(
        name for abi in Abi for nr, (name, _count) in numbers(abi).items() if (abi, nr) in wanted
    )


def _others(wanted: CallSet) -> frozenset[str]:
    """The names of all calls that are not in a set."""
    if wanted.everything:
        return frozenset()
    return _names(CallSet(wanted.listed, not wanted.inverted))


def decoding(options: Options, filters: Filter | None) -> DecodeOptions:
    """Say how calls are decoded, and which of them are wanted."""
    raw = frozenset() if options.raw.empty else _names(options.raw)
    return DecodeOptions(
        string_bytes=options.string_bytes,
        whole=not options.abbrev.everything,
        abbreviated=frozenset() if options.abbrev.everything else _names(options.abbrev),
        raw=raw,
        undecoded=_others(options.verbose),
        syscalls=None if options.trace.everything else wanted_numbers(options.trace),
        wanted=filters.wants if filters is not None else None,
        processes=_processes() if DecodePid.COMM in options.decode_pids else None,
    )


def _processes() -> Processes:
    from pytracer.decode.processes import LiveProcesses

    return LiveProcesses()


def decoders(
    options: Options, decode: DecodeOptions, filters: Filter | None, stopped: bool
) -> tuple[Decoder, SignalDecoder]:
    """Make what decodes calls and signals. ``stopped``: the target is, while they do."""
    if decode.processes is None or stopped:
        told = _descriptors(options, decode.processes, filters, stopped)
        return Decoder(decode, told), SignalDecoder(decode.processes, told)
    from pytracer.decode.processes import NamingDecoder, SeenProcesses

    seen = SeenProcesses()
    told = _descriptors(options, seen, filters, stopped)
    return NamingDecoder(seen, replace(decode, processes=seen), told), SignalDecoder(seen, told)


def _descriptors(
    options: Options, names: Processes | None, filters: Filter | None, stopped: bool
) -> LiveDescriptors | None:
    """What explains descriptors, where they are shown; filters that ask get it in any case."""
    if not options.decode_fds and not options.paths:
        return None
    # Rarely needed, and large.
    from pytracer.decode.descriptors import LiveDescriptors
    from pytracer.decode.seen import SeenDescriptors

    comm = None if names is None else names.comm
    known = (LiveDescriptors if stopped else SeenDescriptors)(options.decode_fds, comm)
    if filters is not None:
        filters.names = known
    return known if options.decode_fds else None


def style(options: Options) -> Style:
    """Say how values are written."""
    return Style(
        quoting=_QUOTINGS[options.hex_strings],
        xlats=Xlats(options.xlats),
        abbreviate=not options.abbrev.empty,
        whole=frozenset() if options.abbrev.empty else _others(options.abbrev),
        undecoded=_others(options.verbose),
        arg_names=options.arg_names,
        column=options.column,
    )


def lines(options: Options) -> LineStyle:
    """Say which lines there are and what they begin and end with."""
    several = options.follow or len(options.pids) + bool(options.program) > 1
    to_one_file = options.output is not None and not options.separately
    return LineStyle(
        # What belongs to a group comes and goes: that one of it is alone says nothing.
        pid_prefix=(
            options.always_show_pid or options.grouped is not None or (to_one_file and several)
        ),
        bracket_pid=options.output is None,
        comm=DecodePid.COMM in options.decode_pids,
        stamp=options.stamp,
        stamp_digits=options.stamp_digits,
        relative=options.relative_digits,
        duration=options.times_digits,
        number=options.syscall_number,
        ip=options.instruction_pointer,
        statuses=_statuses(options),
        slower_than_ns=options.slower_than_ns,
        signals=_signals(options),
        quiet=options.quiet,
    )


def seen_mappings(options: Options, backend: str) -> Seen | None:
    """Make what remembers mappings, for stacks of processes that are, or were, not stopped."""
    if not options.stack_trace or backend == "ptrace":
        return None
    from pytracer.decode.frames.seen import Seen

    return Seen()


def stacks(options: Options, seen: Seen | None, known: Known | None = None) -> Stacks | None:
    """Make what tells stacks, if they are wanted.

    ``seen``: what :func:`seen_mappings` gave. ``known``: what a recording tells.
    """
    if not options.stack_trace:
        return None
    # They take ELF and DWARF with them.
    if seen is None and known is not None:
        from pytracer.decode.frames.recorded import RecordedStacks

        return RecordedStacks(known, options.stack_limit)
    from pytracer.decode.frames.stacks import Stacks

    return Stacks(options.stack_limit, bool(options.program), seen)


def _stacked(options: Options, stacks: Stacks | None) -> CallWriter | None:
    if stacks is None:
        return None
    from pytracer.output.text.stacked import StackWriter

    return StackWriter(style(options), lines(options), stacks)


def _stack_members(stacks: Stacks | None) -> StackMembers | None:
    if stacks is None:
        return None
    from pytracer.output.ndjson.stacked import StackMembers

    return StackMembers(stacks)


def _colored(
    options: Options, sink: Sink | Callable[[Task], Sink]
) -> Sink | Callable[[Task], Sink]:
    """The sink, or one before it that puts colours in (--color)."""
    if options.color is Color.NEVER:
        return sink
    if options.color is Color.AUTO and not _is_terminal(sink):
        return sink
    from pytracer.output.text.color import ColorSink

    return (lambda task: ColorSink(sink(task))) if callable(sink) else ColorSink(sink)


def _is_terminal(sink: Sink | Callable[[Task], Sink]) -> bool:
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return isinstance(sink, FileSink) and sink.fd >= 0 and os.isatty(sink.fd)


def output(
    options: Options,
    sink: Sink | Callable[[Task], Sink],
    backend: Backend,
    messages: Messages,
    signals: SignalDecoder,
    recorded: Header | None = None,
    stacks: Stacks | None = None,
) -> TextOutput | NdjsonOutput:
    """Make what writes the events. ``recorded``: where they come from a recording.

    ``stacks``: what :func:`stacks` gave.
    """
    offset_ns = backend.clock.wall_offset_ns
    if not options.json:
        return TextOutput(
            _colored(options, sink),
            style(options),
            lines(options),
            wall_offset_ns=offset_ns,
            message=messages.note,
            signals=signals,
            writer=_stacked(options, stacks),
        )
    from pytracer.output.ndjson.lines import NdjsonOutput, Start

    start = Start(
        backend.name if recorded is None else recorded.backend,
        os.uname().release if recorded is None else recorded.kernel,
        offset_ns,
        options.program,
        options.pids,
        options.string_bytes,
    )
    return NdjsonOutput(
        sink,
        start,
        style(options),
        lines(options),
        signals=signals,
        stacks=_stack_members(stacks),
    )
