"""Structures of System V interprocess communication.

Source: asm-generic/{ipcbuf,shmbuf,msgbuf,sembuf}.h and arch/x86/include/uapi/asm/*buf.h: i386 keeps
the
upper halves of times beside the lower ones, x86_64 keeps them in one.
"""

from __future__ import annotations

from typing import Any

from pytracer.spec.aggregate import Pad, StructOf
from pytracer.spec.context import Context
from pytracer.spec.plan import At, Fetch, From, Length, Planning
from pytracer.spec.pointer import CAPTURE_LIMIT, Pointee, read_buffer, unreadable
from pytracer.spec.scalar import Mode, Number, Pid, Scalar, Uid
from pytracer.spec.type import DecodeAt, Scope, Type
from pytracer.spec.values import Address, Base, Flags, Integer, Joined, Struct, Symbol, Value
from pytracer.spec.xlat import Xlat
from pytracer.tables.constants.ipc import IPC_64

_WHOLE = ("uid", "gid", "mode", "key", "cuid", "cgid")
_SET = ("uid", "gid", "mode")


def _permissions(shown: tuple[str, ...]) -> StructOf:
    return StructOf(
        None,
        shown,
        key=Number("uint"),
        uid=Uid(),
        gid=Uid(),
        cuid=Uid(),
        cgid=Uid(),
        mode=Mode("uint"),
        seq=Number("ushort"),
        _pad=Pad(2),
        _unused=Number("kulong"),
        _unused2=Number("kulong"),
    )


def _times(names: tuple[str, ...], halves: bool) -> dict[str, Type]:
    fields: dict[str, Type] = {}
    for name in names:
        fields[name] = Number("kulong")
        if halves:
            fields[f"_{name}_high"] = Number("kulong")
    return fields


def shmid(changing: bool, halves: bool) -> StructOf:
    """struct shmid64_ds; ``changing``: only what IPC_SET sets is shown."""
    order = (
        "shm_segsz",
        "shm_cpid",
        "shm_lpid",
        "shm_nattch",
        "shm_atime",
        "shm_dtime",
        "shm_ctime",
    )
    return StructOf(
        None,
        ("shm_perm",) if changing else ("shm_perm", *order),
        shm_perm=_permissions(_SET if changing else _WHOLE),
        shm_segsz=Number("kulong"),
        **_times(("shm_atime", "shm_dtime", "shm_ctime"), halves),
        shm_cpid=Pid(),
        shm_lpid=Pid(),
        shm_nattch=Number("kulong"),
        _unused=Number("kulong"),
        _unused2=Number("kulong"),
    )


def msqid(changing: bool, halves: bool) -> StructOf:
    """struct msqid64_ds; ``changing``: only what IPC_SET sets is shown."""
    times = ("msg_stime", "msg_rtime", "msg_ctime")
    counts = ("msg_qnum", "msg_qbytes", "msg_lspid", "msg_lrpid")
    return StructOf(
        None,
        ("msg_perm", "msg_qbytes") if changing else ("msg_perm", *times, *counts),
        msg_perm=_permissions(_SET if changing else _WHOLE),
        **_times(times, halves),
        _cbytes=Number("kulong"),
        msg_qnum=Number("kulong"),
        msg_qbytes=Number("kulong"),
        msg_lspid=Number("int"),
        msg_lrpid=Number("int"),
        _unused=Number("kulong"),
        _unused2=Number("kulong"),
    )


def semid(changing: bool) -> StructOf:
    """struct semid64_ds; ``changing``: only what IPC_SET sets is shown."""
    order = ("sem_perm", "sem_otime", "sem_ctime", "sem_nsems")
    return StructOf(
        None,
        ("sem_perm",) if changing else order,
        sem_perm=_permissions(_SET if changing else _WHOLE),
        sem_otime=Number("kulong"),
        _unused=Number("kulong"),
        sem_ctime=Number("kulong"),
        _unused2=Number("kulong"),
        sem_nsems=Number("kulong"),
        _unused3=Number("kulong"),
        _unused4=Number("kulong"),
    )


def _numbers(names: str, ctype: str = "int") -> StructOf:
    fields: dict[str, Type] = {name: Number(ctype) for name in names.split()}
    return StructOf(None, None, **fields)


SHMINFO = _numbers("shmmax shmmin shmmni shmseg shmall", "kulong")
SHM_INFO = StructOf(
    used_ids=Number("int"),
    shm_tot=Number("kulong"),
    shm_rss=Number("kulong"),
    shm_swp=Number("kulong"),
    swap_attempts=Number("kulong"),
    swap_successes=Number("kulong"),
)
SEMINFO = _numbers("semmap semmni semmns semmnu semmsl semopm semume semusz semvmx semaem")
MSGINFO = StructOf(
    msgpool=Number("int"),
    msgmap=Number("int"),
    msgmax=Number("int"),
    msgmnb=Number("int"),
    msgmni=Number("int"),
    msgssz=Number("int"),
    msgtql=Number("int"),
    msgseg=Number("ushort"),
)


class GetFlags(Scalar):
    """The last argument of the get calls: flags and permissions in one number.

    ``huge``: a number of bits that holds the logarithm of a page's size, and where it begins.
    """

    def __init__(self, xlat: Xlat, huge: tuple[int, int] | None = None) -> None:
        super().__init__("int")
        self.xlat = xlat
        self.huge = huge

    def make(self, number: int) -> Value:
        number &= 0xFFFFFFFF
        flags = number & ~0o777
        parts: list[Value] = []
        size = 0
        if self.huge is not None:
            shift, mask = self.huge
            size = flags >> shift & mask
            flags &= ~(mask << shift)
        if flags:
            parts.append(Flags(flags, *self.xlat.names_in(flags)))
        if size:
            by = Symbol(self.huge[0], "SHM_HUGE_SHIFT", "", Base.DEC) if self.huge else Integer(0)
            parts.append(Joined((Integer(size), by), "<<"))
        mode = Integer(number & 0o777, Base.MODE)
        return Joined((*parts, mode)) if parts else mode


class Command(Scalar):
    """What a control call is to do, with or without the mark of the current structures.

    The mark is shown first.
    """

    def __init__(self, xlat: Xlat) -> None:
        super().__init__("uint")
        self.xlat = xlat

    def make(self, number: int) -> Value:
        plain = number & ~IPC_64
        symbol = Symbol(plain, self.xlat.name_of(plain), self.xlat.unknown)
        return Joined((Symbol(IPC_64, "IPC_64"), symbol)) if number & IPC_64 else symbol


class MessageBuffer(Pointee):
    """struct msgbuf: a type, and as many bytes of text as ``length`` names."""

    def __init__(self, length: str) -> None:
        self.length = length

    def bind_at(self, scope: Scope) -> DecodeAt:
        word = scope.abi.kernel_word
        text = read_buffer(scope.number(self.length))

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            if not address:
                return Address(0)
            data = ctx.memory.read(address, word)
            if not isinstance(data, bytes):
                return unreadable(address, data)
            kind = Integer(int.from_bytes(data, "little", signed=True))
            return Struct((("mtype", kind), ("mtext", text(ctx, address + word, frame))), address)

        return decode_at

    def fetches_at(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        limit = min(planning.string_bytes, CAPTURE_LIMIT) + planning.abi.kernel_word
        length = Length(From.CONST, limit)
        return (Fetch(at, planning.phase, length, limit, False, planning.always),)
