"""Arrays of numbers, each with the name of its place: [[SK_MEMINFO_RCVBUF]=212992]."""

from __future__ import annotations

from pytracer.spec.context import Context
from pytracer.spec.values import Array, Base, Integer, Joined, Phrase, Symbol
from pytracer.spec.xlat import Xlat


def index_array(ctx: Context, data: bytes, names: Xlat, size: int, signed: bool = False) -> Array:
    """Numbers of ``size`` bytes, each with the name of its place."""
    items = []
    for index in range(len(data) // size):
        symbol = Symbol(index, names.name_of(index), names.unknown, Base.DEC)
        amount = int.from_bytes(data[size * index : size * index + size], "little", signed=signed)
        items.append(Joined((Phrase("["), symbol, Phrase("]="), Integer(amount)), ""))
    return Array(tuple(items), brief=ctx.string_bytes)
