"""Memory that a call reads in one shape and answers in another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pytracer.spec.context import LATER, Context, Decode
from pytracer.spec.plan import At, Fetch, Planning
from pytracer.spec.pointer import In
from pytracer.spec.type import Scope, Type
from pytracer.spec.values import Address, Changed, Struct, Unavailable, Value


class Exchange(In):
    """A pointer to what the caller hands in and the kernel answers to: ``{a=1} => {b=2}``.

    If the call failed, only what was handed in is shown, or with ``always`` the address behind it.
    """

    def __init__(self, before: Type, after: Type, always: bool = False) -> None:
        super().__init__(before)
        self.after = after
        self.always = always

    def bind(self, scope: Scope) -> Decode:
        decode_after = self.after.bind_at(scope)
        join = self.join
        always = self.always

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
            if not ctx.exiting:
                return LATER
            before: Value = ctx.saved.get(raw) or Address(raw)
            if isinstance(before, Address | Unavailable):
                return before
            if ctx.failed:
                return Changed(before, Address(raw)) if always else before
            return join(before, decode_after(ctx, raw, frame))

        return decode

    def join(self, before: Value, after: Value) -> Value:
        """One value of the two."""
        return Changed(before, after)

    def prefetch(self, scope: Scope, index: int) -> Callable[[Context], None] | None:
        decode_before = self.inner.bind_at(scope)

        def keep(ctx: Context) -> None:
            raw = ctx.args[index]
            ctx.saved[raw] = decode_before(ctx, raw, ctx.args)

        return keep

    def fetches(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        early = self.inner.fetches_at(at, planning.at_entry())
        return early + self.after.fetches_at(at, planning.at_exit())

    def parts(self) -> Iterator[Type]:
        yield self.inner
        yield self.after


class Completed(Exchange):
    """A structure to whose fields the kernel adds some: all in one pair of braces."""

    def join(self, before: Value, after: Value) -> Value:
        if isinstance(before, Struct) and isinstance(after, Struct):
            fields = before.fields + after.fields
            return Struct(fields, before.address, before.brief, before.more or after.more)
        return before
