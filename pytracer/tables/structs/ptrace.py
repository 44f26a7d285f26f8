"""What ptrace tells and is told, beside registers."""

from __future__ import annotations

import struct
from typing import Any, Final

from pytracer.spec.aggregate import StructOf
from pytracer.spec.context import Context
from pytracer.spec.plan import At, Fetch, From, Length, Planning
from pytracer.spec.pointer import Pointee, named_length, unreadable
from pytracer.spec.scalar import FlagSet, Number, Scalar
from pytracer.spec.type import DecodeAt, Scope
from pytracer.spec.values import (
    Address,
    Array,
    Base,
    Integer,
    Noted,
    Phrase,
    Struct,
    Symbol,
    Value,
)
from pytracer.spec.xlat import Xlat
from pytracer.tables.constants.errno import ERRNO
from pytracer.tables.constants.process import (
    AUDIT_ARCH,
    PTRACE_PEEKSIGINFO_FLAGS,
    PTRACE_SYSCALL_INFO_ENTRY,
    PTRACE_SYSCALL_INFO_EXIT,
    PTRACE_SYSCALL_INFO_OPS,
    PTRACE_SYSCALL_INFO_SECCOMP,
)
from pytracer.tables.structs.siginfo import called

# struct user, arch/x86/include/asm/user_64.h: the registers, then what stands behind them.
_REGISTERS: Final = (
    "R15 R14 R13 R12 RBP RBX R11 R10 R9 R8 RAX RCX RDX RSI RDI ORIG_RAX RIP CS EFL RSP SS"
)
_USER: Final = (
    *((8 * i, f"8*{name}") for i, name in enumerate(_REGISTERS.split())),
    (216, "offsetof(struct user, u_fpvalid)"),
    (224, "offsetof(struct user, i387)"),
    (736, "offsetof(struct user, u_tsize)"),
    (744, "offsetof(struct user, u_dsize)"),
    (752, "offsetof(struct user, u_ssize)"),
    (760, "offsetof(struct user, start_code)"),
    (768, "offsetof(struct user, start_stack)"),
    (776, "offsetof(struct user, signal)"),
    (784, "offsetof(struct user, reserved)"),
    (792, "offsetof(struct user, u_ar0)"),
    (800, "offsetof(struct user, u_fpstate)"),
    (808, "offsetof(struct user, magic)"),
    (816, "offsetof(struct user, u_comm)"),
    (848, "offsetof(struct user, u_debugreg)"),
    (912, "sizeof(struct user)"),
)
USER_OFFSETS: Final = Xlat("", _USER)


class UserOffset(Scalar):
    """A place in struct user."""

    def __init__(self) -> None:
        super().__init__("kulong")

    def make(self, number: int) -> Value:
        below = [(offset, name) for offset, name in _USER if offset <= number]
        offset, name = below[-1]
        if not number:
            # Without its name it is an address like any other.
            return Noted(Address(0), name, instead=True)
        if offset == number:
            return Symbol(number, name)
        if offset == _USER[-1][0]:
            return Address(number)
        return Symbol(number, f"{name}+{number - offset}")


PEEKSIGINFO_ARGS = StructOf(
    off=Number("u64"), flags=FlagSet(PTRACE_PEEKSIGINFO_FLAGS), nr=Number("uint")
)
_INFO_BYTES: Final = 88  # struct ptrace_syscall_info, include/uapi/linux/ptrace.h
_SECCOMP_BYTES: Final = 84  # up to the end of seccomp.ret_data
_UNION: Final = 24


def _symbol(xlat: Xlat, number: int) -> Symbol:
    return Symbol(number, xlat.name_of(number), xlat.unknown)


