"""--explain SYSCALL: what the tables know of a call."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from typing import Final

from pytracer.cli.messages import Failure
from pytracer.decode.catalogue import describe, numbers, numbers_by_name
from pytracer.event.schema import Abi
from pytracer.spec.abi import LAYOUTS
from pytracer.spec.aggregate import ArrayOf, Chars, FixedArray, NullTerminated, Pad, StructOf
from pytracer.spec.choice import ByAbi
from pytracer.spec.entry import Entry
from pytracer.spec.plan import AtOffset, AtRegister, AtResult, Fetch, From, Length, Phase
from pytracer.spec.pointer import Bytes, In, InOut, Out
from pytracer.spec.scalar import Enum, FlagSet, Number
from pytracer.spec.switch import Switch
from pytracer.spec.type import Condition, Conditional, Wrapper
from pytracer.spec.xlat import Xlat

_ABIS: Final = {Abi.X86_64: "x86_64", Abi.I386: "i386", Abi.X32: "x32"}
# Names of constants that are listed before the rest is only counted.
_LISTED: Final = 24
_WIDTH: Final = 96
_C_TYPES: Final = {
    "uint": "unsigned int",
    "ulong": "unsigned long",
    "klong": "long",
    "kulong": "unsigned long",
    "ushort": "unsigned short",
    "uchar": "unsigned char",
    "s64": "long long",
    "u64": "unsigned long long",
}
# Bytes of strings of which the plan is told: those of -s by default.
_STRING_BYTES: Final = 32


def explain(name: str) -> str:
    """Write what is known of a call.

    Errors: Failure for a name that no ABI knows.
    """
    known = {abi: found for abi in Abi if (found := numbers_by_name(abi).get(name)) is not None}
    if not known:
        raise _unknown(name)
    abi = next(iter(known))
    entry = describe(abi, known[abi])
    described = not all(re.fullmatch(r"arg\d", arg) for arg in entry.args) or not entry.args
    lines = [
        f"{name}({', '.join(entry.order)})",
        "  numbers: " + ", ".join(f"{nr} ({_ABIS[abi]})" for abi, nr in known.items()),
    ]
    if entry.classes:
        groups = ", ".join(f"%{group}" for group in sorted(entry.classes))
        lines += _wrapped("  groups:  ", groups)
    if not described:
        lines.append("  no description: its registers are shown in hexadecimal")
    lines.append("")
    width = max((len(arg) for arg in entry.order), default=0)
    width = max(width, len("result"))
    for arg in entry.order:
        lines += _wrapped(f"  {arg or '(no name)':<{width}}  ", _words(entry.args[arg]))
    lines += _wrapped(f"  {'result':<{width}}  ", _doc(type(entry.returns)))
    lines += ["", *_captured(entry, abi)]
    return "\n".join(lines) + "\n"


def _unknown(name: str) -> Failure:
    from difflib import get_close_matches

    names = sorted({known for abi in Abi for known, _ in numbers(abi).values()})
    near = get_close_matches(name, names, 3)
    hint = f"; did you mean {' or '.join(near)}?" if near else "; see syscalls(2) for their names"
    return Failure(f"--explain: no system call is called '{name}'{hint}")


def _wrapped(lead: str, text: str) -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=lead,
        subsequent_indent=" " * len(lead),
        break_on_hyphens=False,
    )


# Types in words


def _doc(kind: type) -> str:
    """The first sentences of a class's description, as prose."""
    first = (kind.__doc__ or kind.__name__).split("\n\n")[0].split("\n    ``")[0]
    # What follows the first sentence is about the parameters.
    sentence = re.split(r"(?<=\.) (?=``)", " ".join(first.split()))[0].rstrip(".")
    return (sentence[0].lower() + sentence[1:]).replace("``", "")


