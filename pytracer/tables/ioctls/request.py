"""The request of an ioctl, and the argument whose type it decides."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache, lru_cache
from types import ModuleType
from typing import Any

from pytracer.spec.abi import LAYOUTS, Layout
from pytracer.spec.context import LATER, Context, Decode
from pytracer.spec.plan import At, Fetch, From, Length, Planning
from pytracer.spec.pointer import CAPTURE_LIMIT
from pytracer.spec.returns import Result, Returns
from pytracer.spec.scalar import Scalar
from pytracer.spec.type import Scope, SpecError, Type
from pytracer.spec.values import (
    Base,
    Changed,
    Function,
    Integer,
    Noted,
    Phrase,
    Symbol,
    Text,
    Value,
)
from pytracer.tables.ioctls import TOPICS
from pytracer.tables.ioctls.sized import sized_name

_CODES = {
    "x86_64": "pytracer.tables.constants.ioctl_codes",
    "i386": "pytracer.tables.constants.ioctl_codes_i386",
    "x32": "pytracer.tables.constants.ioctl_codes_x32",
}
# _IOC_NONE, _IOC_WRITE, _IOC_READ: include/uapi/asm-generic/ioctl.h
WRITE, READ = 1, 2
_REMARK = re.compile(r" /\*.*?\*/")
_DIRECTIONS = ("_IOC_NONE", "_IOC_WRITE", "_IOC_READ", "_IOC_READ|_IOC_WRITE")


@cache
def _lines(abi: Layout) -> str:
    """Every request of an ABI: its code and its names, a line each."""
    lines: str = importlib.import_module(_CODES[abi.name]).CODES
    return lines


@lru_cache(maxsize=1024)
def names(abi: Layout, code: int) -> tuple[str, ...]:
    """The names of a request, in alphabetical order."""
    lines = _lines(abi)
    start = lines.find(f"\n{code:X} ")
    if start < 0:
        return ()
    return tuple(lines[start + 1 : lines.find("\n", start + 1)].split()[1:])


@cache
def codes(abi: Layout) -> Mapping[str, int]:
    """The code of every request."""
    rows = (line.split() for line in _lines(abi).split("\n") if line)
    return {name: int(code, 16) for code, *all_names in rows for name in all_names}


def direction(code: int) -> int:
    """WRITE, READ, both or neither, as the target means it."""
    return code >> 30


def size(code: int) -> int:
    """The bytes that the argument points to."""
    return code >> 16 & 0x3FFF


class Request(Scalar):
    """An ioctl request: a name, or its parts where nothing has given it one."""

    def __init__(self) -> None:
        super().__init__("uint")

    def bind(self, scope: Scope) -> Decode:
        known: dict[int, Value] = {}
        of_terminal: dict[int, Value] = {}
        abi = scope.abi
        descriptor = scope.number("fd")

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Value:
            code = raw & 0xFFFFFFFF
            value = known.get(code)
            if value is None:
                found = names(abi, code)
                value = _name(code, found)
                if len(found) > 1 and code >> 8 == ord("T"):
                    own = tuple(name for name in found if name.startswith("T"))
                    of_terminal[code] = _name(code, own)
                if len(known) < 4096:
                    known[code] = value
            # The sound cards' timer has requests of the same numbers.
            if code in of_terminal and ctx.sockets is not None:
                fd = descriptor(ctx, frame)
                return of_terminal[code] if ctx.sockets.terminal(ctx.pid, fd) else value
            return value

        return decode


def _name(code: int, found: tuple[str, ...]) -> Value:
    special = sized_name(code)
    every = (special, *found) if special and found else (special,) if special else found
    if every:
        name = " or ".join(every)
        bare = _REMARK.sub("", name)
        if bare == name:
            return Symbol(code, name)
        # A name that is a remark itself holds none.
        return Noted(Integer(code, Base.HEX), name, instead=True, verbose=bare)
    kind = Integer(code >> 8 & 0xFF, Base.HEX)
    number = Integer(code & 0xFF, Base.HEX)
    parts = (Phrase(_DIRECTIONS[direction(code)]), kind, number, Integer(size(code), Base.HEX))
    return Function("_IOC", parts, Integer(code, Base.HEX))


class _Unknown(Type):
    """The argument of a request that nobody described: a number; its bytes under -v."""

    ctype = "kulong"

    def bind(self, scope: Scope) -> Decode:
        request = scope.number("op")
        number = self.number(scope.abi)

        def read(ctx: Context, address: int, length: int) -> Value | None:
            shown = min(length, ctx.string_bytes)
            data = ctx.memory.read(address, shown) if address and length else None
            if not isinstance(data, bytes):
                return None
            return Text(data, shown < length, address, escaped=True)

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
            address = number(raw)
            plain = Integer(address, Base.HEX)
            # The bytes are only wanted where nothing is abbreviated.
            if not ctx.whole:
                return plain
            code = request(ctx, frame) & 0xFFFFFFFF
            before = ctx.saved.get(_Unknown)
            if before is None and direction(code) & WRITE:
                before = read(ctx, address, size(code)) or plain
            if not direction(code) & READ:
                return before or plain
            if not ctx.exiting:
                ctx.saved[_Unknown] = before
                return LATER
            after = read(ctx, address, size(code)) or plain
            if not isinstance(before, Text) or not isinstance(after, Text):
                return before or after
            return Changed(before, after)

        return decode

    def fetches(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        if not planning.whole:
            return ()
        limit = max(min(planning.string_bytes, CAPTURE_LIMIT), 1)
        length = Length(From.CONST, limit)
        late = planning.at_exit(always=True)
        return (
            Fetch(at, planning.phase, length, limit),
            Fetch(at, late.phase, length, limit, always=True),
        )


@cache
def topic(name: str) -> ModuleType:
    """The module of a topic."""
    return importlib.import_module(f"pytracer.tables.ioctls.{name}")


def _found(abi: Layout, code: int, table: str) -> Any:
    """What the topics of a request have for it in one of their tables; None for nothing."""
    for module in TOPICS.get(code >> 8 & 0xFF, ()):
        known = getattr(topic(module), table, {})
        for name in names(abi, code):
            if name in known:
                return known[name]
        if table == "REQUESTS":
            kind = getattr(topic(module), "CODES", {}).get(code)
            kind = kind or getattr(topic(module), "DEFAULT", None)
            if kind is not None:
                return kind
    return None


def every_request() -> dict[str, Type]:
    """All described requests by name.

    Errors: SpecError for one that no ABI's headers know.
    """
    found: dict[str, Type] = {}
    for modules in TOPICS.values():
        for module in modules:
            found.update(topic(module).REQUESTS)
    missing = [name for name in found if not any(name in codes(abi) for abi in LAYOUTS)]
    if missing:
        raise SpecError(f"no header has an ioctl request {', '.join(missing)}")
    return found


def _every_result() -> Iterator[str]:
    """Requests whose results mean something, by name."""
    for modules in TOPICS.values():
        for module in modules:
            yield from getattr(topic(module), "RESULTS", {})


def every_code() -> dict[int, Type]:
    """All described requests that no table names, by code."""
    found: dict[int, Type] = {}
    for modules in TOPICS.values():
        for module in modules:
            found.update(getattr(topic(module), "CODES", {}))
    return found


class Argument(Type):
    """The argument of an ioctl, of the type that a topic has for its request."""

    ctype = "kulong"

    def __init__(self) -> None:
        self.unknown = _Unknown()

    def bind(self, scope: Scope) -> Decode:
        request = scope.number("op")
        unknown = self.unknown.bind(scope)
        bound: dict[int, Decode] = {}

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
            code = request(ctx, frame) & 0xFFFFFFFF
            decode_one = bound.get(code)
            if decode_one is None:
                kind: Type | None = _found(scope.abi, code, "REQUESTS")
                decode_one = unknown if kind is None else kind.bind(scope)
                if len(bound) < 4096:
                    bound[code] = decode_one
            return decode_one(ctx, raw, frame)

        return decode

    def selector(self) -> tuple[str, int, tuple[int, ...]] | None:
        known = [codes(abi) for abi in LAYOUTS]
        names = {*every_request(), *_every_result()}
        every = {table[name] for name in names for table in known if name in table}
        return "op", 0xFFFFFFFF, tuple(sorted(every | set(every_code())))

    def fetches(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        chosen = planning.selector
        kind = None if chosen is None else _found(planning.abi, chosen, "REQUESTS")
        return (kind or self.unknown).fetches(at, planning)

    def prefetch(self, scope: Scope, index: int) -> Callable[[Context], None] | None:
        request = scope.number("op")
        keepers: dict[int, Callable[[Context], None] | None] = {}

        def keep(ctx: Context) -> None:
            code = request(ctx, ctx.args) & 0xFFFFFFFF
            keeper = keepers.get(code)
            if code not in keepers:
                kind: Type | None = _found(scope.abi, code, "REQUESTS")
                keeper = None if kind is None else kind.prefetch(scope, index)
                if len(keepers) < 4096:
                    keepers[code] = keeper
            if keeper is not None:
                keeper(ctx)

        return keep

    def parts(self) -> Iterator[Type]:
        yield from every_request().values()
        yield from every_code().values()


class Answer(Returns):
    """The result of an ioctl, of the kind that a topic has for its request."""

    def fetches(self, planning: Planning) -> tuple[Fetch, ...]:
        chosen = planning.selector
        kind: Returns | None = None if chosen is None else _found(planning.abi, chosen, "RESULTS")
        return () if kind is None else kind.fetches(planning)

    def bind(self, scope: Scope) -> Result:
        request = scope.number("op")
        plain = super().bind(scope)
        bound: dict[int, Result] = {}

        def result(ctx: Context) -> tuple[Value | None, Value | None]:
            code = request(ctx, ctx.args) & 0xFFFFFFFF
            tell = bound.get(code)
            if tell is None:
                kind: Returns | None = _found(scope.abi, code, "RESULTS")
                tell = plain if kind is None else kind.bind(scope)
                if len(bound) < 4096:
                    bound[code] = tell
            return tell(ctx)

        return result
