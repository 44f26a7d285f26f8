"""fcntl, the call of many commands."""

from __future__ import annotations

from pytracer.spec.abi import I386
from pytracer.spec.choice import ByAbi
from pytracer.spec.entry import syscall
from pytracer.spec.pointer import In, Out
from pytracer.spec.scalar import Enum, Fd, FlagSet, Hex, Long, Pid, UInt
from pytracer.spec.switch import Absent, Switch
from pytracer.spec.type import Type
from pytracer.tables.constants.files import (
    DN_FLAGS,
    F_ADD_SEALS,
    F_DUPFD,
    F_DUPFD_CLOEXEC,
    F_DUPFD_QUERY,
    F_GET_FILE_RW_HINT,
    F_GET_RW_HINT,
    F_GET_SEALS,
    F_GETDELEG,
    F_GETFD,
    F_GETFL,
    F_GETLEASE,
    F_GETLK,
    F_GETLK64,
    F_GETOWN,
    F_GETOWN_EX,
    F_GETPIPE_SZ,
    F_GETSIG,
    F_LOCK_TYPES,
    F_NOTIFY,
    F_OFD_GETLK,
    F_OFD_SETLK,
    F_OFD_SETLKW,
    F_SEALS,
    F_SET_FILE_RW_HINT,
    F_SET_RW_HINT,
    F_SETDELEG,
    F_SETFD,
    F_SETFL,
    F_SETLEASE,
    F_SETLK,
    F_SETLK64,
    F_SETLKW,
    F_SETLKW64,
    F_SETOWN,
    F_SETOWN_EX,
    F_SETPIPE_SZ,
    F_SETSIG,
    FCNTL_COMMANDS,
    FD_FLAGS,
    RWH_HINTS,
)
from pytracer.tables.structs.flock import (
    DELEGATION,
    FLOCK,
    FLOCK64,
    FLOCK64_HELD,
    FLOCK_HELD,
    OWNER,
    FcntlResult,
)
from pytracer.tables.structs.openhow import OPEN_FLAGS
from pytracer.tables.structs.signal import SignalNumber

HINT = Enum(RWH_HINTS, "u64")

COMMANDS: dict[int | tuple[int, ...], Type] = {
    (F_GETFD, F_GETFL, F_GETOWN, F_GETSIG, F_GETLEASE, F_GETPIPE_SZ, F_GET_SEALS): Absent(),
    (F_DUPFD, F_DUPFD_CLOEXEC, F_SETPIPE_SZ): ByAbi(Long(), i386=UInt()),
    F_DUPFD_QUERY: Fd(),
    F_SETFD: FlagSet(FD_FLAGS),
    F_SETFL: OPEN_FLAGS,
    F_SETOWN: Pid(),
    F_SETSIG: SignalNumber(),
    F_SETLEASE: Enum(F_LOCK_TYPES, "kulong"),
    F_NOTIFY: FlagSet(DN_FLAGS, "kulong"),
    F_ADD_SEALS: FlagSet(F_SEALS, "kulong"),
    (F_SETLK, F_SETLKW): In(FLOCK),
    F_GETLK: Out(FLOCK_HELD),
    (F_OFD_SETLK, F_OFD_SETLKW): In(FLOCK64),
    F_OFD_GETLK: Out(FLOCK64_HELD),
    F_SETOWN_EX: In(OWNER),
    F_GETOWN_EX: Out(OWNER),
    (F_GET_RW_HINT, F_GET_FILE_RW_HINT): Out(HINT),
    (F_SET_RW_HINT, F_SET_FILE_RW_HINT): In(HINT),
    F_GETDELEG: Out(DELEGATION),
    F_SETDELEG: In(DELEGATION),
}
COMMANDS64 = {
    **COMMANDS,
    (F_SETLK64, F_SETLKW64): In(FLOCK64),
    F_GETLK64: Out(FLOCK64_HELD),
}

syscall(
    "fcntl",
    fd=Fd(),
    op=Enum(FCNTL_COMMANDS),
    arg=Switch(on="op", cases=COMMANDS, default=Hex("kulong")),
    returns=FcntlResult(),
)
syscall(
    "fcntl64",
    fd=Fd(),
    op=Enum(FCNTL_COMMANDS),
    arg=Switch(on="op", cases=COMMANDS64, default=Hex("kulong")),
    returns=FcntlResult(),
    abis=(I386,),
)
