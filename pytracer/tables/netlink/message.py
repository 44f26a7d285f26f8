"""What messages are made of: a structure that begins with a family, and attributes."""

from __future__ import annotations

from dataclasses import dataclass

from pytracer.spec.abi import X86_64
from pytracer.spec.aggregate import StructOf
from pytracer.spec.context import Context
from pytracer.spec.scalar import Enum
from pytracer.spec.type import Scope
from pytracer.spec.values import Struct, Value
from pytracer.tables.constants.network import ADDRESS_FAMILIES
from pytracer.tables.netlink.attributes import Payload, raw

FAMILY = Enum(ADDRESS_FAMILIES, "uchar")


@dataclass(frozen=True, slots=True)
class Message:
    """A message's structure and the attributes that may follow it, 4-byte aligned."""

    layout: StructOf
    attributes: Payload | None = None

    def decode(self, ctx: Context, data: bytes) -> list[Value]:
        """Decode to the parts that stand beside the message's header."""
        size = self.layout.measure(X86_64)[0]
        family = data[0]
        if len(data) < size:
            first, kind = next(iter(self.layout.fields.items()))
            name = kind.make(family) if isinstance(kind, Enum) else FAMILY.make(family)
            return [Struct(((first, name),), more=True)]
        parts: list[Value] = [self.layout.bind(Scope(X86_64, {}))(ctx, data[:size], ())]
        offset = size + 3 & ~3
        if len(data) > offset and self.attributes is not None:
            value = self.attributes(ctx, data[offset:], family)
            parts.append(value if value is not None else raw(ctx, data[offset:]))
        return parts


def unknown_message(ctx: Context, data: bytes) -> list[Value]:
    """Decode a message of which only the family is known."""
    fields: list[tuple[str, Value]] = [("family", FAMILY.make(data[0]))]
    if len(data) > 1:
        fields.append(("data", raw(ctx, data[1:])))
    return [Struct(tuple(fields))]
