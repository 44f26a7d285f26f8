"""What messages of NETLINK_ROUTE are: a structure that begins with a family, and attributes."""

from __future__ import annotations

from dataclasses import dataclass

from pytracer.spec.abi import X86_64
from pytracer.spec.aggregate import StructOf
from pytracer.spec.context import Context
from pytracer.spec.scalar import Enum
from pytracer.spec.type import Scope
from pytracer.spec.values import Struct, Value
from pytracer.tables.constants.network import ADDRESS_FAMILIES
from pytracer.tables.structs.nlattr import Attributes

FAMILY = Enum(ADDRESS_FAMILIES, "uchar")


@dataclass(frozen=True, slots=True)
class Message:
    """A message's structure and the attributes that may follow it, 4-byte aligned."""

    layout: StructOf
    attributes: Attributes

    def decode(self, ctx: Context, data: bytes) -> list[Value]:
        """Decode to the parts that stand beside the message's header."""
        size = self.layout.measure(X86_64)[0]
        family = data[0]
        if len(data) < size:
            first = next(iter(self.layout.fields))
            return [Struct(((first, FAMILY.make(family)),), more=True)]
        parts: list[Value] = [self.layout.bind(Scope(X86_64, {}))(ctx, data[:size], ())]
        offset = size + 3 & ~3
        if len(data) > offset:
            parts.append(self.attributes.decode(ctx, data[offset:], family))
        return parts
