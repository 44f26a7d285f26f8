"""Words and punctuation that text puts between values, as values again."""

from __future__ import annotations

from pytracer.spec.values import (
    Integer,
    Joined,
    Noted,
    Phrase,
    Set,
    Struct,
    Symbol,
    Titled,
    Value,
)

_SETS = {"[": False, "~[": True}


def without_words(value: Joined) -> Value | None:
    """Find the value that says the same without punctuation; None where there is none.

    Shape: ``left {tv_sec=1}`` is a structure of one field, ``in [3], left {...}`` one of several,
    ``/* bytes 8..15 */ "..."`` a noted value, ``[NAME]=7`` a titled one, ``~[NAME NAME]`` a set,
    ``@"name"`` a titled value.
    """
    match value:
        case Joined(
            parts=(Phrase(text="[" | "~[" as start), Joined(parts=items), Phrase(text="]"))
        ) if all(isinstance(item, Symbol) for item in items):
            return _set(items, _SETS[start])
        case Joined(parts=(Phrase(text="["), Symbol() | Integer() as index, Phrase(), inner)):
            name = index.name if isinstance(index, Symbol) else None
            return Titled(name or str(index.value), inner)
        case Joined(parts=(Phrase(text=words, value=None), inner), separator=" "):
            if words.startswith("/* "):
                return Noted(inner, words.strip("/* "))
            return Struct(((words, inner),)) if words.isidentifier() else None
        case Joined(parts=(Phrase(text=words), inner), separator=""):
            return Titled(words, inner)
        case Joined(parts=parts, separator=", "):
            return _structure(parts)
        case _:
            return None


def _set(items: tuple[Value, ...], inverted: bool) -> Set:
    symbols = [item for item in items if isinstance(item, Symbol)]
    names = tuple(symbol.name or str(symbol.value) for symbol in symbols)
    return Set(names, inverted, numbers=tuple(symbol.value for symbol in symbols))


def _structure(parts: tuple[Value, ...]) -> Struct | None:
    fields: list[tuple[str, Value]] = []
    for part in parts:
        found = without_words(part) if isinstance(part, Joined) else None
        if not isinstance(found, Struct):
            return None
        fields += found.fields
    return Struct(tuple(fields)) if fields else None
