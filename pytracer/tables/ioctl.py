"""ioctl, whose request decides what its argument is."""

from __future__ import annotations

from pytracer.spec.entry import syscall
from pytracer.spec.scalar import Fd
from pytracer.tables.ioctls.request import Answer, Argument, Request

syscall("ioctl", fd=Fd(), op=Request(), argp=Argument(), returns=Answer())