def _words(kind: object) -> str:
    """Say what a type is."""
    match kind:
        case Number():
            return f"number ({_C_TYPES.get(kind.ctype, kind.ctype)})"
        case Enum():
            return f"one of {_names(kind.xlat)}"
        case FlagSet():
            low = "" if kind.choices is None else f"one of {_names(kind.choices)}, and "
            return f"{low}flags: {_names(kind.xlat)}"
        case InOut():
            return f"handed in and changed, at an address: {_words(kind.inner)}"
        case Out():
            return f"filled in, at an address: {_words(kind.inner)}"
        case In():
            return f"handed in, at an address: {_words(kind.inner)}"
        case Bytes():
            return f"bytes, {_amount(kind.length)}"
        case ArrayOf():
            return f"array, {_amount(kind.count)}, each: {_words(kind.element)}"
        case NullTerminated():
            return f"array up to a NULL, each: {_words(kind.element)}"
        case FixedArray():
            return f"array of {kind.count}, each: {_words(kind.element)}"
        case Chars():
            return f"{kind.size} characters"
        case StructOf():
            fields = [name for name, field in kind.fields.items() if not isinstance(field, Pad)]
            return f"structure of {', '.join(fields)}"
        case Switch():
            others = "" if kind.default is None else f"; otherwise {_words(kind.default)}"
            return f"depends on {kind.on}, in {len(kind.cases)} forms{others}"
        case ByAbi():
            return _words(kind.default)
        case Conditional():
            return f"{_words(kind.inner)}; only where {_condition(kind.condition)}"
        case Wrapper():
            return f"{_doc(type(kind))}: {_words(kind.inner)}"
        case _:
            return _doc(type(kind))


def _names(xlat: Xlat) -> str:
    names = [name for _, name in xlat.entries]
    if len(names) <= _LISTED:
        return ", ".join(names)
    return f"{', '.join(names[:_LISTED])} and {len(names) - _LISTED} more"


def _amount(count: str | int) -> str:
    if count == "ret":
        return "as many as the result says"
    return f"{count} of them" if isinstance(count, int) else f"as many as {count} says"


def _condition(condition: Condition) -> str:
    subject = condition.name
    if condition.mask:
        subject = f"{subject} & {condition.mask:#x}"
    if condition.values:
        values = ", ".join(f"{value:#x}" for value in condition.values)
        return f"{subject} is {'none' if condition.negated else 'one'} of {values}"
    return f"{subject} is {'zero' if condition.negated else 'not zero'}"


# The capture plan in words


def _captured(entry: Entry, abi: Abi) -> Iterator[str]:
    layout = LAYOUTS[abi]
    selector = entry.selector(layout)
    registers: dict[int, str] = {}
    place = 0
    for name, kind in entry.args.items():
        for _ in range(kind.registers(layout)):
            registers[place] = name
            place += 1
    if selector is not None:
        chosen = registers.get(selector.register, "?")
        yield f"What is captured depends on {chosen}; for other values than it knows:"
    fetches = entry.fetches(layout, _STRING_BYTES, whole=False)
    if not fetches:
        yield "No memory is captured."
        return
    for phase, moment in ((Phase.ENTRY, "entry"), (Phase.EXIT, "exit")):
        found = [fetch for fetch in fetches if fetch.phase is phase]
        if found:
            yield f"Captured at the {moment} (-s {_STRING_BYTES}, without -v):"
            for fetch in found:
                yield from _fetch(fetch, registers, 1)


def _fetch(fetch: Fetch, registers: dict[int, str], depth: int) -> Iterator[str]:
    match fetch.at:
        case AtRegister(index=index):
            where = registers.get(index, f"register {index}")
        case AtOffset(offset=offset):
            where = f"the pointer at +{offset}"
        case AtResult():
            where = "the result"
    what = f"a string of up to {fetch.limit} bytes" if fetch.cstr else _size(fetch, registers)
    even = "" if fetch.phase is Phase.ENTRY or not fetch.always else ", even if the call failed"
    yield f"{'  ' * depth}{where}: {what}{even}"
    if fetch.netlink > fetch.limit:
        yield f"{'  ' * (depth + 1)}if the descriptor is a netlink socket, up to {fetch.netlink}"
    for inner in fetch.inside:
        if fetch.stride:
            yield f"{'  ' * (depth + 1)}in each of at most {fetch.elements} elements"
        yield from _fetch(inner, registers, depth + 1 + bool(fetch.stride))


def _size(fetch: Fetch, registers: dict[int, str]) -> str:
    length: Length = fetch.length
    match length.source:
        case From.CONST:
            return f"{min(length.value, fetch.limit)} bytes"
        case From.REGISTER:
            source = registers.get(length.value, "?")
        case From.RETURN:
            source = "the result"
        case From.PARENT:
            source = f"the number at +{length.value}"
    times = f" times {length.unit}" if length.unit != 1 else ""
    brought = " and the result" if length.brought else ""
    return f"as many bytes as {source}{times}{brought}, up to {fetch.limit}"
