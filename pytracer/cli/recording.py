"""Recordings (--record, --replay): whether options go with them, opening them, what is said."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pytracer import __version__
from pytracer.backend.recorder import Recording
from pytracer.cli.destination import link_is_trusted
from pytracer.cli.exclusions import alone
from pytracer.cli.messages import Failure, Messages, system_failure
from pytracer.cli.options import Options, Summary
from pytracer.cli.session import Output
from pytracer.decode.call import Call
from pytracer.decode.decoder import Decoder
from pytracer.decode.fingerprint import fingerprint
from pytracer.event.recording import SLICES, BadRecording, Header
from pytracer.event.schema import Abi, Event, TaskDetached, TaskNew
from pytracer.event.written import Known
from pytracer.output.style import Quiet
from pytracer.target.selection import Selection

if TYPE_CHECKING:
    from pytracer.backend.replay import ReplayBackend
    from pytracer.decode.decoder import DecodeOptions
    from pytracer.decode.seen import SeenDescriptors

# Keys of options that only say how calls are written.
_WRITING: Final = frozenset("aAinNrtTxX") | {"timestamps", "strings-in-hex", "always-show-pid"}
# In place of /proc: what is there now is of other processes.
_NOWHERE: Final = "/nowhere"
_TOLD: Final = frozenset({TaskNew, TaskDetached})


def open_recording(
    options: Options, selection: Selection, note: Callable[[str], None]
) -> Recording:
    """Open the file that --record names, for whatever the backend will see.

    Errors: Failure when it cannot be, or should not be.
    """
    assert options.record is not None
    useless = sorted(options.asked & _WRITING) if alone(options) else []
    if useless:
        name = useless[0] if len(useless[0]) > 1 else f"-{useless[0]}"
        note(f"{name} has no effect with --record and without -o/--output: give it with --replay")
    return Recording(_create(options.record), _header(options, selection), alone(options))


def close(recording: Recording, options: Options, messages: Messages) -> None:
    """Close a recording, and say what is wrong with it."""
    os.close(recording.fd)
    if recording.failure:
        why = os.strerror(recording.failure)
        messages.note(f"{options.record}: {why}: the recording is not whole")


def _header(options: Options, selection: Selection) -> Header:
    calls = selection.syscalls
    about: dict[str, Any] = {
        "follow": selection.follow,
        "string_bytes": selection.string_bytes,
        "verbose": selection.verbose,
        "succeeded": selection.succeeded,
        "failed": selection.failed,
        "descriptors": bool(options.decode_fds or options.paths),
        "stacks": options.stack_trace,
        "grouped": options.grouped is not None,
        "slower_than_ns": selection.slower_than_ns,
        "syscalls": None if calls is None else {abi.name: sorted(calls[abi]) for abi in Abi},
        "signals": None if selection.signals is None else sorted(selection.signals),
    }
    return Header(
        events="",
        wall_offset_ns=0,
        tables=fingerprint(),
        selection=about,
        program=options.program,
        pids=options.pids,
        version=__version__,
    )


def _create(name: str) -> int:
    # What a program read and wrote is in it: nobody else may have made it, or may read it.
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
    if not link_is_trusted(name):
        flags |= os.O_NOFOLLOW
    try:
        fd = os.open(name, flags, 0o600)
    except OSError as error:
        raise system_failure(f"Can't open '{name}' for --record", error.errno or 0) from error
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode):
        os.close(fd)
        raise Failure(f"--record: '{name}' is not a regular file: name one, or a new one")
    if status.st_uid != os.geteuid():
        os.close(fd)
        raise Failure(f"--record: '{name}' belongs to somebody else: remove it, or name another")
    try:
        os.fchmod(fd, 0o600)
        os.ftruncate(fd, 0)
    except OSError as error:
        os.close(fd)
        raise system_failure(f"Can't write '{name}'", error.errno or 0) from error
    return fd


def open_replay(options: Options) -> ReplayBackend:
    """Open the recording that --replay names.

    Errors: Failure for one that cannot be replayed.
    """
    from pytracer.backend.replay import ReplayBackend

    assert options.replay is not None
    try:
        return ReplayBackend(options.replay)
    except OSError as error:
        raise system_failure(f"Can't open '{options.replay}'", error.errno or 0) from error
    except BadRecording as error:
        raise Failure(f"--replay: '{options.replay}' cannot be replayed: {error}") from error


def adopt(options: Options, header: Header, note: Callable[[str], None]) -> Options:
    """Take over from a recording what decides about the text of a live run.

    ``note`` takes what the recording cannot tell although it was asked for.
    Errors: Failure where nothing is left to tell.
    """
    captured = header.selection
    if (options.decode_fds or options.paths) and not captured.get("descriptors"):
        name = "-y/--decode-fds" if options.decode_fds else "-P/--trace-path"
        raise Failure(f"{name}: the recording does not tell: record with --backend=ebpf -y")
    if options.stack_trace and not captured.get("stacks"):
        raise Failure("-k/--stack-trace: the recording does not tell: record with -k")
    counts_cpu = options.summary is not Summary.NONE and not options.summary_wall
    if counts_cpu and header.events == SLICES and not header.cpu_times:
        raise Failure("the recording tells no CPU time: use -w with -c or -C, or record again")
    string_bytes = captured.get("string_bytes")
    if isinstance(string_bytes, int) and string_bytes < options.string_bytes:
        if "s" in options.asked:
            note(f"-s/--string-limit: {string_bytes} bytes of each string were recorded")
        options = options._replace(string_bytes=string_bytes)
    if not captured.get("verbose") and not options.abbrev.everything:
        note("-v/--no-abbrev: it was not given when recording: long structures are not whole")
    if captured.get("syscalls") is not None and options.trace.everything and "e" in options.asked:
        note("-e trace: only what was chosen when recording is there")
    if header.tables and header.tables != fingerprint():
        note(
            f"the recording is of pytracer {header.version}, with other descriptions of system "
            f"calls: what they want and it lacks is shown as an address"
        )
    quiet = options.quiet
    told = options.json or {"q", "quiet"} & options.asked
    if header.program and options.output is not None and not told:
        quiet = quiet | {Quiet.ATTACH, Quiet.PERSONALITY}
    return options._replace(
        follow=options.follow or bool(captured.get("follow")),
        always_show_pid=options.always_show_pid or bool(captured.get("grouped")),
        program=header.program,
        pids=header.pids,
        quiet=quiet,
    )


def descriptors(options: Options) -> SeenDescriptors | None:
    """Say what is told about descriptors: what was recorded; None for nothing."""
    if not options.decode_fds and not options.paths:
        return None
    from pytracer.decode.seen import SeenDescriptors

    return SeenDescriptors(options.decode_fds, proc=_NOWHERE)


def decoder(options: Options, decoding: DecodeOptions, known: Known) -> Decoder:
    """Make what decodes a recording: nothing is asked of the live system."""
    from pytracer.decode.processes import NamingDecoder, SeenProcesses
    from pytracer.decode.witness import RecordedSockets

    told = descriptors(options) if options.decode_fds else None
    sockets = RecordedSockets(known)
    if decoding.processes is None:
        return Decoder(decoding, told, sockets)
    seen = SeenProcesses(Path(_NOWHERE))
    return NamingDecoder(seen, replace(decoding, processes=seen), told, sockets)


class OnlyTold:
    """Leaves calls out of an output: what is said about the tracing itself is said."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self.flush = output.flush

    def handle(self, event: Event, call: Call | None = None) -> None:
        """Hand on what is said about the tracing itself."""
        if type(event) in _TOLD:
            self._output.handle(event, call)
