"""The command: reads its line, runs a session, says what went wrong."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import typer
from typer.core import TyperCommand

from pytracer.backend.base import BackendUnavailable
from pytracer.cli import choosing, exclusions, targeting
from pytracer.cli.messages import Failure, Messages, say_crashes
from pytracer.cli.options import Options
from pytracer.cli.reading import Action, Explain, Reader


class StraceCommand(TyperCommand):
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


@app.command(cls=StraceCommand)
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
    exclusions.check(options)
    if options.replay is not None:
        from pytracer.cli.replaying import replay

        return replay(options, messages)
    choosing.choose(options)
    target = targeting.target(options)
    with ExitStack() as stack:
        programs = choosing.begin(options, target)
        if programs is not None:
            stack.callback(programs.close)
        # All that decodes and writes is imported while the kernel checks the programs.
        from pytracer.cli.tracing import trace

        return trace(options, target, programs, messages)


def run(words: Sequence[str], messages: Messages) -> int:
    """Do what the words of a command line ask for, and give the exit status."""
    command = typer.main.get_command(app)
    status: int = command.main(
        args=list(words), prog_name=messages.program, standalone_mode=False, obj=messages
    )
    return status
