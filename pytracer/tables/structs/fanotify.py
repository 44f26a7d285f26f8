"""Arguments of fanotify_mark."""

from __future__ import annotations

from typing import Any

from pytracer.spec.abi import Layout
from pytracer.spec.context import Context, Decode
from pytracer.spec.scalar import DirFd, FlagSet
from pytracer.spec.type import Scope
from pytracer.spec.values import Descriptor, Value
from pytracer.tables.constants.poll import FAN_EVENTS

FAN_NOFD = -1  # include/uapi/linux/fanotify.h


class FanEvents(FlagSet):
    """A mask of events in 64 bits: two registers on i386."""

    def __init__(self) -> None:
        super().__init__(FAN_EVENTS, "u64")

    def registers(self, abi: Layout) -> int:
        return 2 if abi.register_bytes == 4 else 1


class FanDirFd(DirFd):
    """Where a path starts; no descriptor at all has a name here."""

    def bind(self, scope: Scope) -> Decode:
        decode_fd = super().bind(scope)
        number = self.number(scope.abi)
        none = Descriptor(FAN_NOFD, "FAN_NOFD")

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Value:
            if number(raw) == FAN_NOFD:
                return none
            value: Value = decode_fd(ctx, raw, frame)
            return value

        return decode
