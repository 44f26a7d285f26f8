"""The call that a restarted call goes on with."""

from __future__ import annotations

from typing import Any

from pytracer.spec.abi import Layout
from pytracer.spec.context import Context, Decode
from pytracer.spec.type import Scope, Type
from pytracer.spec.values import Phrase, Value


class Resumed(Type):
    """Which call restart_syscall goes on with. No argument of it: it takes none."""

    def registers(self, abi: Layout) -> int:
        return 0

    def bind(self, scope: Scope) -> Decode:
        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Value:
            return Phrase(f"<... resuming interrupted {ctx.interrupted or 'system call'} ...>")

        return decode
