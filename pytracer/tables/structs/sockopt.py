"""Socket options: their names by level, and what their values mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pytracer.spec.context import LATER, Context, Decode
from pytracer.spec.plan import At, AtOffset, Fetch, From, Length, Planning
from pytracer.spec.pointer import Pointee, read_buffer
from pytracer.spec.scalar import Number
from pytracer.spec.type import Scope, Type
from pytracer.spec.values import Address, Integer, Symbol, Value
from pytracer.spec.xlat import Xlat
from pytracer.tables.structs.bpf_filter import SOCKET_PROGRAM
from pytracer.tables.structs.optionvalue import DecodeOption, Least, Option

# What a capture brings of an option's value.
CAPTURED = 288
# The same where nothing is abbreviated: a filter's program.
WHOLE = 4096


@dataclass(frozen=True, slots=True)
class Level:
    """One level's options.

    ``names``: tables in which a name is looked up, beside those only of getsockopt or setsockopt.
    ``getting`` and ``setting``: the types of values that are more than a number or bytes.
    ``other``: the type of all values that these do not list.
    """

    names: Xlat
    get_names: Xlat | None = None
    set_names: Xlat | None = None
    getting: Mapping[int, Type | Option] | None = None
    setting: Mapping[int, Type | Option] | None = None
    other: Option | None = None


class OptionName(Type):
    """The name of an option of the level that the sibling ``level`` names."""

    ctype = "uint"

    def __init__(self, levels: Mapping[int, Level], getting: bool) -> None:
        self.levels = levels
        self.getting = getting

    def bind(self, scope: Scope) -> Decode:
        level_of = scope.number("level")
        levels, getting = self.levels, self.getting
        known: dict[tuple[int, int], Value] = {}

        def make(level: int, name: int) -> Value:
            options = levels.get(level)
            if options is None:
                return Integer(name)
            extra = options.get_names if getting else options.set_names
            found = options.names.name_of(name)
            if found is None and extra is not None:
                found = extra.name_of(name)
            return Symbol(name, found, options.names.unknown)

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Value:
            key = level_of(ctx, frame), raw & 0xFFFFFFFF
            value = known.get(key)
            if value is None:
                value = make(*key)
                if len(known) < 4096:
                    known[key] = value
            return value

        return decode


class _Values:
    """Decodes an option's value of a known length at an address."""

    def __init__(self, levels: Mapping[int, Level], getting: bool, scope: Scope) -> None:
        self.levels = levels
        self.getting = getting
        self.scope = scope
        self.bound: dict[tuple[int, int], DecodeOption | None] = {}
        self.plain = Least(Number("int")).bind(scope, getting)

    def _find(self, level: int, name: int) -> DecodeOption | None:
        key = level, name
        if key not in self.bound:
            options = self.levels.get(level)
            kinds = options and (options.getting if self.getting else options.setting)
            kind = kinds.get(name) if kinds else None
            if kind is None and options is not None:
                kind = options.other
            found = None
            if kind is not None:
                option = kind if isinstance(kind, Option) else Least(kind)
                found = option.bind(self.scope, self.getting)
            if len(self.bound) > 4096:
                return found
            self.bound[key] = found
        return self.bound[key]

    def decode(self, ctx: Context, level: int, name: int, address: int, length: int) -> Value:
        """What the option's value means; a buffer where nothing better is known."""
        known = self._find(level, name)
        if known is not None:
            return known(ctx, address, length, ctx.args)
        if length == 4:
            return self.plain(ctx, address, length, ctx.args)
        # A negative length is taken for a huge one.
        most = length & (1 << 63) - 1
        buffer: Value = read_buffer(lambda ctx, frame: most)(ctx, address, ())
        return buffer


class OptionValue(Pointee):
    """The value of an option that setsockopt hands in; ``optlen`` is its length."""

    def __init__(self, levels: Mapping[int, Level]) -> None:
        self.levels = levels

    def bind(self, scope: Scope) -> Decode:
        values = _Values(self.levels, False, scope)
        level, name, length = map(scope.number, ("level", "optname", "optlen"))

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Value:
            size = length(ctx, frame)
            if not raw:
                return Address(raw)
            return values.decode(ctx, level(ctx, frame), name(ctx, frame), raw, size)

        return decode

    def fetches_at(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        limit = max(CAPTURED, planning.string_bytes)
        length = Length(From.CONST, limit)
        # Only where nothing is abbreviated is a filter's program shown.
        inside = SOCKET_PROGRAM.fetches(AtOffset(0), planning) if planning.whole else ()
        return (Fetch(at, planning.phase, length, limit, False, planning.always, inside),)


class OptionResult(Pointee):
    """The value of an option that getsockopt fills in; ``optlen`` points to its length.

    ``room`` tells, from what the call keeps of its entry, how much room there was.
    """

    def __init__(self, levels: Mapping[int, Level]) -> None:
        self.levels = levels

    def bind(self, scope: Scope) -> Decode:
        values = _Values(self.levels, True, scope)
        level, name, pointer = map(scope.number, ("level", "optname", "optlen"))
        length = _signed(scope.number("*optlen"))

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
            at = pointer(ctx, frame)
            if not ctx.exiting:
                return LATER if at and ctx.memory.read(at, 4) else Address(raw)
            if ctx.failed or not raw:
                return Address(raw)
            size = length(ctx, frame)
            if size <= 0 or ctx.saved.get(at, 0) <= 0:
                return Address(raw)
            return values.decode(ctx, level(ctx, frame), name(ctx, frame), raw, size)

        return decode

    def fetches_at(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        limit = WHOLE if planning.whole else max(CAPTURED, planning.string_bytes)
        late = planning.at_exit()
        return (Fetch(at, late.phase, Length(From.CONST, limit), limit),)


def _signed(
    number: Callable[[Context, tuple[Any, ...]], int],
) -> Callable[[Context, tuple[Any, ...]], int]:
    def as_int(ctx: Context, frame: tuple[Any, ...]) -> int:
        value = number(ctx, frame)
        return value - (1 << 32) if value & 1 << 31 else value

    return as_int
