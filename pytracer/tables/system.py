"""The machine as a whole: its names and load, its log, kernels, modules and ports."""

from __future__ import annotations

from typing import Any

from pytracer.spec.abi import Layout
from pytracer.spec.aggregate import ArrayOf, Chars, FixedArray, Pad, StructOf
from pytracer.spec.context import Context
from pytracer.spec.entry import syscall
from pytracer.spec.pointer import Bytes, Cstr, In, Out
from pytracer.spec.returns import HexResult, Result
from pytracer.spec.scalar import (
    Enum,
    Fd,
    FlagSet,
    Hex,
    Int,
    Number,
    Pointer,
    Scalar,
    Size,
    Split,
    UInt,
)
from pytracer.spec.switch import Absent, Switch
from pytracer.spec.type import DecodeAt, Equals, Scope
from pytracer.spec.values import Address, Base, Flags, Integer, Joined, Noted, Symbol, Value
from pytracer.spec.xlat import Xlat
from pytracer.tables.constants.kexec_reboot import (
    KEXEC_ARCH_MASK,
    KEXEC_ARCHS,
    KEXEC_FILE_FLAGS,
    KEXEC_FLAGS,
    LINUX_REBOOT_CMD_RESTART2,
    REBOOT_COMMANDS,
    REBOOT_MAGIC1,
    REBOOT_MAGIC2,
)
from pytracer.tables.constants.process import (
    DELETE_MODULE_FLAGS,
    GETRANDOM_FLAGS,
    MODULE_INIT_FLAGS,
    PER_MASK,
    PERSONALITY_FLAGS,
    PERSONALITY_TYPES,
    SYSLOG_ACTION_CLEAR,
    SYSLOG_ACTION_CLOSE,
    SYSLOG_ACTION_CONSOLE_LEVEL,
    SYSLOG_ACTION_CONSOLE_OFF,
    SYSLOG_ACTION_CONSOLE_ON,
    SYSLOG_ACTION_OPEN,
    SYSLOG_ACTION_READ,
    SYSLOG_ACTION_READ_ALL,
    SYSLOG_ACTION_READ_CLEAR,
    SYSLOG_ACTION_SIZE_BUFFER,
    SYSLOG_ACTION_SIZE_UNREAD,
    SYSLOG_ACTIONS,
)

_UTS_LENGTH = 64  # __NEW_UTS_LEN, include/uapi/linux/utsname.h
_KEXEC_SEGMENT_MAX = 16  # include/uapi/linux/kexec.h

_NAME = Chars(_UTS_LENGTH + 1, whole=True)
# struct new_utsname, include/uapi/linux/utsname.h
UTSNAME = StructOf(
    brief=("sysname", "nodename"),
    sysname=_NAME,
    nodename=_NAME,
    release=_NAME,
    version=_NAME,
    machine=_NAME,
    domainname=_NAME,
)
uname = syscall("uname", buf=Out(UTSNAME))
_word = Number("kulong")


class _Tail(Pad):
    """What is left of the 20 bytes that libc5 had at the end of struct sysinfo."""

    def __init__(self) -> None:
        super().__init__(0)

    def measure(self, abi: Layout) -> tuple[int, int, str]:
        size = 16 - 2 * abi.kernel_word
        return size, 1, f"{size}s"


# struct sysinfo, include/uapi/linux/sysinfo.h
SYSINFO = StructOf(
    uptime=_word,
    loads=FixedArray(_word, 3),
    totalram=_word,
    freeram=_word,
    sharedram=_word,
    bufferram=_word,
    totalswap=_word,
    freeswap=_word,
    procs=Number("ushort"),
    pad=Pad(2),
    totalhigh=_word,
    freehigh=_word,
    mem_unit=UInt(),
    tail=_Tail(),
)
sysinfo = syscall("sysinfo", info=Out(SYSINFO))


class Bounded(Bytes):
    """A buffer of at most ``most`` bytes: of a longer one, only the address is shown."""

    def __init__(self, length: str, most: int) -> None:
        super().__init__(length)
        self.most = most

    def bind_at(self, scope: Scope) -> DecodeAt:
        decode_bytes = super().bind_at(scope)
        number = scope.number(self.length)
        most = self.most

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            if number(ctx, frame) > most:
                return Address(address)
            value: Value = decode_bytes(ctx, address, frame)
            return value

        return decode_at


sethostname = syscall("sethostname", name=Bounded("len", _UTS_LENGTH), len=UInt())
setdomainname = syscall("setdomainname", name=Bounded("len", _UTS_LENGTH), len=UInt())
getrandom = syscall(
    "getrandom",
    buf=Out(Bytes(length="ret", escaped=True)),
    buflen=Size(),
    flags=FlagSet(GETRANDOM_FLAGS),
)


class Personality(Scalar):
    """A personality: a kind of system, and what to do otherwise than it does."""

    def __init__(self) -> None:
        super().__init__("uint")

    def make(self, number: int) -> Value:
        return Integer(number, Base.HEX) if number == 0xFFFFFFFF else personality_of(number)


