"""Descriptors that tell of events: eventfd, signalfd, inotify, fanotify."""

from __future__ import annotations

from pytracer.spec.entry import syscall
from pytracer.spec.pointer import Path
from pytracer.spec.returns import NewFd
from pytracer.spec.scalar import Enum, Fd, FlagSet, Int, Size, Split, UInt
from pytracer.tables.constants.poll import (
    EVENTFD_FLAGS,
    FAN_CLASS_CONTENT,
    FAN_CLASS_PRE_CONTENT,
    FAN_CLASSES,
    FAN_INIT_FLAGS,
    FAN_MARK_FLAGS,
    INOTIFY_EVENTS,
    INOTIFY_INIT_FLAGS,
)
from pytracer.tables.constants.signals import SFD_FLAGS
from pytracer.tables.structs.fanotify import FanDirFd, FanEvents
from pytracer.tables.structs.openhow import OPEN_FLAGS
from pytracer.tables.structs.signal import SigSetAt

NEW_FD = NewFd()
MASK = SigSetAt("sizemask")

syscall("eventfd", initval=UInt(), returns=NEW_FD, classes="desc")
syscall("eventfd2", initval=UInt(), flags=FlagSet(EVENTFD_FLAGS), returns=NEW_FD, classes="desc")
syscall("signalfd", fd=Fd(), mask=MASK, sizemask=Size(), returns=NEW_FD, classes="signal")
syscall(
    "signalfd4",
    fd=Fd(),
    mask=MASK,
    sizemask=Size(),
    flags=FlagSet(SFD_FLAGS),
    returns=NEW_FD,
    classes="signal",
)

syscall("inotify_init", returns=NEW_FD, classes="desc")
syscall("inotify_init1", flags=FlagSet(INOTIFY_INIT_FLAGS), returns=NEW_FD, classes="desc")
syscall("inotify_add_watch", fd=Fd(), pathname=Path(), mask=FlagSet(INOTIFY_EVENTS))
syscall("inotify_rm_watch", fd=Fd(), wd=Int())

syscall(
    "fanotify_init",
    flags=Split(
        FAN_CLASS_CONTENT | FAN_CLASS_PRE_CONTENT, Enum(FAN_CLASSES), FlagSet(FAN_INIT_FLAGS)
    ),
    event_f_flags=OPEN_FLAGS,
    returns=NEW_FD,
    classes="desc",
)
syscall(
    "fanotify_mark",
    fanotify_fd=Fd(),
    flags=FlagSet(FAN_MARK_FLAGS),
    mask=FanEvents(),
    dirfd=FanDirFd(),
    pathname=Path(at="dirfd"),
)
