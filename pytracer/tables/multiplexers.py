"""Which calls of i386 stand for which others, by the number that their first argument is.

Apart from the descriptions, as filters want to know without reading those.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

# Source: include/uapi/linux/net.h
_SOCKETCALL: Final = """
    socket bind connect listen accept getsockname getpeername socketpair send recv sendto recvfrom
    shutdown setsockopt getsockopt sendmsg recvmsg accept4 recvmmsg sendmmsg
"""
MULTIPLEXERS: Final[Mapping[str, Mapping[int, str]]] = {
    "socketcall": dict(enumerate(_SOCKETCALL.split(), start=1)),
    # Source: include/uapi/linux/ipc.h
    "ipc": {
        **dict(enumerate(("semop", "semget", "semctl", "semtimedop"), start=1)),
        **dict(enumerate(("msgsnd", "msgrcv", "msgget", "msgctl"), start=11)),
        **dict(enumerate(("shmat", "shmdt", "shmget", "shmctl"), start=21)),
    },
}
