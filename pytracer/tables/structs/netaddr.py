"""Network addresses, ports and interfaces, in the byte order of the wire."""

from __future__ import annotations

import socket
from functools import lru_cache
from typing import Any

from pytracer.spec.abi import Layout
from pytracer.spec.context import Context, Decode
from pytracer.spec.scalar import Scalar
from pytracer.spec.type import Scope, Type
from pytracer.spec.values import Function, Integer, Noted, Phrase, Text, Value


class Port(Scalar):
    """A port in network byte order: htons(80)."""

    def __init__(self) -> None:
        super().__init__("ushort")

    def make(self, number: int) -> Value:
        data = number.to_bytes(2, "little")
        host = int.from_bytes(data, "big")
        return Function("htons", (Integer(host),), Text(data, escaped=True))


class NetLong(Scalar):
    """A 32-bit number in network byte order: htonl(0)."""

    def __init__(self) -> None:
        super().__init__("uint")

    def make(self, number: int) -> Value:
        data = number.to_bytes(4, "little")
        host = int.from_bytes(data, "big")
        return Function("htonl", (Integer(host),), Text(data, escaped=True))


def inet_addr(data: bytes) -> Function:
    """An IPv4 address of four bytes: inet_addr("127.0.0.1")."""
    text = socket.inet_ntop(socket.AF_INET, data).encode()
    return Function("inet_addr", (Text(text, path=True),), Text(data, escaped=True))


def inet_pton(data: bytes, field: str = "") -> Value:
    """An IPv6 address of sixteen bytes: inet_pton(AF_INET6, "::1", &field)."""
    text = socket.inet_ntop(socket.AF_INET6, data).encode()
    args: tuple[Value, ...] = (
        Phrase("AF_INET6", socket.AF_INET6),
        Text(text, path=True),
    )
    raw = Text(data, escaped=True)
    return Function("inet_pton", args, raw, field)


class Inet4(Type):
    """An IPv4 address in a structure."""

    def measure(self, abi: Layout) -> tuple[int, int, str]:
        return 4, 4, "4s"

    def bind(self, scope: Scope) -> Decode:
        return lambda ctx, raw, frame: inet_addr(raw)


class Inet6(Type):
    """An IPv6 address in a structure."""

    def measure(self, abi: Layout) -> tuple[int, int, str]:
        return 16, 4, "16s"

    def bind(self, scope: Scope) -> Decode:
        return lambda ctx, raw, frame: inet_pton(raw)


@lru_cache(maxsize=256)
def interface(index: int) -> Value:
    """A network interface: if_nametoindex("lo"), or its number when it has no name (any more)."""
    index &= 0xFFFFFFFF
    if index:
        try:
            name = socket.if_indextoname(index)
        except OSError:
            return Integer(index)
        return Function("if_nametoindex", (Text(name.encode(), path=True),), Integer(index))
    return Integer(index)


class Interface(Scalar):
    """The index of a network interface."""

    def __init__(self, ctype: str = "uint") -> None:
        super().__init__(ctype)

    def make(self, number: int) -> Value:
        return interface(number)


class HardwareAddress(Type):
    """A link-layer address of so many bytes: 02:00:5e:00:00:01."""

    def __init__(self, size: int = 6) -> None:
        self.size = size

    def measure(self, abi: Layout) -> tuple[int, int, str]:
        return self.size, 1, f"{self.size}s"

    def bind(self, scope: Scope) -> Decode:
        def decode(ctx: Context, raw: bytes, frame: tuple[Any, ...]) -> Value:
            return hardware_address(raw)

        return decode


def hardware_address(data: bytes, most: int | None = None) -> Value:
    """Bytes of a link-layer address, with colons; at most ``most`` of them."""
    return Noted(Text(data, escaped=True), data[:most].hex(":"), instead=True)
