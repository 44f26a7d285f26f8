"""Calls that i386 programs make through one call: those of the network."""

from __future__ import annotations

from pytracer.spec.abi import I386
from pytracer.spec.entry import BOOK, syscall
from pytracer.spec.multiplexed import Multiplexed
from pytracer.spec.pointer import Out
from pytracer.spec.scalar import Enum, Fd, Pointer, Size
from pytracer.spec.values import Base
from pytracer.spec.xlat import Xlat
from pytracer.tables import network, sockopts
from pytracer.tables.multiplexers import MULTIPLEXERS
from pytracer.tables.netlink.buffer import SocketBuffer
from pytracer.tables.structs.msghdr import MESSAGE_FLAGS

# The calls that this one stands for are described there.
__all__ = ["network", "sockopts"]

_NAMES = MULTIPLEXERS["socketcall"]
SOCKETCALLS = Xlat("", tuple((number, f"SYS_{name.upper()}") for number, name in _NAMES.items()))

syscall(
    "send",
    sockfd=Fd(),
    buf=SocketBuffer("len"),
    len=Size(),
    flags=MESSAGE_FLAGS,
    classes="network",
    abis=(I386,),
)
syscall(
    "recv",
    sockfd=Fd(),
    buf=Out(SocketBuffer("ret", room="len")),
    len=Size(),
    flags=MESSAGE_FLAGS,
    classes="network",
    abis=(I386,),
)
BOOK.add(
    Multiplexed(
        "socketcall",
        {"call": Enum(SOCKETCALLS, "int", Base.DEC), "args": Pointer()},
        {
            number: BOOK.entries[name, I386.index]
            for number, name in _NAMES.items()
            if (name, I386.index) in BOOK.entries
        },
        I386,
        in_memory=True,
        classes=frozenset({"desc"}),
    )
)
