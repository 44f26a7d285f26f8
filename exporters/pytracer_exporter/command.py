"""pytracer-exporter: reads the command line, starts counting and serving, says what went wrong.

The one place that prints and exits.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand

from pytracer import __version__
from pytracer_exporter import listening, log, settings, systemd, webconfig
from pytracer_exporter.configuration import Configuration
from pytracer_exporter.failing import EXPECTED, crashed, fail
from pytracer_exporter.reading import Watched
from pytracer_exporter.settings import BadSetting, Settings
from pytracer_exporter.webconfig import WebConfig

_EPILOG: Final = (
    "Options, metrics and the configuration file are described in docs/exporter.md. SIGHUP reads "
    "the configuration again; SIGTERM ends."
)


class Failure(Exception):
    """The one line with which the exporter gives up, exit status 1."""


class Command(TyperCommand):
    """Lets --all stand without a name, which click cannot express beside --all=NAME."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Give --all its name."""
        return super().parse_args(ctx, ["--all=all" if word == "--all" else word for word in args])


# Wrong usage of any kind; newer versions of typer carry click under a name of their own.
_UsageError: Final[Any] = typer.BadParameter.__base__

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

_Texts = list[str]


def _option(*names: str, metavar: str, help: str) -> Any:
    return typer.Option(*names, metavar=metavar, help=help, show_default=False)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"{log.PROGRAM} {__version__}")
        raise typer.Exit


@app.command(cls=Command, epilog=_EPILOG)
def export(
    unit: Annotated[
        _Texts | None,
        _option("--unit", metavar="[NAME=]UNIT", help="Watch a systemd unit, over restarts."),
    ] = None,
    pid: Annotated[
        _Texts | None,
        _option("--pid", metavar="[NAME=]PID", help="Watch a process and its children."),
    ] = None,
    cgroup: Annotated[
        _Texts | None,
        _option("--cgroup", metavar="[NAME=]PATH", help="Watch a control group and those below."),
    ] = None,
    container: Annotated[
        _Texts | None,
        _option("--container", metavar="[NAME=]ID", help="Watch a container."),
    ] = None,
    comm: Annotated[
        _Texts | None,
        _option(
            "--comm",
            metavar="[NAME=]PATTERN",
            help="Watch processes by their command name: *, ?, [a-z].",
        ),
    ] = None,
    everyone: Annotated[
        _Texts | None,
        _option("--all", metavar="[=NAME]", help="Watch whatever belongs to no other target."),
    ] = None,
    trace: Annotated[
        _Texts | None,
        _option(
            "-e",
            "--trace",
            metavar="trace=SET",
            help="Count these system calls alone: names, %classes, !SET; as pytracer's.",
        ),
    ] = None,
    listen: Annotated[
        _Texts | None,
        _option(
            "--listen",
            metavar="HOST:PORT",
            help="Listen there: 127.0.0.1:9435 by default; port 0 is any; may be repeated.",
        ),
    ] = None,
    config: Annotated[
        Path | None,
        _option("--config", metavar="FILE", help="Read options and targets from FILE, too (TOML)."),
    ] = None,
    web_config: Annotated[
        str | None,
        _option(
            "--web-config",
            metavar="FILE",
            help="TLS and basic authentication, in exporter-toolkit's format.",
        ),
    ] = None,
    backend: Annotated[
        str | None,
        _option(
            "--backend",
            metavar="auto|ebpf|ptrace",
            help="How to count; auto is ebpf where it works, else ptrace.",
        ),
    ] = None,
    buckets: Annotated[
        str | None,
        _option(
            "--buckets",
            metavar="COUNT|TIMES",
            help="Bounds of histograms: how many (28), or which, as 100us,1ms,10ms.",
        ),
    ] = None,
    max_series: Annotated[
        str | None,
        _option(
            "--max-series",
            metavar="N",
            help="Series of all system calls together (10000); more are counted as other.",
        ),
    ] = None,
    fd_type: Annotated[
        bool | None,
        typer.Option(
            "--fd-type/--no-fd-type",
            help="Tell calls apart by what their descriptor is: file, socket, pipe...",
            show_default=False,
        ),
    ] = None,
    cpu_time: Annotated[
        bool | None,
        typer.Option(
            "--cpu-time/--no-cpu-time", help="Measure CPU time of calls, too.", show_default=False
        ),
    ] = None,
    program_time: Annotated[
        bool | None,
        typer.Option(
            "--program-time/--no-program-time",
            help="Have the kernel measure what BPF programs take.",
            show_default=False,
        ),
    ] = None,
    user: Annotated[
        str | None,
        _option("--user", metavar="USER", help="Become USER once counting has begun."),
    ] = None,
    log_level: Annotated[
        str | None,
        _option("--log-level", metavar="|".join(log.LEVELS), help="What is logged (info)."),
    ] = None,
    check_config: Annotated[
        bool, typer.Option("--check-config", help="Check options and files, and end.")
    ] = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Tell the version."),
    ] = False,
) -> None:
    """Count system calls of services, and serve the counts to Prometheus."""
    words: dict[str, object] = {
        "trace": trace[-1] if trace else None,
        "listen": listen or None,
        "web-config": web_config,
        "backend": backend,
        "buckets": buckets,
        "max-series": max_series,
        "fd-type": fd_type,
        "cpu-time": cpu_time,
        "program-time": program_time,
        "user": user,
        "log-level": log_level,
    }
    targets = [
        *_watched("unit", unit),
        *_watched("pid", pid),
        *_watched("cgroup", cgroup),
        *_watched("container", container),
        *_watched("comm", comm),
        *(_target(name, "all", "--all", True) for name in everyone or ()),
    ]
    configuration = Configuration(_values(words), tuple(targets), config)
    wanted = configuration.read()
    web = webconfig.read(wanted.web_config) if wanted.web_config is not None else WebConfig()
    if check_config:
        _check(web)
        names = ", ".join(wanted.names)
        print(f"the configuration can be used; counted would be: {names}")
        return
    _run(configuration, wanted, web)


