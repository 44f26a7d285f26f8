"""union bpf_attr: what bpf's commands are given, as much of it as the caller has.

Source: include/uapi/linux/bpf.h, Linux 7.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from pytracer.spec.abi import X86_64
from pytracer.spec.aggregate import StructOf
from pytracer.spec.context import LATER, Context, Decode
from pytracer.spec.plan import At, AtOffset, Fetch, From, Length, Planning
from pytracer.spec.pointer import Pointee, named_length, same, unreadable
from pytracer.spec.type import Scope, Type
from pytracer.spec.values import Address, Changed, Noted, Struct, Text, Value

_PAGE = 4096
_TYPE_AT = 8  # attach_type of BPF_LINK_CREATE


class Form:
    """One command's part of the union.

    ``points``: the fields with which newer versions began; they and those up to the next point are
    there when the caller's size goes beyond their beginning. ``title``: the name of the structure
    inside the union. ``covered``: the bytes that are explained, if not all of the structure's.
    """

    def __init__(
        self,
        layout: StructOf,
        points: tuple[str, ...] = (),
        title: str = "",
        covered: int = 0,
    ) -> None:
        self.layout = layout
        self.title = title
        # The union's 64-bit members are aligned alike everywhere.
        placed, whole, _ = layout.place(X86_64)
        self.whole = whole
        self.covered = covered or max(field.offset + field.size for field in placed)
        self.starts: dict[str, int] = {}
        start = -1
        for field in placed:
            if field.name in points:
                start = field.offset
            self.starts[field.name] = start

    def fields(
        self, decode: Decode, ctx: Context, data: bytes, frame: tuple[Any, ...]
    ) -> dict[str, Value]:
        """Decode the fields that so many bytes have."""
        value: Struct = decode(ctx, data[: self.whole].ljust(self.whole, b"\0"), frame)
        return {n: v for n, v in value.fields if len(data) > self.starts[n]}

    def finish(self, ctx: Context, fields: Mapping[str, Value], data: bytes) -> Struct:
        """Put the fields in their place, and what follows them behind, unless it is zero."""
        parts = tuple(fields.items())
        if self.title:
            parts = ((self.title, Struct(parts)),)
        rest = data[self.covered :]
        if not any(rest):
            return Struct(parts)
        if not ctx.whole:
            return Struct(parts, more=True)
        note = f"bytes {self.covered}..{len(data) - 1}"
        extra = Noted(Text(rest, escaped=True), note)
        return Struct((*parts, ("extra_data", extra)))


class Attr(Pointee):
    """The union, of ``size`` bytes, decoded before the call runs."""

    def __init__(self, form: Form) -> None:
        self.form = form

    def chosen(self, data: bytes) -> Form:
        """The form that these bytes have."""
        return self.form

    def forms(self) -> Iterator[Form]:
        """All forms that there may be."""
        yield self.form

    def parts(self) -> Iterator[Type]:
        for form in self.forms():
            yield form.layout

    def bind(self, scope: Scope) -> Decode:
        size = scope.number("size")
        inner = Scope(X86_64, scope.places, scope.call)
        bound = {id(form): form.layout.bind(inner) for form in self.forms()}

        def read(ctx: Context, raw: int, frame: tuple[Any, ...]) -> bytes | Value:
            length = size(ctx, frame)
            if not raw or not 0 < length <= _PAGE:
                return Address(raw)
            data = ctx.memory.read(raw, length)
            return data if isinstance(data, bytes) else unreadable(raw, data)

        return self.decoder(read, bound)

    def decoder(self, read: Any, bound: dict[int, Decode]) -> Decode:
        """Compile, given how to read the bytes and to decode each form."""

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
            data = read(ctx, raw, frame)
            if not isinstance(data, bytes):
                return data
            form = self.chosen(data)
            fields = form.fields(bound[id(form)], ctx, data, frame)
            value = form.finish(ctx, fields, data)
            value.address = raw
            return value

        return decode

    def fetches(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        wide = replace(planning, abi=X86_64)
        inside: dict[Fetch, None] = {}
        for form in self.forms():
            inside.update(dict.fromkeys(form.layout.fetches(AtOffset(0), wide)))
        length = named_length("size", planning) or Length(From.CONST, _PAGE)
        early = tuple(fetch for fetch in inside if fetch.phase is planning.phase)
        return (
            Fetch(at, planning.phase, length, _PAGE, False, planning.always, early),
            *self.late(at, planning, length),
        )

    def late(self, at: At, planning: Planning, length: Length) -> tuple[Fetch, ...]:
        """What is read when the call has returned."""
        return ()


class ByAttachType(Attr):
    """BPF_LINK_CREATE: the type of attachment decides what follows."""

    def __init__(self, form: Form, cases: Mapping[int, Form]) -> None:
        super().__init__(form)
        self.cases = cases

    def chosen(self, data: bytes) -> Form:
        kind = int.from_bytes(data[_TYPE_AT : _TYPE_AT + 4], "little")
        return self.cases.get(kind, self.form)

    def forms(self) -> Iterator[Form]:
        yield self.form
        yield from dict.fromkeys(self.cases.values())


class Answered(Attr):
    """The union that the kernel answers into, decoded when the call has returned.

    ``late``: the fields that only the answer has; ``changing``: those that are shown as they were
    and as they have become.
    """

    def __init__(self, form: Form, changing: str, late: tuple[str, ...] = ()) -> None:
        super().__init__(form)
        self.changing = changing
        self.answers = frozenset(late)

    def decoder(self, read: Any, bound: dict[int, Decode]) -> Decode:
        form = self.form
        decode_all = bound[id(form)]

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
            data = read(ctx, raw, frame)
            if not ctx.exiting:
                if not isinstance(data, bytes):
                    return data
                ctx.saved[Answered] = data, form.fields(decode_all, ctx, data, frame)
                return LATER
            given, before = ctx.saved[Answered]
            if not isinstance(data, bytes):
                data = given
            after = form.fields(decode_all, ctx, data, frame)
            return self.joined(ctx, raw, before, after, data)

        return decode

    def joined(
        self,
        ctx: Context,
        raw: int,
        before: dict[str, Value],
        after: dict[str, Value],
        data: bytes,
    ) -> Value:
        """One value for both moments."""
        fields = {n: after[n] if n in self.answers else v for n, v in before.items()}
        name = self.changing
        if name in fields and not same(before[name], after[name]):
            fields[name] = Changed(before[name], after[name])
        value = self.form.finish(ctx, fields, data)
        value.address = raw
        return value

    def late(self, at: At, planning: Planning, length: Length) -> tuple[Fetch, ...]:
        late = replace(planning, abi=X86_64).at_exit(always=True)
        inside = self.form.layout.fetches(AtOffset(0), late)
        return (Fetch(at, late.phase, length, _PAGE, False, True, inside),)


class Batch(Answered):
    """The union of a command for many elements: how many there were follows behind an arrow."""

    def joined(
        self,
        ctx: Context,
        raw: int,
        before: dict[str, Value],
        after: dict[str, Value],
        data: bytes,
    ) -> Value:
        value = self.form.finish(ctx, before, data)
        value.address = raw
        name = self.changing
        if same(before[name], after[name]):
            return value
        told = Struct(((self.form.title, Struct(((name, after[name]),))),))
        return Changed(value, told)
