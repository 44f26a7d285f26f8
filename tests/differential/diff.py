"""Show where pytracer and strace differ on one program.

    python -m tests.differential.diff [--ebpf] [OPTION...] -- PROG [ARG...]
    python -m tests.differential.diff [--ebpf] [OPTION...] --c tests/programs/calls_files.c

OPTIONs before ``--`` that are not listed below go to both tracers as they are. By default the
program runs twice without address randomisation, once under strace and once under pytracer's
ptrace backend, and what truly differs between two runs (pids, times, random bytes) is hidden.
With ``--ebpf`` it runs once, under strace, watched by pytracer's ebpf backend, and nothing is
hidden. Lines of strace 6.1 are first rewritten into those of 7.2 by ``accepted.py``.

    --ebpf            compare on the same run, with the ebpf backend
    --c FILE.c        compile and run a C program; -m32 and -static before it are honoured
    --setup SHELL     run this in the empty working directory first
    --tracer COMMAND  compare with this command instead of pytracer (such as "strace")
    --raw             do not rewrite strace's lines into 7.2's
    --keep DIRECTORY  keep the logs there
    --show N          show N differing lines a system call (default 5)
    --timeout S       give up after S seconds (default 60)

Exit status: 0 equal, 1 different, 2 no comparison could be made.
"""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.differential.compare import compare, compare_same_run
from tests.differential.run import (
    PYTRACER,
    Program,
    RunFailed,
    following,
    separate,
    trace_together,
    trace_twice,
)
from tests.programs.build import BuildFailed, build


class _Usage(Exception):
    """The command line makes no sense; the message says why."""


@dataclass(slots=True)
class _Request:
    ebpf: bool = False
    raw: bool = False
    source: Path | None = None
    compile_flags: list[str] = field(default_factory=list)
    setup: str = ""
    tracer: tuple[str, ...] = ()
    keep: Path | None = None
    show: int = 5
    timeout_s: float = 60.0
    options: list[str] = field(default_factory=list)
    argv: list[str] = field(default_factory=list)


def _parse(words: Sequence[str]) -> _Request:
    request = _Request()
    rest = list(words)

    def value(option: str) -> str:
        if not rest:
            raise _Usage(f"{option} needs a value")
        return rest.pop(0)

    while rest:
        word = rest.pop(0)
        match word:
            case "--":
                request.argv = rest
                break
            case "--ebpf":
                request.ebpf = True
            case "--raw":
                request.raw = True
            case "--c":
                request.source = Path(value(word)).resolve()
            case "-m32" | "-static":
                request.compile_flags.append(word)
            case "--setup":
                request.setup = value(word)
            case "--tracer":
                request.tracer = tuple(shlex.split(value(word)))
            case "--keep":
                request.keep = Path(value(word))
            case "--show":
                request.show = int(value(word))
            case "--timeout":
                request.timeout_s = float(value(word))
            case "-h" | "--help":
                raise _Usage("")
            case _:
                request.options.append(word)
    if request.source is None and not request.argv:
        raise _Usage("give a program after --, or a C file with --c")
    return request


def column_of(options: Sequence[str]) -> int:
    """Return where "=" stands, less what precedes a line and is cut off before comparing."""
    column = 40
    for index, option in enumerate(options):
        if option == "-a" and index + 1 < len(options):
            column = int(options[index + 1])
        elif option.startswith("-a") and option[2:].isdigit():
            column = int(option[2:])
    return column - (6 if following(options) and not separate(options) else 0)


def main(words: Sequence[str]) -> int:
    """Run the comparison that the words ask for; return the exit status."""
    try:
        request = _parse(words)
        argv = list(request.argv)
        if request.source is not None:
            argv.insert(0, str(build(request.source, *request.compile_flags)))
        program = Program(tuple(argv), setup=request.setup, timeout_s=request.timeout_s)
        began = time.monotonic()
        if request.ebpf:
            tracer = request.tracer or (*PYTRACER, "--backend=ebpf")
            pair = trace_together(program, request.options, tracer, request.keep)
            report = compare_same_run(
                *pair, rewrite=not request.raw, column=column_of(request.options)
            )
        else:
            tracer = request.tracer or (*PYTRACER, "--backend=ptrace")
            pair = trace_twice(program, request.options, second=tracer, keep=request.keep)
            rewrite = not request.raw and tracer[0] != "strace"
            report = compare(*pair, rewrite=rewrite, column=column_of(request.options))
    except _Usage as error:
        print(error.args[0] or __doc__, file=sys.stderr)
        return 2
    except (RunFailed, BuildFailed, subprocess.SubprocessError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    print(report.text(request.show))
    tasks = len(pair[0].streams)
    print(f"({tasks} task{'s' * (tasks != 1)}, {time.monotonic() - began:.1f} s)")
    if not report and pair[1].stderr.strip():
        print("standard error of the second run ends with:")
        print("\n".join(pair[1].stderr.strip().splitlines()[-12:]))
    return 0 if report else 1


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # as "| head" expects
    sys.exit(main(sys.argv[1:]))
