"""The entry point: reads the command line, runs a session, says what went wrong, exits."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import typer
from typer.core import TyperCommand

from pytracer.backend.base import Backend, BackendUnavailable, TargetError
from pytracer.cli import building, choosing
from pytracer.cli import recording as recordings
from pytracer.cli.counting import CountingOutput
from pytracer.cli.destination import (
    Destination,
    protect_standard_descriptors,
    release_standard_descriptors,
)
from pytracer.cli.filters import filter_for
from pytracer.cli.interrupts import Interrupts, die_by
from pytracer.cli.messages import Failure, Messages, invoked_name, say_crashes
from pytracer.cli.options import OnFull, Options, Summary
from pytracer.cli.reading import Action, Explain, Reader
from pytracer.cli.recording import OnlyTold
from pytracer.cli.refusals import Refusals
from pytracer.cli.session import Output, Session
from pytracer.decode.decoder import Decoder
from pytracer.decode.siginfo import SignalDecoder
from pytracer.target.selection import Members

if TYPE_CHECKING:
    from pytracer.output.ndjson.lines import NdjsonOutput
    from pytracer.output.text.lines import TextOutput

# How much the target is preferred to the writing of its trace, where that need not keep up.
_NICE: Final = 10
# New objects between two looks for cycles of garbage.
_MANY_OBJECTS: Final = 100_000


class Command(TyperCommand):
    """A command whose words are strace's, which typer's own parser cannot express."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Leave all words to :mod:`pytracer.cli.grammar`."""
        ctx.args = args
        return args


app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.command(cls=Command)
def trace(ctx: typer.Context) -> int:
    """Trace system calls and signals."""
    messages: Messages = ctx.obj
    try:
        return _run(ctx.args, messages)
    except Failure as failure:
        messages.fail(failure)
    except BackendUnavailable as error:
        messages.note(
            f"--backend={error.backend} does not work here: {error.reason}; {error.remedy}"
        )
    return 1


