"""What can be told about descriptors: the command line's words for it."""

from __future__ import annotations

from enum import Enum


class Told(Enum):
    """What is told about descriptors (-e decode-fds=)."""

    PATH = "path"
    SOCKET = "socket"
    DEVICE = "dev"
    PIDFD = "pidfd"
    EVENTFD = "eventfd"
    SIGNALFD = "signalfd"
