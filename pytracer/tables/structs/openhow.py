"""How a file is to be opened: the flags of open, and struct open_how of openat2."""

from __future__ import annotations

from typing import Any

from pytracer.spec.aggregate import StructOf
from pytracer.spec.context import Context, Decode
from pytracer.spec.scalar import FlagSet, Number
from pytracer.spec.type import Scope
from pytracer.spec.values import Base, Integer, Value
from pytracer.spec.versioned import Versioned
from pytracer.tables.constants.files import (
    __O_TMPFILE,
    O_ACCESS_MODES,
    O_ACCMODE,
    O_CREAT,
    O_FLAGS,
    OPENAT2_FLAGS,
    OPENAT2_RESOLVE,
)

OPEN_FLAGS = FlagSet(O_FLAGS, low=O_ACCMODE, choices=O_ACCESS_MODES)
# What of them a descriptor keeps, where no access mode is asked for: pipe2, dup3.
FD_STATUS_FLAGS = FlagSet(O_FLAGS)


_CREATES = O_CREAT | __O_TMPFILE


class _CreationMode(Number):
    """Permission bits, shown where a file may be created and wherever there are any."""

    def __init__(self) -> None:
        super().__init__("u64", Base.MODE)

    def bind(self, scope: Scope) -> Decode:
        flags = scope.number("flags")

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Value | None:
            if raw or flags(ctx, frame) & _CREATES:
                return Integer(raw, Base.MODE)
            return None

        return decode


OPEN_HOW = Versioned(
    StructOf(
        flags=FlagSet(OPENAT2_FLAGS, "u64", low=O_ACCMODE, choices=O_ACCESS_MODES),
        mode=_CreationMode(),
        resolve=FlagSet(OPENAT2_RESOLVE, "u64"),
    ),
    size="size",
    least=24,
)
