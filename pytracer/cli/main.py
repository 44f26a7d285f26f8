"""The entry point: reads the command line, runs a session, says what went wrong, exits."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import typer
from typer.core import TyperCommand

from pytracer.backend.base import Backend, BackendUnavailable, TargetError
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
from pytracer.cli.reading import Action, Reader
from pytracer.cli.refusals import Refusals
from pytracer.cli.session import Session
from pytracer.decode.decoder import Decoder
from pytracer.output.text.lines import TextOutput


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

            sys.stdout.write(usage(messages.program))
            return 0
        case Action.VERSION:
            from pytracer.cli.help import version

            sys.stdout.write(version())
            return 0
        case Action.DOCTOR:
            from pytracer.cli.doctor import any_backend, examine, render

            sys.stdout.write(render(rows := examine()))
            return 0 if any_backend(rows) else 1
        case Options():
            return _trace(asked, messages)


def _trace(options: Options, messages: Messages) -> int:
    say_crashes(messages, whole=options.debug)
    choosing.choose(options)
    refusals = Refusals(messages)
    target = building.target(options)
    decoding = building.decoding(options, filter_for(options, messages))
    backend = choosing.make(options, target, building.selection(options), decoding, refusals.tell)
    if options.debug:
        messages.note(f"the backend is {backend.name}")
    session: Session | None = None
    interrupts: Interrupts | None = None
    destination = Destination(options, messages)
    text = TextOutput(
        destination.sink,
        building.style(options),
        building.lines(options),
        wall_offset_ns=backend.clock.wall_offset_ns,
        message=messages.note,
    )
    decoder = Decoder(decoding, building.descriptors(options))
    counting = CountingOutput(options, text) if options.summary is not Summary.NONE else None
    output = counting or text
    try:
        session = Session(options, backend, decoder, output, messages)
        interrupts = Interrupts(options.interruptible, session.interrupt)
        if options.duration_s is not None:
            interrupts.after(options.duration_s)
        _observe(session, backend, refusals)
    finally:
        Interrupts.cancel()
        backend.close()
        text.close()
        if counting is not None:
            destination.write(counting.table())
        destination.close()
    return _status(session, interrupts)


def _observe(session: Session, backend: Backend, refusals: Refusals) -> None:
    try:
        session.run(release_standard_descriptors)
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
