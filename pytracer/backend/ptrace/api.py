"""The system calls of a tracer, through ctypes, without allocations on the hot path.

What is called for every stop goes through PyDLL: releasing the interpreter's lock costs
more than these calls take. Nothing here may block; :mod:`wait` blocks in poll.

Source: include/uapi/linux/ptrace.h, include/uapi/linux/wait.h, include/uapi/linux/audit.h
"""

from __future__ import annotations

import ctypes
import struct
from ctypes import c_int, c_long, c_ulong, c_void_p
from typing import Any, Final

PTRACE_PEEKUSER: Final = 3
PTRACE_CONT: Final = 7
PTRACE_GETREGS: Final = 12
PTRACE_DETACH: Final = 17
PTRACE_SYSCALL: Final = 24
PTRACE_GETEVENTMSG: Final = 0x4201
PTRACE_GETSIGINFO: Final = 0x4202
PTRACE_SEIZE: Final = 0x4206
PTRACE_INTERRUPT: Final = 0x4207
PTRACE_LISTEN: Final = 0x4208
PTRACE_GET_SYSCALL_INFO: Final = 0x420E

OP_NONE: Final = 0
OP_ENTRY: Final = 1
OP_EXIT: Final = 2
OP_SECCOMP: Final = 3

EVENT_FORK: Final = 1
EVENT_VFORK: Final = 2
EVENT_CLONE: Final = 3
EVENT_EXEC: Final = 4
EVENT_EXIT: Final = 6
EVENT_SECCOMP: Final = 7
EVENT_STOP: Final = 128

OPTION_SYSGOOD: Final = 1
OPTION_FORK: Final = 1 << EVENT_FORK
OPTION_VFORK: Final = 1 << EVENT_VFORK
OPTION_CLONE: Final = 1 << EVENT_CLONE
OPTION_EXEC: Final = 1 << EVENT_EXEC
OPTION_EXIT: Final = 1 << EVENT_EXIT
OPTION_SECCOMP: Final = 1 << EVENT_SECCOMP
OPTION_EXITKILL: Final = 1 << 20

WNOHANG: Final = 1
WALL: Final = 0x40000000

ARCH_X86_64: Final = 0xC000003E
ARCH_I386: Final = 0x40000003
X32_BIT: Final = 0x40000000

P_ALL: Final = 0
WSTOPPED: Final = 2
WEXITED: Final = 4
WNOWAIT: Final = 0x01000000

# A wait status whose low byte is 0x7f is a stop; the signal is above it, the event above that.
STATUS_STOPPED: Final = 0x7F
SYSCALL_TRAP: Final = 5 | 0x80  # SIGTRAP, marked by PTRACE_O_TRACESYSGOOD
STATUS_SYSCALL: Final = SYSCALL_TRAP << 8 | STATUS_STOPPED
STATUS_SECCOMP: Final = EVENT_SECCOMP << 16 | 5 << 8 | STATUS_STOPPED

# Calls without declared argument types cost half as much: a Python integer goes as a C int,
# so addresses and 64-bit values must be given as c_void_p.
_quick = ctypes.PyDLL(None)
ptrace: Any = _quick.ptrace
wait4: Any = _quick.wait4

_exact = ctypes.PyDLL(None, use_errno=True)
process_vm_readv: Any = _exact.process_vm_readv  # without argument types, too

# As ptrace, for the rare requests whose failure must be told or whose values are wide.
ptrace_exact = _exact.ptrace
ptrace_exact.argtypes = [c_long, c_long, c_void_p, c_void_p]
ptrace_exact.restype = c_long

waitid = _exact.waitid
waitid.argtypes = [c_int, c_int, c_void_p, c_int]
waitid.restype = c_int

sigprocmask = _exact.sigprocmask
sigprocmask.argtypes = [c_int, c_void_p, c_void_p]
sigprocmask.restype = c_int

read = _exact.read
read.argtypes = [c_int, c_void_p, c_ulong]
read.restype = c_long

signalfd = _exact.signalfd
signalfd.argtypes = [c_int, c_void_p, c_int]
signalfd.restype = c_int

prctl = _exact.prctl
prctl.argtypes = [c_int, c_ulong, c_ulong, c_ulong, c_ulong]
prctl.restype = c_int


def last_errno() -> int:
    """Tell why the last call of this module that failed did so."""
    return ctypes.get_errno()


class Buffer:
    """Memory at a fixed address that the kernel writes and Python reads.

    ``data`` is the bytearray, ``address`` and ``pointer`` where it lies, ``size`` its length.
    """

    __slots__ = ("_keep", "address", "data", "pointer", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self.data = bytearray(size)
        self._keep = (ctypes.c_char * size).from_buffer(self.data)
        self.address = ctypes.addressof(self._keep)
        self.pointer = c_void_p(self.address)


# struct ptrace_syscall_info: op, arch, instruction and stack pointers, then for an entry
# the number and six arguments, for an exit the value (signed) and whether it is an error.
SYSCALL_INFO_SIZE: Final = 96
unpack_entry = struct.Struct("<B3xI2Q7Q").unpack_from
unpack_exit = struct.Struct("<B3xI2Qq").unpack_from

SIGINFO_SIZE: Final = 128

# struct rusage begins with ru_utime, ru_stime: each seconds and microseconds.
RUSAGE_SIZE: Final = 144
_unpack_system_time = struct.Struct("<16xqq").unpack_from


def system_time_ns(usage: Buffer) -> int:
    """Read how long a process has been in the kernel, from a struct rusage."""
    seconds, microseconds = _unpack_system_time(usage.data)
    return int(seconds * 1_000_000_000 + microseconds * 1_000)


_message = Buffer(8)


def event_message(tid: int) -> int | None:
    """Read what comes with a ptrace event: a new task's id, a former id, an exit status.

    Errors: None when the task is gone.
    """
    if ptrace_exact(PTRACE_GETEVENTMSG, tid, None, _message.address) < 0:
        return None
    return int.from_bytes(_message.data, "little")


_siginfo = Buffer(SIGINFO_SIZE)


_USER_REGS_SIZE: Final = 216  # struct user_regs_struct, arch/x86/include/asm/user_64.h
_user_regs = Buffer(_USER_REGS_SIZE)


def registers(tid: int) -> bytes | None:
    """Read the registers of a stopped task; None when it is gone."""
    if ptrace_exact(PTRACE_GETREGS, tid, None, _user_regs.address) < 0:
        return None
    return bytes(_user_regs.data)


def signal_info(tid: int) -> bytes | None:
    """Read the siginfo_t of the signal that a task is stopped for.

    Errors: None when the task is gone, or stopped for no signal.
    """
    if ptrace_exact(PTRACE_GETSIGINFO, tid, None, _siginfo.address) < 0:
        return None
    return bytes(_siginfo.data)


# struct user_regs_struct, arch/x86/include/asm/user_64.h: byte offsets of ax and orig_ax.
_AX: Final = 10 * 8
_ORIG_AX: Final = 15 * 8
_ERESTART_RESTARTBLOCK: Final = -516 & 0xFFFF_FFFF  # include/linux/errno.h


def interrupted_call(tid: int) -> int | None:
    """Tell which call a stopped task was found in, when restart_syscall will go on with it.

    Errors: None when there is none, or the task is gone.
    """
    if ptrace_exact(PTRACE_PEEKUSER, tid, _AX, None) & 0xFFFF_FFFF != _ERESTART_RESTARTBLOCK:
        return None
    number: int = ptrace_exact(PTRACE_PEEKUSER, tid, _ORIG_AX, None)
    return number if number >= 0 else None