def personality_of(number: int) -> Value:
    """The parts of a personality."""
    kind = number & PER_MASK
    name = Symbol(kind, PERSONALITY_TYPES.name_of(kind), PERSONALITY_TYPES.unknown)
    flags = number & ~PER_MASK
    if not flags:
        return name
    return Joined((name, Flags(flags, *PERSONALITY_FLAGS.names_in(flags))))


class PersonalityResult(HexResult):
    """The personality that there was."""

    def bind(self, scope: Scope) -> Result:
        def result(ctx: Context) -> tuple[Value | None, Value | None]:
            number = ctx.ret & 0xFFFFFFFF
            return Integer(ctx.ret, Base.HEX), personality_of(number)

        return result


personality = syscall("personality", persona=Personality(), returns=PersonalityResult())

# include/linux/kern_levels.h
_LEVELS = Xlat(
    "LOGLEVEL_???",
    (
        (0, "LOGLEVEL_EMERG"),
        (1, "LOGLEVEL_ALERT"),
        (2, "LOGLEVEL_CRIT"),
        (3, "LOGLEVEL_ERR"),
        (4, "LOGLEVEL_WARNING"),
        (5, "LOGLEVEL_NOTICE"),
        (6, "LOGLEVEL_INFO"),
        (7, "LOGLEVEL_DEBUG"),
        (8, "LOGLEVEL_DEBUG+1"),
    ),
)


class NotedEnum(Scalar):
    """A number with its name beside it, however constants are shown otherwise."""

    def __init__(self, xlat: Xlat) -> None:
        super().__init__("int")
        self.xlat = xlat

    def make(self, number: int) -> Value:
        return Noted(Integer(number), self.xlat.name_of(number) or self.xlat.unknown)


_READS = (SYSLOG_ACTION_READ, SYSLOG_ACTION_READ_ALL, SYSLOG_ACTION_READ_CLEAR)
_BARE = (
    SYSLOG_ACTION_CLOSE,
    SYSLOG_ACTION_OPEN,
    SYSLOG_ACTION_CLEAR,
    SYSLOG_ACTION_CONSOLE_OFF,
    SYSLOG_ACTION_CONSOLE_ON,
    SYSLOG_ACTION_SIZE_UNREAD,
    SYSLOG_ACTION_SIZE_BUFFER,
)
syslog = syscall(
    "syslog",
    type=NotedEnum(SYSLOG_ACTIONS),
    bufp=Switch(
        on="type", cases={_READS: Out(Bytes(length="ret")), _BARE: Absent()}, default=Pointer()
    ),
    len=Switch(
        on="type",
        cases={SYSLOG_ACTION_CONSOLE_LEVEL: NotedEnum(_LEVELS), _BARE: Absent()},
        default=Int(),
    ),
)

reboot = syscall(
    "reboot",
    magic=Enum(REBOOT_MAGIC1),
    magic2=Enum(REBOOT_MAGIC2),
    op=Enum(REBOOT_COMMANDS),
    arg=Cstr().when(Equals("op", LINUX_REBOOT_CMD_RESTART2)),
)


class Segments(ArrayOf):
    """Pieces of a kernel image; of more than there can be, only the address is shown."""

    def __init__(self, count: str) -> None:
        segment = StructOf(
            buf=Pointer(), bufsz=Number("ulong"), mem=Pointer(), memsz=Number("ulong")
        )
        super().__init__(segment, count)

    def bind_at(self, scope: Scope) -> DecodeAt:
        decode_array = super().bind_at(scope)
        number = scope.number(self.count)

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            if number(ctx, frame) > _KEXEC_SEGMENT_MAX:
                return Address(address)
            value: Value = decode_array(ctx, address, frame)
            return value

        return decode_at


kexec_load = syscall(
    "kexec_load",
    entry=Pointer(),
    nr_segments=Size(),
    segments=In(Segments("nr_segments")),
    flags=Split(
        KEXEC_ARCH_MASK, Enum(KEXEC_ARCHS, "kulong"), FlagSet(KEXEC_FLAGS, "kulong"), "kulong"
    ),
)
kexec_file_load = syscall(
    "kexec_file_load",
    kernel_fd=Fd(),
    initrd_fd=Fd(),
    cmdline_len=Size(),
    cmdline=Bytes(length="cmdline_len"),
    flags=FlagSet(KEXEC_FILE_FLAGS, "kulong"),
)
init_module = syscall("init_module", module_image=Pointer(), len=Size(), param_values=Cstr())
finit_module = syscall(
    "finit_module", fd=Fd(), param_values=Cstr(), flags=FlagSet(MODULE_INIT_FLAGS)
)
delete_module = syscall("delete_module", name=Cstr(), flags=FlagSet(DELETE_MODULE_FLAGS))

iopl = syscall("iopl", level=Int())
ioperm = syscall("ioperm", from_=Hex("kulong"), num=Hex("kulong"), turn_on=Int())
vhangup = syscall("vhangup")
_sysctl = syscall(
    "_sysctl",
    args=In(
        StructOf(
            name=Pointer(),
            nlen=Int(),
            oldval=Pointer(),
            oldlenp=Pointer(),
            newval=Pointer(),
            newlen=Number("ulong"),
        )
    ),
)
