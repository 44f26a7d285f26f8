"""The entry point."""

from __future__ import annotations

import getopt
import os
import sys
from typing import TextIO

from pytracer.backend.base import Backend, BackendUnavailable, TargetError
from pytracer.backend.ptrace import PtraceBackend
from pytracer.cli.session import run
from pytracer.decode.catalogue import numbers
from pytracer.decode.decoder import DecodeOptions, Decoder
from pytracer.event.schema import Abi
from pytracer.output.text.lines import TextOutput
from pytracer.output.text.style import Style
from pytracer.target.selection import Attach, Launch, Selection, Target


def _resolve(program: str) -> bytes:
    if "/" in program:
        return os.fsencode(program)
    for folder in os.environ.get("PATH", "").split(":"):
        path = os.path.join(folder or ".", program)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return os.fsencode(path)
    raise SystemExit(f"{sys.argv[0]}: Cannot find executable '{program}'")


def main() -> None:
    """Trace what the command line says."""
    options, rest = getopt.getopt(sys.argv[1:], "fo:s:ve:p:", ["backend="])
    given = dict(options)
    names = given.get("-e", "").removeprefix("trace=").split(",") if "-e" in given else None
    wanted = None
    if names is not None:
        wanted = {
            abi: frozenset(nr for nr, (name, _) in numbers(abi).items() if name in names)
            for abi in Abi
        }
    string_bytes = int(given.get("-s", "32"))
    whole = "-v" in given
    selection = Selection(
        syscalls=wanted, follow="-f" in given, string_bytes=string_bytes, verbose=whole
    )
    target: Target
    if "-p" in given:
        target = Attach((int(given["-p"]),))
    else:
        env = tuple(k + b"=" + v for k, v in os.environb.items())
        target = Launch(_resolve(rest[0]), tuple(map(os.fsencode, rest)), env)
    sink: TextIO = sys.stderr
    if "-o" in given:
        sink = open(given["-o"], "w", encoding="latin-1")  # noqa: PTH123, SIM115
    try:
        backend: Backend
        if given.get("--backend") == "ebpf":
            from pytracer.backend.ebpf import EbpfBackend
            from pytracer.decode.plans import TablePlans

            backend = EbpfBackend(target, selection, TablePlans(string_bytes, whole, wanted))
        else:
            backend = PtraceBackend(target, selection)
        decoder = Decoder(DecodeOptions(string_bytes, whole))
        output = TextOutput(sink, Style(abbreviate=not whole))
        status = run(backend, decoder, output)
    except (TargetError, BackendUnavailable) as error:
        raise SystemExit(f"{sys.argv[0]}: {error}") from None
    sys.exit(status)
