"""Run pytracer so that one run is told twice: as text, and as JSON in a file beside it.

    python tests/output/together.py [OPTION]... -o FILE PROG [ARG]...

Text goes to FILE and objects to FILE.json. All options are those of pytracer.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    # Run as a file, lest the target inherits a changed environment.
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from pytracer.cli import building
from pytracer.cli.destination import FileSink
from pytracer.cli.main import main
from pytracer.cli.options import Options
from pytracer.decode.call import Call
from pytracer.event.schema import Event


class Both:
    """Two outputs as one."""

    def __init__(self, outputs: tuple[Any, Any]) -> None:
        self.outputs = outputs

    def handle(self, event: Event, call: Call | None = None) -> None:
        for output in self.outputs:
            output.handle(event, call)

    def flush(self) -> None:
        for output in self.outputs:
            output.flush()

    def close(self) -> None:
        for output in self.outputs:
            output.close()


def _complain(number: int) -> None:
    raise OSError(number, os.strerror(number))


def tell_twice() -> None:
    """Make the command line's output write JSON as well."""
    make = building.output

    def both(options: Options, sink: Any, *rest: Any, **more: Any) -> Any:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        beside = FileSink(os.open(f"{options.output}.json", flags, 0o600), _complain)
        json = options._replace(json=True)
        return Both((make(options, sink, *rest, **more), make(json, beside, *rest, **more)))

    building.output = both


if __name__ == "__main__":
    tell_twice()
    main()
