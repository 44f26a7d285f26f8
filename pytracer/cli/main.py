"""The entry point: reads the command line, runs a session, says what went wrong, exits."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, Final

import typer
from typer.core import TyperCommand

from pytracer.backend.base import BackendUnavailable, TargetError
from pytracer.cli import building, choosing
from pytracer.cli.counting import CountingOutput
from pytracer.cli.destination import (
    Destination,
    protect_standard_descriptors,
    release_standard_descriptors,
)
from pytracer.cli.filters import filter_for
from pytracer.cli.interrupts import Interrupts, die_by
from pytracer.cli.messages import Failure, Messages, invoked_name, say_crashes
from pytracer.cli.options import Options, Summary
from pytracer.cli.reading import Action, Explain, Reader
from pytracer.cli.refusals import Refusals
from pytracer.cli.session import Session
from pytracer.decode.decoder import Decoder
from pytracer.decode.siginfo import SignalDecoder

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
    choosing.choose(options)
    refusals = Refusals(messages)
    target = building.target(options)
    filters = filter_for(options, messages)
    decoding = building.decoding(options, filters)
    with ExitStack() as stack:
        destination = Destination(options, messages)
        stack.callback(destination.close)
        selection = building.selection(options)
        backend = choosing.make(options, target, selection, decoding, refusals.tell, messages.note)
        if options.debug:
            messages.note(f"the backend is {backend.name}")
        descriptors = building.descriptors(options, backend.name == "ptrace")
        if filters is not None:
            filters.names = descriptors
        if not options.decode_fds:
            descriptors = None
        signals = SignalDecoder(decoding.processes, descriptors)
        text = building.output(options, destination.sink, backend, messages, signals)
        decoder = Decoder(decoding, descriptors)
        counting = None
        if options.summary is not Summary.NONE:
            counter = choosing.counter(backend)
            counting = CountingOutput(options, text, destination.write, counter)
        session = Session(options, backend, decoder, counting or text, messages)
        stack.callback(session.tell_losses)
        if counting is not None:
            stack.callback(lambda: destination.write(counting.table()))
        stack.callback(text.close)
        stack.callback(backend.close)
        if counting is not None:
            stack.callback(counting.finish)
        # From here on signals are ours: the backend has noted how the program shall find them.
        interrupts = Interrupts(options.interruptible, session.interrupt)
        stack.callback(interrupts.cancel)
        if options.duration_s is not None:
            interrupts.after(options.duration_s, backend.give_up)
        if options.interval_s is not None and counting is not None:
            interrupts.every(options.interval_s, counting.tick)
        _observe(session, refusals, backend.name == "ebpf")
    return _status(session, interrupts)


def _observe(session: Session, refusals: Refusals, can_wait: bool) -> None:
    def started() -> None:
        release_standard_descriptors()
        # The target has been started, or was there before: it runs ahead of what is written
        # about it. Who may not do without niceness again leaves it alone: the process that
        # empties the rings, made later, must not wait.
        if can_wait and not os.geteuid():
            os.setpriority(os.PRIO_PROCESS, 0, _NICE)

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
        return 0 if session.attached else 1
    if os.WIFSIGNALED(session.status):
        return die_by(os.WTERMSIG(session.status))
    return os.WEXITSTATUS(session.status)