def main() -> None:
    """Run as a command: the one place that exits."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # Until a session handles it, an interrupt ends us as it ends any program.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    protect_standard_descriptors()
    messages = Messages(invoked_name(sys.argv[0], os.environ.get("PATH", "")))
    say_crashes(messages, whole=False)
    command = typer.main.get_command(app)
    status = command.main(
        args=sys.argv[1:], prog_name=messages.program, standalone_mode=False, obj=messages
    )
    sys.exit(status)


def _run(words: Sequence[str], messages: Messages) -> int:
    asked = Reader(messages, os.getpid()).read(words)
    match asked:
        case Action.HELP:
            from pytracer.cli.help import usage

            messages.answer(usage(messages.program))
            return 0
        case Action.VERSION:
            from pytracer.cli.help import version

            messages.answer(version())
            return 0
        case Action.DOCTOR:
            from pytracer.cli.doctor import any_backend, examine, render

            messages.answer(render(rows := examine()))
            return 0 if any_backend(rows) else 1
        case Explain(call=call):
            from pytracer.cli.explain import explain

            messages.answer(explain(call))
            return 0
        case Action.JSON_SCHEMA:
            from pytracer.output.ndjson.schema import write

            messages.answer(write())
            return 0
        case Options():
            return _trace(asked, messages)


def _trace(options: Options, messages: Messages) -> int:
    say_crashes(messages, whole=options.debug)
    recordings.check(options)
    if options.replay is not None:
        return _replay(options, messages)
    choosing.choose(options)
    refusals = Refusals(messages)
    target = building.target(options)
    filters = filter_for(options, messages)
    decoding = building.decoding(options, filters)
    with ExitStack() as stack:
        destination = Destination(options, messages)
        stack.callback(destination.close)
        if isinstance(target, Members):
            target = replace(target, spared=destination.commands)
        selection = building.selection(options)
        recording = recordings.open_recording(options, selection, messages.note)
        if recording is not None:
            stack.callback(recordings.close, recording, options, messages)
        backend = choosing.make(
            options, target, selection, decoding, refusals.tell, messages.note, recording
        )
        if options.debug:
            messages.note(f"the backend is {backend.name}")
        stopped = backend.name == "ptrace"
        decoder, signals = building.decoders(options, decoding, filters, stopped)
        output = building.output(options, destination.sink, backend, messages, signals)
        session, counting = _session(
            options, backend, decoder, output, destination, messages, stack
        )
        # From here on signals are ours: the backend has noted how the program shall find them.
        interrupts = Interrupts(options.interruptible, session.interrupt, backend, messages.note)
        stack.callback(interrupts.cancel)
        if options.duration_s is not None:
            interrupts.after(options.duration_s)
        if options.interval_s is not None and counting is not None:
            interrupts.every(options.interval_s, counting.tick)
        _observe(session, refusals, _niceness(options, backend))
    return _status(session, interrupts)


def _replay(options: Options, messages: Messages) -> int:
    backend = recordings.open_replay(options)
    with ExitStack() as stack:
        stack.callback(backend.close)
        adopted = recordings.adopt(options, backend.header, messages.note)
        filters = filter_for(adopted, messages)
        decoding = building.decoding(adopted, filters)
        descriptors = recordings.descriptors(adopted)
        if filters is not None:
            filters.names = descriptors
        if not options.decode_fds:
            descriptors = None
        destination = Destination(options, messages)
        stack.callback(destination.close)
        backend.select(building.selection(adopted))
        decoder = recordings.decoder(adopted, decoding, backend.known)
        signals = SignalDecoder(decoder.options.processes, descriptors)
        output = building.output(
            adopted, destination.sink, backend, messages, signals, backend.header
        )
        session, _ = _session(adopted, backend, decoder, output, destination, messages, stack)
        interrupts = Interrupts(options.interruptible, session.interrupt, backend, messages.note)
        _observe(session, Refusals(messages))
    if interrupts.signo:
        return die_by(interrupts.signo)
    if backend.damage:
        messages.note(f"{options.replay}: {backend.damage}: shown is what can be read of it")
        return 1
    return 0


def _session(
    options: Options,
    backend: Backend,
    decoder: Decoder,
    output: TextOutput | NdjsonOutput,
    destination: Destination,
    messages: Messages,
    stack: ExitStack,
) -> tuple[Session, CountingOutput | None]:
    """Put a session together, and what counts, if that is wanted; ``stack`` ends both."""
    counting = None
    if options.summary is not Summary.NONE:
        counter = choosing.counter(backend)
        counting = CountingOutput(options, output, destination.write, counter)
    shown: Output = counting or output
    if options.record is not None and recordings.alone(options):
        shown = OnlyTold(output)
    session = Session(options, backend, decoder, shown, messages)
    stack.callback(session.tell_losses)
    if counting is not None:
        stack.callback(lambda: destination.write(counting.table()))
    stack.callback(output.close)
    stack.callback(backend.close)
    if counting is not None:
        stack.callback(counting.finish)
    return session, counting


def _niceness(options: Options, backend: Backend) -> int:
    """How much the target goes before the writing of its trace; what is held back goes behind."""
    if backend.name != "ebpf" or os.geteuid():
        return 0
    return _NICE if options.on_full is OnFull.DROP else -_NICE


def _observe(session: Session, refusals: Refusals, niceness: int = 0) -> None:
    def started() -> None:
        release_standard_descriptors()
        # The target has been started, or was there before: it runs ahead of what is written
        # about it. Who may not do without niceness again leaves it alone: the process that
        # empties the rings, made later, must not wait.
        if niceness:
            with suppress(PermissionError):
                os.setpriority(os.PRIO_PROCESS, 0, niceness)

    # Events hold no cycles: looking for some among them, time and again, costs a call as much
    # as decoding it does.
    gc.freeze()
    gc.set_threshold(_MANY_OBJECTS)
    try:
        session.run(started)
    except TargetError as error:
        refusals.tell(error) if error.pid else session.tell(error)


def _status(session: Session, interrupts: Interrupts) -> int:
    """The exit status, as strace has it: the program's, or 1 when nothing could be traced."""
    if interrupts.signo:
        return die_by(interrupts.signo)
    if session.status is None:
        return 0 if session.attached or session.waited else 1
    if os.WIFSIGNALED(session.status):
        return die_by(os.WTERMSIG(session.status))
    return os.WEXITSTATUS(session.status)
