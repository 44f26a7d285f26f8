"""What systemd and a service say to each other: readiness, watchdog, sockets.

Source: sd_notify(3), sd_watchdog_enabled(3), sd_listen_fds(3).
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from typing import Final

_FIRST_FD: Final = 3
_MOST_FDS: Final = 64


def notify(state: str, environment: Mapping[str, str] = os.environ) -> None:
    """Tell the service manager, if there is one that listens."""
    address = environment.get("NOTIFY_SOCKET", "")
    if address[:1] not in ("/", "@"):
        return
    with (
        suppress(OSError),  # it does not matter enough to end for
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender,
    ):
        sender.sendto(state.encode(), address.replace("@", "\0", 1))


def watchdog_s(environment: Mapping[str, str] = os.environ) -> float | None:
    """How often the watchdog expects to hear of us; None when there is none."""
    if environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    text = environment.get("WATCHDOG_USEC", "")
    return int(text) / 1e6 if text.isascii() and text.isdigit() and int(text) else None


def inherited(environment: MutableMapping[str, str] = os.environ) -> list[socket.socket]:
    """Take the listening sockets that systemd has opened for us."""
    count = environment.pop("LISTEN_FDS", "")
    pid = environment.pop("LISTEN_PID", "")
    environment.pop("LISTEN_FDNAMES", None)
    if pid != str(os.getpid()) or not (count.isascii() and count.isdigit()):
        return []
    found = []
    for fd in range(_FIRST_FD, _FIRST_FD + min(int(count), _MOST_FDS)):
        os.set_inheritable(fd, False)
        found.append(socket.socket(fileno=fd))
    return found
