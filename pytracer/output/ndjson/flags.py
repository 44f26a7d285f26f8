"""Numbers that are made of named parts, as one flat list of names."""

from __future__ import annotations

from dataclasses import dataclass

from pytracer.spec.values import Flags, Integer, Joined, Noted, Phrase, Symbol, Value


@dataclass(frozen=True, slots=True)
class Combined:
    """A number, the names of its parts, and the bits that have none."""

    value: int
    names: tuple[str, ...]
    rest: int


def combine(value: Value) -> Combined | None:
    """Take the named parts out of a value; None where it is not made of numbers alone."""
    match value:
        case Integer(value=number):
            return Combined(number, (), number)
        case Symbol(value=number, name=name):
            return Combined(number, (), number) if name is None else Combined(number, (name,), 0)
        case Phrase(value=number, text=text) if number is not None:
            return Combined(number, (text,), 0)
        case Noted(value=inner):
            return combine(inner)
        case Flags(value=number, names=names, rest=rest, tail=tail):
            if tail is None:
                return Combined(number, names, rest)
            last = combine(tail)
            return last and Combined(number, (*names, *last.names), rest | last.rest)
        case Joined(parts=parts, separator="|"):
            return _united(parts)
        case Joined(parts=(first, by), separator="<<"):
            return _shifted(combine(first), combine(by))
        case _:
            return None


def _united(parts: tuple[Value, ...]) -> Combined | None:
    whole = Combined(0, (), 0)
    for part in parts:
        found = combine(part)
        if found is None:
            return None
        whole = Combined(
            whole.value | found.value, (*whole.names, *found.names), whole.rest | found.rest
        )
    return whole


def _shifted(first: Combined | None, by: Combined | None) -> Combined | None:
    if first is None or by is None or not 0 <= by.value < 64:
        return None
    number = first.value << by.value
    if not first.names:
        return Combined(number, (), number)
    places = by.names[0] if by.names else by.value
    return Combined(number, (f"{'|'.join(first.names)}<<{places}",), 0)