def _call(data: bytes, arch: int, abi: int, seccomp: bool) -> Value:
    (nr,) = struct.unpack_from("<Q", data, _UNION)
    fields: list[tuple[str, Value]] = [("nr", called(nr, arch, abi))]
    count = min((len(data) - _UNION - 8) // 8, 6)
    if count:
        numbers = struct.unpack_from(f"<{count}Q", data, _UNION + 8)
        fields.append(("args", Array(tuple(Integer(n, Base.HEX) for n in numbers))))
    if seccomp and len(data) >= _SECCOMP_BYTES:
        fields.append(("ret_data", Integer(struct.unpack_from("<I", data, 80)[0])))
    return Struct(tuple(fields))


def _result(data: bytes) -> Value:
    (rval,) = struct.unpack_from("<q", data, _UNION)
    shown: Value = Integer(rval)
    whole = len(data) > _UNION + 8
    failed = data[_UNION + 8] if whole else 0
    if failed:
        name = ERRNO.name_of(-rval)
        shown = Symbol(rval, f"-{name}", "", Base.DEC) if name else shown
    fields: list[tuple[str, Value]] = [("rval", shown)]
    if whole:
        fields.append(("is_error", Integer(failed)))
    return Struct(tuple(fields))


def syscall_info(data: bytes, abi: int, reserved: bool) -> Struct:
    """Decode as much of a ptrace_syscall_info as there is.

    ``reserved``: show the fields that must be zero where they are not.
    """
    op = data[0]
    fields: list[tuple[str, Value]] = [("op", _symbol(PTRACE_SYSCALL_INFO_OPS, op))]
    if reserved:
        spare = int.from_bytes(data[1:2], "little")
        flags = int.from_bytes(data[2:4], "little")
        if spare:
            fields.append(("reserved", Integer(spare, Base.HEX)))
        if flags:
            fields.append(("flags", Integer(flags, Base.HEX)))
    arch = 0
    if len(data) >= 8:
        arch = int.from_bytes(data[4:8], "little")
        fields.append(("arch", _symbol(AUDIT_ARCH, arch)))
    for name, start in (("instruction_pointer", 8), ("stack_pointer", 16)):
        if len(data) >= start + 8:
            fields.append((name, Address(int.from_bytes(data[start : start + 8], "little"))))
    if len(data) >= _UNION + 8:
        if op == PTRACE_SYSCALL_INFO_ENTRY:
            fields.append(("entry", _call(data, arch, abi, False)))
        elif op == PTRACE_SYSCALL_INFO_SECCOMP:
            fields.append(("seccomp", _call(data, arch, abi, True)))
        elif op == PTRACE_SYSCALL_INFO_EXIT:
            fields.append(("exit", _result(data)))
    return Struct(tuple(fields))


class SyscallInfo(Pointee):
    """A ptrace_syscall_info of which the caller knows ``size`` bytes.

    ``got``: the result tells how many bytes the kernel has to give.
    """

    def __init__(self, size: str, got: bool) -> None:
        self.size = size
        self.got = got

    def bind_at(self, scope: Scope) -> DecodeAt:
        number = scope.number(self.size)
        index = scope.abi.index
        got = self.got

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            size = min(number(ctx, frame), _SECCOMP_BYTES)
            if got:
                size = min(size, ctx.ret)
            if not address or size <= 0:
                return Address(address)
            data = ctx.memory.read(address, size)
            if not isinstance(data, bytes):
                return unreadable(address, data)
            value = syscall_info(data, index, not got)
            value.address = address
            return value

        return decode_at

    def fetches_at(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        length = named_length(self.size, planning) or Length(From.CONST, _INFO_BYTES)
        return (Fetch(at, planning.phase, length, _INFO_BYTES, False, planning.always),)


class FilterMetadata(Pointee):
    """struct seccomp_metadata: the number of a filter, and, once the kernel has told, its flags."""

    def __init__(self, flags: Xlat) -> None:
        self.flags = flags

    def bind_at(self, scope: Scope) -> DecodeAt:
        flags = FlagSet(self.flags, "u64").make
        size_of = scope.number("addr")

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            size = size_of(ctx, frame)
            head = ctx.memory.read(address, 8) if size >= 8 else None
            if not isinstance(head, bytes):
                return Address(address)
            fields: list[tuple[str, Value]] = [
                ("filter_off", Integer(int.from_bytes(head, "little")))
            ]
            told = ctx.ret if ctx.exiting and not ctx.failed else 0
            if told > 8:
                data = ctx.memory.read(address + 8, 8) if told >= 16 else None
                if isinstance(data, bytes):
                    fields.append(("flags", flags(int.from_bytes(data, "little"))))
                else:
                    fields.append(("", Phrase("???")))
            return Struct(tuple(fields), address, None, told > 16)

        return decode_at

    def fetches_at(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        return (Fetch(at, planning.phase, Length(From.CONST, 16), 16, False, planning.always),)
