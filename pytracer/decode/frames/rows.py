"""How to leave a frame: the rules of one row of call frame information, and their evaluation.

Source: DWARF 5, 6.4 and 2.5; System V ABI, AMD64 supplement, 3.7.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from pytracer.event.registers import RIP, RSP
from pytracer.spec.context import Memory

# The frame is a signal handler's: its caller is at the very instruction that its address names.
SIGNAL: Final = 1
_MASK: Final = (1 << 64) - 1
_MOST_OPERATIONS: Final = 64


@dataclass(frozen=True, slots=True)
class Row:
    """The frame's address is ``register`` plus ``offset``, or the value of ``expression``.

    ``rules``: by DWARF's number of the register, the kind of the rule and its argument.
    """

    register: int | None
    offset: int | None
    expression: bytes | None
    rules: dict[int, tuple[str, Any]]
    flags: int

    @property
    def outermost(self) -> bool:
        """Whether the frame has no caller."""
        return self.rules.get(RIP, ("UNDEFINED", None))[0] == "UNDEFINED"

    def leave(self, registers: dict[int, int], memory: Memory) -> dict[int, int] | None:
        """The registers of the caller; None when there is none, or it cannot be found."""
        if self.expression is not None:
            frame = evaluate(self.expression, registers, memory, [])
        elif self.register in registers and self.offset is not None:
            frame = registers[self.register] + self.offset & _MASK
        else:
            frame = None
        if frame is None or RIP not in self.rules:
            return None
        found = dict(registers)
        found[RSP] = frame
        for number, (kind, argument) in self.rules.items():
            value = _value(kind, argument, number, frame, registers, memory)
            if value is not None:
                found[number] = value
            elif number == RIP:
                return None
            else:
                found.pop(number, None)
        return found


def _value(
    kind: str,
    argument: Any,
    number: int,
    frame: int,
    registers: dict[int, int],
    memory: Memory,
) -> int | None:
    match kind:
        case "OFFSET":
            return read_word(memory, frame + argument & _MASK)
        case "VAL_OFFSET":
            return frame + int(argument) & _MASK
        case "SAME_VALUE":
            return registers.get(number)
        case "REGISTER":
            return registers.get(argument)
        case "EXPRESSION":
            address = evaluate(bytes(argument), registers, memory, [frame])
            return None if address is None else read_word(memory, address)
        case "VAL_EXPRESSION":
            return evaluate(bytes(argument), registers, memory, [frame])
        case _:
            return None


def read_word(memory: Memory, address: int) -> int | None:
    """A word of the target's memory."""
    data = memory.read(address, 8)
    return int.from_bytes(data, "little") if isinstance(data, bytes) else None


def _negative(word: int) -> int:
    return word - (1 << 64) if word >> 63 else word


_BINARY: Final[dict[int, Callable[[int, int], int]]] = {
    0x1A: lambda a, b: a & b,
    0x1C: lambda a, b: a - b,
    0x21: lambda a, b: a | b,
    0x22: lambda a, b: a + b,
    0x24: lambda a, b: a << b if b < 64 else 0,
    0x2A: lambda a, b: int(_negative(a) >= _negative(b)),
}


def evaluate(
    code: bytes, registers: dict[int, int], memory: Memory, stack: list[int]
) -> int | None:
    """The value of an expression, as far as compilers and C libraries write them for frames."""
    at = 0
    for _ in range(_MOST_OPERATIONS):
        if at >= len(code):
            return stack[-1] if stack else None
        operation = code[at]
        at += 1
        if 0x30 <= operation <= 0x4F:  # lit0..31
            stack.append(operation - 0x30)
        elif 0x70 <= operation <= 0x8F:  # breg0..31
            offset, at = _signed(code, at)
            base = registers.get(operation - 0x70)
            if base is None:
                return None
            stack.append(base + offset & _MASK)
        elif operation in (0x08, 0x09):  # const1u, const1s
            stack.append(int.from_bytes(code[at : at + 1], "little", signed=operation == 9) & _MASK)
            at += 1
        elif operation == 0x23 and stack:  # plus_uconst
            offset, at = _unsigned(code, at)
            stack.append(stack.pop() + offset & _MASK)
        elif operation == 0x06 and stack:  # deref
            word = read_word(memory, stack.pop())
            if word is None:
                return None
            stack.append(word)
        elif operation in _BINARY and len(stack) >= 2:
            second, first = stack.pop(), stack.pop()
            stack.append(_BINARY[operation](first, second) & _MASK)
        else:
            return None
    return None


def _unsigned(code: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(code):
        byte = code[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            break
    return value, at


def _signed(code: bytes, at: int) -> tuple[int, int]:
    value, after = _unsigned(code, at)
    bits = 7 * (after - at)
    return (value - (1 << bits) if bits and value >> bits - 1 else value), after
