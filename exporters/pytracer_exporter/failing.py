"""What is said when the exporter gives up: one line on standard error, exit status 1."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Final, NoReturn

from pytracer.backend.base import BackendUnavailable, TargetError
from pytracer_exporter.configuration import BadConfiguration
from pytracer_exporter.listening import CannotListen
from pytracer_exporter.log import PROGRAM, one_line
from pytracer_exporter.privileges import CannotDrop
from pytracer_exporter.reading import Unwatchable
from pytracer_exporter.webconfig import BadWebConfig

# What is wrong with what the user asked for, or with where it was asked.
EXPECTED: Final = (
    BackendUnavailable,
    BadConfiguration,
    BadWebConfig,
    CannotDrop,
    CannotListen,
    TargetError,
    Unwatchable,
)


def fail(reason: object) -> NoReturn:
    """Say why, and exit."""
    if isinstance(reason, BackendUnavailable):
        reason = f"--backend={reason.backend} does not work here: {reason.reason}; {reason.remedy}"
    print(f"{PROGRAM}: {one_line(str(reason))}", file=sys.stderr)
    sys.exit(1)


def crashed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Tell of an error of the exporter's own: what sys.excepthook is for."""
    told = one_line(f"{kind.__name__}: {error}")
    print(f"{PROGRAM}: internal error: {told} (please report it)", file=sys.stderr)
