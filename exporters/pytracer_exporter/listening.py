"""Sockets to listen on."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from pytracer_exporter.settings import Address


class CannotListen(Exception):
    """An address cannot be listened on; the text is one line that says why, and what to do."""


def listen(addresses: Iterable[Address]) -> list[socket.socket]:
    """Bind a socket to each address.

    Errors: CannotListen, and none is left open.
    """
    found: list[socket.socket] = []
    try:
        for address in addresses:
            found.append(_bound(address))
    except OSError as error:
        for each in found:
            each.close()
        # Of a name that cannot be found, the number is not the system's.
        reason = error.strerror or os.strerror(error.errno or 0)
        raise CannotListen(
            f"--listen {address}: {reason}: choose another address, or port 0 for any that is free"
        ) from error
    return found


def _bound(address: Address) -> socket.socket:
    if not address.host:
        return _everywhere(address.port)
    # A name may have several: the first is taken, and of both families IPv4.
    known = socket.getaddrinfo(
        address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    family, _, _, _, where = min(known, key=lambda each: each[0] != socket.AF_INET)
    return _socket(family, where)


def _everywhere(port: int) -> socket.socket:
    with suppress(OSError):  # there may be no IPv6
        return _socket(socket.AF_INET6, ("::", port), both=True)
    return _socket(socket.AF_INET, ("0.0.0.0", port))


def _socket(family: int, where: Any, *, both: bool = False) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not both)
        made.bind(where)
        # At once: that the port is taken may not be known before.
        made.listen()
    except OSError:
        made.close()
        raise
    return made


def told(listening: socket.socket) -> str:
    """The address of a socket, as it is written in an URL."""
    name = listening.getsockname()
    if listening.family == socket.AF_INET6:
        return f"[{name[0]}]:{name[1]}"
    return f"{name[0]}:{name[1]}" if isinstance(name, tuple) else str(name)
