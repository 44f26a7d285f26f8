"""Registers of a task, as ptrace hands them out: struct user_regs_struct and its relatives.

Source: arch/x86/include/uapi/asm/ptrace.h, arch/x86/include/asm/user_64.h and user_32.h.
"""

from __future__ import annotations

import struct
from typing import Any, Final

from pytracer.spec.abi import I386, Layout
from pytracer.spec.context import LATER, Context
from pytracer.spec.plan import At, AtOffset, Fetch, From, Length, Planning
from pytracer.spec.pointer import Pointee, unreadable
from pytracer.spec.type import DecodeAt, Scope
from pytracer.spec.values import Address, Array, Base, Changed, Integer, Struct, Value

_REGS_64: Final = (
    "r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss"
    " fs_base gs_base ds es fs gs"
)
_REGS_32: Final = "ebx ecx edx esi edi ebp eax xds xes xfs xgs orig_eax eip xcs eflags esp xss"
# (name, struct format, count): a count makes an array.
_Fields = tuple[tuple[str, str, int], ...]
_FPREGS_64: Final[_Fields] = (
    ("cwd", "H", 0),
    ("swd", "H", 0),
    ("ftw", "H", 0),
    ("fop", "H", 0),
    ("rip", "Q", 0),
    ("rdp", "Q", 0),
    ("mxcsr", "I", 0),
    ("mxcr_mask", "I", 0),
    ("st_space", "I", 32),
    ("xmm_space", "I", 64),
    ("padding", "I", 24),
)
_FPREGS_32: Final[_Fields] = (
    *((name, "I", 0) for name in ("cwd", "swd", "twd", "fip", "fcs", "foo", "fos")),
    ("st_space", "I", 20),
)
_GENERAL: Final = {
    8: tuple((name, "Q", 0) for name in _REGS_64.split()),
    4: tuple((name, "I", 0) for name in _REGS_32.split()),
}
_FLOATING: Final = {8: _FPREGS_64, 4: _FPREGS_32}
NT_PRSTATUS: Final = 1  # include/uapi/linux/elf.h
NT_FPREGSET: Final = 2  # NT_PRFPREG there
_MOST: Final = 512


def _fields(table: dict[int, _Fields], layout: Layout) -> _Fields:
    # x32 tasks have the registers of x86_64.
    return table[4 if layout.index == I386.index else 8]


def _whole(fields: _Fields) -> int:
    return sum(struct.calcsize(code) * (count or 1) for _, code, count in fields)


def _show(fields: _Fields, data: bytes, most: int) -> list[tuple[str, Value]]:
    """Name what there is of a set of registers; arrays are abbreviated to ``most`` elements."""
    found: list[tuple[str, Value]] = []
    offset = 0
    for name, code, count in fields:
        size = struct.calcsize(code)
        if offset >= len(data):
            break
        if count:
            part = data[offset : offset + size * count]
            numbers = struct.unpack(f"<{len(part) // size}{code}", part[: len(part) // size * size])
            items = tuple(Integer(n, Base.HEX) for n in numbers)
            found.append((name, Array(items, brief=most)))
        else:
            padded = data[offset : offset + size].ljust(size, b"\0")
            found.append((name, Integer(struct.unpack(f"<{code}", padded)[0], Base.HEX)))
        offset += size * (count or 1)
    return found


def _decode(ctx: Context, address: int, size: int, fields: _Fields, word: int) -> Value:
    if not address or not size or size % word:
        return Address(address)
    data = ctx.memory.read(address, min(size, _whole(fields)))
    if not isinstance(data, bytes):
        return unreadable(address, data)
    shown = tuple(_show(fields, data, ctx.string_bytes))
    return Struct(shown, address, None, size > _whole(fields))


class Registers(Pointee):
    """All general registers, or all of the floating point unit."""

    def __init__(self, floating: bool = False) -> None:
        self.table = _FLOATING if floating else _GENERAL

    def bind_at(self, scope: Scope) -> DecodeAt:
        fields = _fields(self.table, scope.abi)
        size = _whole(fields)

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            return _decode(ctx, address, size, fields, 4)

        return decode_at

    def fetches_at(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        size = _whole(_fields(self.table, planning.abi))
        return (Fetch(at, planning.phase, Length(From.CONST, size), size),)


class RegisterSet(Pointee):
    """A vector of one buffer of registers, of the kind that the sibling ``kind`` names.

    ``got``: it is filled in, and its length is what was to be had.
    """

    def __init__(self, kind: str, got: bool) -> None:
        self.kind = kind
        self.got = got

    def bind(self, scope: Scope) -> Any:
        decode_at = self.bind_at(scope)
        word = scope.abi.word
        got = self.got

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
            if not got or ctx.exiting:
                return decode_at(ctx, raw, frame)
            readable = raw and isinstance(ctx.memory.read(raw, 2 * word), bytes)
            return LATER if readable else Address(raw)

        return decode

    def bind_at(self, scope: Scope) -> DecodeAt:
        word = scope.abi.word
        kind = scope.number(self.kind)
        tables = {
            NT_PRSTATUS: _fields(_GENERAL, scope.abi),
            NT_FPREGSET: _fields(_FLOATING, scope.abi),
        }
        step = 4 if scope.abi.index == I386.index else 8

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            data = ctx.memory.read(address, 2 * word)
            if not isinstance(data, bytes):
                return Address(address)
            base = int.from_bytes(data[:word], "little")
            length = int.from_bytes(data[word:], "little")
            fields = tables.get(kind(ctx, frame))
            if fields is None or ctx.failed:
                registers: Value = Address(base)
            else:
                registers = _decode(ctx, base, length, fields, step)
            before = ctx.saved.get(self, length)
            shown: Value = Integer(length)
            if before != length:
                shown = Changed(Integer(before), shown)
            return Struct((("iov_base", registers), ("iov_len", shown)), address)

        return decode_at

    def prefetch(self, scope: Scope, index: int) -> Any:
        word = scope.abi.word

        def keep(ctx: Context) -> None:
            data = ctx.memory.read(ctx.args[index] + word, word)
            if isinstance(data, bytes):
                ctx.saved[self] = int.from_bytes(data, "little")

        return keep if self.got else None

    def fetches(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        word = planning.abi.word
        vector = Length(From.CONST, 2 * word)
        entry, late = planning.at_entry(), planning.at_exit(always=True)
        registers = Length(From.PARENT, word, 1, word)
        if self.got:
            inside = (Fetch(AtOffset(0), late.phase, registers, _MOST, always=True),)
            return (
                Fetch(at, entry.phase, vector, 2 * word),
                Fetch(at, late.phase, vector, 2 * word, always=True, inside=inside),
            )
        inside = (Fetch(AtOffset(0), planning.phase, registers, _MOST),)
        return (Fetch(at, planning.phase, vector, 2 * word, inside=inside),)
