"""Arguments that are passed in memory: those of the oldest calls of i386."""

from __future__ import annotations

from typing import Any

from pytracer.spec.aggregate import StructOf
from pytracer.spec.context import Context
from pytracer.spec.plan import At, Fetch, Planning
from pytracer.spec.pointer import Pointee
from pytracer.spec.type import DecodeAt, Scope
from pytracer.spec.values import Joined, Struct, Value


class Indirect(Pointee):
    """A block of arguments, shown as if they had come in registers."""

    def __init__(self, arguments: dict[str, Any]) -> None:
        self.block = StructOf(**arguments)

    def bind_at(self, scope: Scope) -> DecodeAt:
        decode_block = self.block.bind_at(scope)

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            found: Value = decode_block(ctx, address, frame)
            if isinstance(found, Struct):
                return Joined(tuple(value for _, value in found.fields), ", ")
            return found

        return decode_at

    def fetches_at(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        return self.block.fetches_at(at, planning)
