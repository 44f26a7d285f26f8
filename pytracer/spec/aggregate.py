"""Structures and arrays."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from pytracer.spec.abi import Layout
from pytracer.spec.context import Context, Decode
from pytracer.spec.plan import At, AtOffset, Fetch, From, Length, Planning
from pytracer.spec.pointer import CAPTURE_LIMIT, Pointee, named_length, unreadable
from pytracer.spec.type import Conditional, DecodeAt, Scope, Type
from pytracer.spec.values import Address, Array, Struct, Text, Value

# Elements that a capture follows pointers from, in one block.
CAPTURE_ELEMENTS = 64


@dataclass(frozen=True, slots=True)
class Placed:
    """A field with its place in the structure."""

    name: str
    kind: Type
    offset: int
    size: int
    code: str


Unpack: TypeAlias = Callable[[bytes], tuple[Any, ...]]
FieldStep: TypeAlias = tuple[str, int, Decode]


class StructOf(Type):
    """A C structure: fields by keyword, in the order in which they are stored.

    A name's trailing underscore is dropped (``from_``). ``brief`` are the fields shown
    when the output abbreviates: None for all. A field whose decoder answers None is left out.
    ``order``: the order in which the fields are shown, where it is not the stored one.
    """

    def __init__(
        self,
        brief: tuple[str, ...] | None = None,
        order: tuple[str, ...] | None = None,
        **fields: Type,
    ) -> None:
        self.fields = {name.rstrip("_") or name: kind for name, kind in fields.items()}
        self.brief = None if brief is None else frozenset(brief)
        self.order = order
        self._placed: dict[int, tuple[tuple[Placed, ...], int, int]] = {}

    def place(self, abi: Layout) -> tuple[tuple[Placed, ...], int, int]:
        """Lay the fields out as C does: (fields with offsets, size, alignment)."""
        known = self._placed.get(abi.index)
        if known is not None:
            return known
        placed = []
        end = 0
        widest = 1
        for name, kind in self.fields.items():
            size, align, code = kind.measure(abi)
            offset = -(-end // align) * align
            placed.append(Placed(name, kind, offset, size, code))
            end = offset + size
            widest = max(widest, align)
        result = tuple(placed), -(-end // widest) * widest, widest
        self._placed[abi.index] = result
        return result

    def measure(self, abi: Layout) -> tuple[int, int, str]:
        _, size, align = self.place(abi)
        return size, align, f"{size}s"

    def format(self, abi: Layout, only: frozenset[str] | None = None) -> str:
        """The ``struct`` format of the whole, padding included. ``only``: fields to be read."""
        placed, size, _ = self.place(abi)
        parts = ["<"]
        end = 0
        for field in placed:
            if only is not None and field.name not in only:
                continue
            parts.append(f"{field.offset - end}x" if field.offset > end else "")
            parts.append(field.code)
            end = field.offset + field.size
        parts.append(f"{size - end}x" if size > end else "")
        return "".join(parts)

    def bind(self, scope: Scope) -> Decode:
        brief = self.brief
        unpack_few, _, few = self.few(scope)
        all_of_it: list[tuple[Unpack, Scope, list[FieldStep]]] = (
            [self.few(scope)] if brief is None else []
        )

        def decode(ctx: Context, raw: bytes, frame: tuple[Any, ...]) -> Value:
            if ctx.whole:
                if not all_of_it:
                    all_of_it.append(self._steps(scope, self._shown(scope.abi), None))
                unpack, _, steps = all_of_it[0]
            else:
                unpack, steps = unpack_few, few
            fields = unpack(raw)
            found = []
            for name, index, decode_field in steps:
                value = decode_field(ctx, fields[index], fields)
                if value is not None:
                    found.append((name, value))
            return Struct(tuple(found), 0, brief)

        return decode

    def _shown(self, abi: Layout) -> tuple[str, ...]:
        """The fields in the order in which they are shown."""
        placed, _, _ = self.place(abi)
        return self.order or tuple(f.name for f in placed if not isinstance(f.kind, Pad))

    def few(self, scope: Scope) -> tuple[Unpack, Scope, list[FieldStep]]:
        """Compile the fields of an abbreviated structure: others are not worth decoding.

        Shape: what reads the fields; their scope; name, number and decoder of each that is shown.
        """
        names = self._shown(scope.abi)
        if self.brief is None:
            return self._steps(scope, names, None)
        names = tuple(name for name in names if name in self.brief)
        needed = set(names)
        for name in names:
            kind = self.fields[name]
            if type(kind) is Conditional:
                needed.add(kind.condition.name)
                kind = kind.inner
            if not kind.by_number():  # it may look at any other field
                return self._steps(scope, names, None)
        return self._steps(scope, names, frozenset(needed))

    def _steps(
        self, scope: Scope, names: tuple[str, ...], only: frozenset[str] | None
    ) -> tuple[Unpack, Scope, list[FieldStep]]:
        placed, _, _ = self.place(scope.abi)
        read = [f for f in placed if only is None or f.name in only]
        places = {f.name: (i, f.kind) for i, f in enumerate(read)}
        inner = scope.within(places)
        steps = [(name, places[name][0], places[name][1].bind(inner)) for name in names]
        return struct.Struct(self.format(scope.abi, only)).unpack, inner, steps

    def fetches(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        """Fetches of the pointers inside, for a structure that is part of a block."""
        assert isinstance(at, AtOffset), "a structure does not fit into a register"
        placed, _, _ = self.place(planning.abi)
        lengths = {
            f.name: Length(From.PARENT, at.offset + f.offset, 1, f.size)
            for f in placed
            if f.size <= 8
        }
        inner = planning.within(lengths)
        found: list[Fetch] = []
        for field in placed:
            found.extend(field.kind.fetches(AtOffset(at.offset + field.offset), inner))
        return tuple(found)

    def parts(self) -> Iterator[Type]:
        yield from self.fields.values()


class Pad(Type):
    """Bytes of a structure that are never shown."""

    def __init__(self, size: int, align: int = 1) -> None:
        self.size = size
        self.align = align

    def measure(self, abi: Layout) -> tuple[int, int, str]:
        return self.size, self.align, f"{self.size}s"


class Chars(Type):
    """A fixed array of characters. ``cstr``: shown up to its first NUL; ``whole``: -s does not
    shorten it.
    """

    def __init__(self, size: int, cstr: bool = True, whole: bool = False) -> None:
        self.size = size
        self.cstr = cstr
        self.whole = whole

    def measure(self, abi: Layout) -> tuple[int, int, str]:
        return self.size, 1, f"{self.size}s"

    def bind(self, scope: Scope) -> Decode:
        cstr, whole = self.cstr, self.whole

        def decode(ctx: Context, raw: bytes, frame: tuple[Any, ...]) -> Value:
            more = False
            if cstr:
                end = raw.find(b"\0")
                more = end < 0
                # The last byte is the NUL's, whatever lies there.
                raw = raw[:end]
            if not whole and len(raw) > ctx.string_bytes:
                return Text(raw[: ctx.string_bytes], True)
            return Text(raw, more)

        return decode


class FixedArray(Type):
    """An array of known length inside a structure."""

    def __init__(self, element: Type, count: int) -> None:
        self.element = element
        self.count = count

    def measure(self, abi: Layout) -> tuple[int, int, str]:
        size, align, _ = self.element.measure(abi)
        return size * self.count, align, f"{size * self.count}s"

    def bind(self, scope: Scope) -> Decode:
        _, _, code = self.element.measure(scope.abi)
        unpack = struct.Struct(f"<{code}").iter_unpack
        decode_one = self.element.bind(scope)

        def decode(ctx: Context, raw: bytes, frame: tuple[Any, ...]) -> Value:
            items = tuple(decode_one(ctx, item, frame) for (item,) in unpack(raw))
            return Array(items, brief=ctx.string_bytes)

        return decode

    def fetches(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        assert isinstance(at, AtOffset)
        size, _, _ = self.element.measure(planning.abi)
        found: list[Fetch] = []
        for i in range(self.count):
            found.extend(self.element.fetches(AtOffset(at.offset + i * size), planning))
        return tuple(found)

    def parts(self) -> Iterator[Type]:
        yield self.element


class ArrayOf(Pointee):
    """As many elements as a sibling, the result or a constant says.

    The output shows at most as many as -s allows characters, unless -v is given. ``limit`` bounds
    the elements read
    for good.
    """

    def __init__(self, element: Type, count: str | int, limit: int = 1 << 16) -> None:
        self.element = element
        self.count = count
        self.limit = limit

    def bind_at(self, scope: Scope) -> DecodeAt:
        size, _, code = self.element.measure(scope.abi)
        iter_unpack = struct.Struct(f"<{code}").iter_unpack
        decode_one = self.element.bind(scope)
        most = self.limit
        number = scope.number(self.count)

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            if not address:
                return Address(0)
            count = number(ctx, frame)
            if count <= 0:
                return Array((), address) if count == 0 else Address(address)
            if address + count * size >> 64:
                return Address(address)
            # One more than may be shown tells an abbreviating output that there is more.
            wanted = min(count, most, max(ctx.elements, 1))
            data = ctx.memory.read_some(address, wanted * size)
            if not isinstance(data, bytes):
                return unreadable(address, data)
            usable = len(data) // size
            if not usable:
                return Address(address)
            items: list[Value] = []
            for (raw,) in iter_unpack(data[: usable * size]):
                value = decode_one(ctx, raw, frame)
                if isinstance(value, Struct | Array):
                    value.address = address + len(items) * size
                items.append(value)
            broken = address + usable * size if usable < wanted else 0
            more = count > wanted and not broken
            return Array(tuple(items), address, more, broken, ctx.string_bytes)

        return decode_at

    def fetches_at(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        size, _, _ = self.element.measure(planning.abi)
        most = min(self.limit, 4096 if planning.whole else planning.string_bytes + 1)
        limit = min(most * size, CAPTURE_LIMIT)
        length = named_length(self.count, planning, size) or Length(From.CONST, limit)
        inside = self.element.fetches(AtOffset(0), planning)
        return (
            Fetch(
                at,
                planning.phase,
                length,
                limit,
                always=planning.always,
                inside=inside,
                stride=size if inside else 0,
                elements=CAPTURE_ELEMENTS,
            ),
        )

    def parts(self) -> Iterator[Type]:
        yield self.element


class NullTerminated(Pointee):
    """An array of pointers that ends with a NULL, each decoded by ``element`` (argv)."""

    def __init__(self, element: Pointee, limit: int = 32) -> None:
        self.element = element
        self.limit = limit

    def bind_at(self, scope: Scope) -> DecodeAt:
        word = scope.abi.word
        decode_one = self.element.bind_at(scope)

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            if not address:
                return Address(0)
            items: list[Value] = []
            at = address
            most = ctx.elements
            while len(items) < most:
                data = ctx.memory.read(at, word)
                if not isinstance(data, bytes):
                    if not items:
                        return Address(address)
                    return Array(tuple(items), address, False, at)
                pointer = int.from_bytes(data, "little")
                if not pointer:
                    return Array(tuple(items), address, False, 0, ctx.string_bytes)
                items.append(decode_one(ctx, pointer, frame))
                at += word
            return Array(tuple(items), address, True, 0, ctx.string_bytes)

        return decode_at

    def fetches_at(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        word = planning.abi.word
        limit = (512 if planning.whole else planning.string_bytes + 1) * word
        inside = self.element.fetches_at(AtOffset(0), planning)
        return (
            Fetch(
                at,
                planning.phase,
                Length(From.CONST, limit),
                limit,
                always=planning.always,
                inside=inside,
                stride=word,
                elements=limit // word,
                until_null=True,
            ),
        )

    def parts(self) -> Iterator[Type]:
        yield self.element
