"""System V shared memory, semaphores and message queues; POSIX message queues."""

from __future__ import annotations

from pytracer.spec.abi import I386, X32, X86_64, Layout
from pytracer.spec.aggregate import ArrayOf, StructOf
from pytracer.spec.entry import syscall
from pytracer.spec.pointer import Bytes, In, Out, Path
from pytracer.spec.returns import HexResult, NewFd
from pytracer.spec.scalar import Enum, Fd, FlagSet, Int, Long, Mode, Number, Pointer, Size, UInt
from pytracer.spec.switch import Switch
from pytracer.spec.type import AnyBit, Type
from pytracer.spec.values import Base
from pytracer.tables.constants.files import O_CREAT
from pytracer.tables.constants.ipc import (
    IPC_64,
    IPC_GET_FLAGS,
    IPC_INFO,
    IPC_KEYS,
    IPC_SET,
    IPC_STAT,
    MQ_ATTR_FLAGS,
    MSG_COMMANDS,
    MSG_INFO,
    MSG_QUEUE_FLAGS,
    MSG_STAT,
    MSG_STAT_ANY,
    SEM_COMMANDS,
    SEM_INFO,
    SEM_OP_FLAGS,
    SEM_STAT,
    SEM_STAT_ANY,
    SHM_AT_FLAGS,
    SHM_COMMANDS,
    SHM_GET_FLAGS,
    SHM_HUGE_MASK,
    SHM_HUGE_SHIFT,
    SHM_STAT,
    SHM_STAT_ANY,
)
from pytracer.tables.constants.ipc import (
    SHM_INFO as SHM_INFO_COMMAND,
)
from pytracer.tables.structs.ipc import (
    MSGINFO,
    SEMINFO,
    SHM_INFO,
    SHMINFO,
    Command,
    GetFlags,
    MessageBuffer,
    msqid,
    semid,
    shmid,
)
from pytracer.tables.structs.openhow import OPEN_FLAGS
from pytracer.tables.structs.sigevent import SIGEVENT
from pytracer.tables.structs.time import TIMESPEC, TIMESPEC64

KEY = Enum(IPC_KEYS)
_COMMAND_MASK = ~IPC_64 & 0xFFFFFFFF


def _by_command(cases: dict[int | tuple[int, ...], Type]) -> Switch:
    return Switch("op", cases, Pointer(), mask=_COMMAND_MASK)


syscall(
    "shmget",
    key=KEY,
    size=Size(),
    shmflg=GetFlags(SHM_GET_FLAGS, (SHM_HUGE_SHIFT, SHM_HUGE_MASK)),
    classes="ipc",
)
syscall(
    "shmat",
    shmid=Int(),
    shmaddr=Pointer(),
    shmflg=FlagSet(SHM_AT_FLAGS),
    returns=HexResult(),
    classes="ipc memory",
)
syscall("shmdt", shmaddr=Pointer(), classes="ipc memory")
syscall("semget", key=KEY, nsems=Int(), semflg=GetFlags(IPC_GET_FLAGS), classes="ipc")
syscall("msgget", key=KEY, msgflg=GetFlags(IPC_GET_FLAGS), classes="ipc")

_WIDE: tuple[Layout, ...] = (X86_64, X32)
for _abis, _halves in ((_WIDE, False), ((I386,), True)):
    syscall(
        "shmctl",
        shmid=Int(),
        op=Command(SHM_COMMANDS),
        buf=_by_command(
            {
                IPC_SET: In(shmid(True, _halves)),
                (IPC_STAT, SHM_STAT, SHM_STAT_ANY): Out(shmid(False, _halves)),
                IPC_INFO: Out(SHMINFO),
                SHM_INFO_COMMAND: Out(SHM_INFO),
            }
        ),
        classes="ipc",
        abis=_abis,
    )
    syscall(
        "msgctl",
        msqid=Int(),
        op=Command(MSG_COMMANDS),
        buf=_by_command(
            {
                IPC_SET: In(msqid(True, _halves)),
                (IPC_STAT, MSG_STAT, MSG_STAT_ANY): Out(msqid(False, _halves)),
                (IPC_INFO, MSG_INFO): Out(MSGINFO),
            }
        ),
        classes="ipc",
        abis=_abis,
    )
syscall(
    "semctl",
    semid=Int(),
    semnum=Int(),
    op=Command(SEM_COMMANDS),
    arg=_by_command(
        {
            IPC_SET: In(semid(True)),
            (IPC_STAT, SEM_STAT, SEM_STAT_ANY): Out(semid(False)),
            (IPC_INFO, SEM_INFO): Out(SEMINFO),
        }
    ),
    classes="ipc",
)
SEMBUF = StructOf(
    sem_num=Number("ushort"),
    sem_op=Number("short"),
    sem_flg=FlagSet(SEM_OP_FLAGS, "ushort"),
)
syscall("semop", semid=Int(), sops=ArrayOf(SEMBUF, "nsops"), nsops=UInt(), classes="ipc")
for _name, _timespec in (("semtimedop", TIMESPEC), ("semtimedop_time64", TIMESPEC64)):
    syscall(
        _name,
        semid=Int(),
        sops=ArrayOf(SEMBUF, "nsops"),
        nsops=UInt(),
        timeout=In(_timespec),
        classes="ipc",
    )
syscall(
    "msgsnd",
    msqid=Int(),
    msgp=MessageBuffer("msgsz"),
    msgsz=Size(),
    msgflg=FlagSet(MSG_QUEUE_FLAGS),
    classes="ipc",
)
syscall(
    "msgrcv",
    msqid=Int(),
    msgp=Out(MessageBuffer("msgsz")),
    msgsz=Size(),
    msgtyp=Long(),
    msgflg=FlagSet(MSG_QUEUE_FLAGS),
    classes="ipc",
)


class Name(Path):
    """The name of a queue: shown like a path, but no file's."""

    classes = frozenset()


def _attributes(flags: Type) -> StructOf:
    return StructOf(
        mq_flags=flags,
        mq_maxmsg=Number("klong"),
        mq_msgsize=Number("klong"),
        mq_curmsgs=Number("klong"),
        _unused=Number("klong"),
        _unused2=Number("klong"),
        _unused3=Number("klong"),
        _unused4=Number("klong"),
        order=("mq_flags", "mq_maxmsg", "mq_msgsize", "mq_curmsgs"),
    )


_CREATING = AnyBit("flags", O_CREAT)
syscall(
    "mq_open",
    name=Name(),
    flags=OPEN_FLAGS,
    mode=Mode().when(_CREATING),
    attr=In(_attributes(Number("klong", Base.HEX))).when(_CREATING),
    returns=NewFd(),
    classes="desc",
)
syscall("mq_unlink", path=Name())
for _suffix, _timespec in (("", TIMESPEC), ("_time64", TIMESPEC64)):
    syscall(
        f"mq_timedsend{_suffix}",
        mqdes=Fd(),
        msg_ptr=Bytes(length="msg_len"),
        msg_len=Size(),
        msg_prio=UInt(),
        abs_timeout=In(_timespec),
    )
    syscall(
        f"mq_timedreceive{_suffix}",
        mqdes=Fd(),
        msg_ptr=Out(Bytes(length="ret")),
        msg_len=Size(),
        msg_prio=Out(UInt()),
        abs_timeout=In(_timespec),
    )
syscall("mq_notify", mqdes=Fd(), sevp=In(SIGEVENT))
_ATTR = _attributes(FlagSet(MQ_ATTR_FLAGS, "klong"))
syscall("mq_getsetattr", mqdes=Fd(), newattr=In(_ATTR), oldattr=Out(_ATTR))