def _values(words: dict[str, object]) -> dict[str, object]:
    values: dict[str, object] = {}
    for key, given in words.items():
        if given is not None:
            try:
                values |= settings.value(key, given)
            except BadSetting as error:
                raise Failure(f"--{key}: {error}") from error
    return values


def _watched(criterion: str, given: Sequence[str] | None) -> Iterable[Watched]:
    for text in given or ():
        name, value = settings.named(text)
        yield _target(name, criterion, f"--{criterion} {text}", value)


def _target(name: str, criterion: str, word: str, value: object) -> Watched:
    try:
        return settings.target(name, criterion, value)
    except BadSetting as error:
        raise Failure(f"{word}: {error}") from error


def _check(web: WebConfig) -> None:
    if web.tls is not None:
        from pytracer_exporter.tls import protection

        protection(web.tls)


def _run(configuration: Configuration, wanted: Settings, web: WebConfig) -> None:
    from pytracer_exporter.daemon import Task
    from pytracer_exporter.start import begin

    log.begin(wanted.log_level)
    # Whoever has the configuration read again shall not end us before we can.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    sockets = systemd.inherited()
    # What systemd listens on stands for what we would ourselves, unless that was asked for.
    asked = wanted.listen != Settings().listen or not sockets
    sockets += listening.listen(wanted.listen) if asked else []
    begin(Task(configuration, wanted, web), sockets)


def main() -> None:
    """Run as a command: the one place that exits."""
    sys.excepthook = crashed
    command = typer.main.get_command(app)
    try:
        command.main(args=sys.argv[1:], prog_name=log.PROGRAM, standalone_mode=False)
    except _UsageError as error:
        told = error.format_message().rstrip(".")
        fail(f"{told}: {log.PROGRAM} --help tells what there is")
    except (Failure, *EXPECTED) as error:
        fail(error)
