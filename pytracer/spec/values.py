"""The closed set of values that decoding yields and outputs print.

A value says what was found, never how it is to look: abbreviation, quoting, escaping and
the raw or verbose style of constants are the text output's choices.

These are plain slotted dataclasses, not frozen ones: freezing triples the cost of making
one, and a decoder makes several for each call. Nobody changes a value once it is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias


class Base(IntEnum):
    """How an integer is customarily written."""

    DEC = 10
    HEX = 16
    OCT = 8
    MODE = 3  # octal, at least three digits: permission bits


@dataclass(slots=True, eq=False)
class Integer:
    """A number."""

    value: int
    base: Base = Base.DEC


@dataclass(slots=True, eq=False)
class Address:
    """A pointer that is shown as itself: unread, unreadable or meant so."""

    value: int


@dataclass(slots=True, eq=False)
class Symbol:
    """One of a set of constants.

    ``name`` is None when the set does not know the value; ``unknown`` is then the set's
    comment ("AT_???"), "" when it has none. Decoders share equal symbols, so an output
    may remember what it made of one.
    """

    value: int
    name: str | None
    unknown: str = ""
    base: Base = Base.HEX


@dataclass(slots=True, eq=False)
class Flags:
    """A combination of constants.

    ``names`` in the order of the table, ``rest`` the bits that have no name, ``tail`` a further
    part of another kind (the permission bits of a mode). ``silent``: nothing stands for a 0 that
    has no name, or that is shown raw. Shared like symbols.
    """

    value: int
    names: tuple[str, ...]
    rest: int
    unknown: str = ""
    base: Base = Base.HEX
    tail: Value | None = None
    silent: bool = False


@dataclass(slots=True, eq=False)
class Text:
    """Bytes of the target: a string or a buffer.

    ``more`` says that the target's string goes on. ``path`` marks names of files. ``escaped`` asks
    for every byte in hexadecimal, whatever the output's choice. A ``terminated`` buffer may hold
    a string with its NUL, which an output leaves out unless it writes all in hexadecimal; where it
    does, nothing ``more`` is to come.
    """

    data: bytes
    more: bool = False
    address: int = 0
    path: bool = False
    escaped: bool = False
    terminated: bool = False


@dataclass(slots=True, eq=False)
class Reference:
    """What a descriptor refers to (-y).

    ``path``: the file's name, to be quoted; None where ``text`` says it in words of its own, such
    as ``socket:[7]``. ``device``: kind and numbers of a device. ``deleted``: the name is gone.
    """

    path: bytes | None
    text: str = ""
    device: str = ""
    deleted: bool = False


@dataclass(slots=True, eq=False)
class Descriptor:
    """A file descriptor; ``name`` for special values (AT_FDCWD), ``about`` what it refers to."""

    value: int
    name: str | None = None
    about: Reference | None = None


@dataclass(slots=True, eq=False)
class ProcessId:
    """A process, thread or process group id; ``comm`` its name where that was asked for (-Y).

    ``translated`` is the id in the tracer's pid namespace where that differs and was asked for.
    """

    value: int
    comm: str | None = None
    translated: int | None = None


@dataclass(slots=True, eq=False)
class Struct:
    """Named fields in the order in which they are shown.

    ``brief`` holds the names shown when the output abbreviates (None: all of them, no ellipsis;
    empty: nothing but the address). ``more`` marks fields that were not decoded.
    A field without a name shows its value alone.
    """

    fields: tuple[tuple[str, Value], ...]
    address: int = 0
    brief: frozenset[str] | None = None
    more: bool = False


@dataclass(slots=True, eq=False)
class Array:
    """A sequence; ``more``: it goes on, ``unreadable_at``: it goes on but cannot be read from
    there.

    ``brief`` is the number of items shown when the output abbreviates, None for all. ``hidden``:
    it then shows only the address and ``note``. ``room``: characters that items and the separators
    behind them must stay below in one line of text, 0 for no limit; those after are left out.
    """

    items: tuple[Value, ...]
    address: int = 0
    more: bool = False
    unreadable_at: int = 0
    brief: int | None = None
    note: str = ""
    hidden: bool = False
    room: int = 0


@dataclass(slots=True, eq=False)
class Set:
    """A set of names or numbers without order: signals, descriptors. ``inverted``: all but these.

    ``numbers``: what the names stand for, one each; empty when the items are numbers themselves.
    ``members``: the items as values, where there may be more to tell of them (descriptors).
    """

    items: tuple[str, ...]
    inverted: bool = False
    address: int = 0
    numbers: tuple[int, ...] = ()
    members: tuple[Descriptor, ...] = ()


@dataclass(slots=True, eq=False)
class Changed:
    """A value before and after the call."""

    before: Value
    after: Value


@dataclass(slots=True, eq=False)
class Became:
    """What the argument before it, shown at the entry, had become when the call returned."""

    value: Value


@dataclass(slots=True, eq=False)
class Noted:
    """A value and a remark on it. ``instead``: the remark is the value's name, as a symbol's is.

    ``unless_raw``: the remark is left out where constants are shown raw; ``only_raw``: it stands
    there and nowhere else. ``verbose``: what it is where constants are shown with their names, if
    that is something else.
    """

    value: Value
    note: str
    instead: bool = False
    unless_raw: bool = False
    only_raw: bool = False
    verbose: str = ""


@dataclass(slots=True, eq=False)
class Function:
    """A value written as the macro or function that makes it: makedev(0x8, 0x1).

    ``raw``: the value itself, for outputs that show constants raw (-X); None where it has no such
    form.
    ``title``: the field's name where only the raw forms carry it (inet_pton names its field
    inside).
    """

    name: str
    args: tuple[Value, ...]
    raw: Value | None = None
    title: str = ""


@dataclass(slots=True, eq=False)
class Phrase:
    """A value for which strace has words of its own; ``value`` the number behind it, if any.

    ``meant``: what the words say, as a value. ``unless_raw``: they are left out where constants are
    shown raw.
    """

    text: str
    value: int | None = None
    meant: Flags | Integer | None = None
    unless_raw: bool = False


@dataclass(slots=True, eq=False)
class Joined:
    """Parts written one after the other with ``separator`` between them.

    ``value``: the number that they make up, where it is not all of theirs put together.
    ``decoded``: they are left out where structures and arrays are not wanted.
    """

    parts: tuple[Value, ...]
    separator: str = "|"
    value: int | None = None
    decoded: bool = False


@dataclass(slots=True, eq=False)
class Titled:
    """A value that carries a name of its own among unnamed arguments: ``child_stack=NULL``."""

    title: str
    value: Value


@dataclass(slots=True, eq=False)
class Unavailable:
    """Memory that could not be read; shown as its address."""

    address: int
    reason: str


Value: TypeAlias = (
    Integer
    | Address
    | Symbol
    | Flags
    | Text
    | Descriptor
    | ProcessId
    | Struct
    | Array
    | Set
    | Changed
    | Became
    | Noted
    | Function
    | Phrase
    | Joined
    | Titled
    | Unavailable
)


@dataclass(slots=True, eq=False)
class Returned:
    """What a call came back with.

    ``shown`` is None when the call has no result to show ("?"). ``error`` is the errno's name and
    ``value`` its negative when it failed. ``note`` is printed in parentheses behind the result.
    """

    value: int
    shown: Value | None
    error: str | None = None
    note: Value | None = None
