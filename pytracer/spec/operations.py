"""One system call whose first argument decides what the others are and how they are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pytracer.spec.abi import Layout
from pytracer.spec.context import Context
from pytracer.spec.entry import ALL_ABIS, Compiled, Entry, Selector, Target
from pytracer.spec.plan import Fetch
from pytracer.spec.returns import Count, Returns
from pytracer.spec.type import Type


class Operations(Entry):
    """A call whose first argument is the key of one of ``operations``: the arguments behind it.

    Where it is the key of none, the call is shown by its own ``args``.
    """

    def __init__(
        self,
        name: str,
        args: dict[str, Type],
        operations: Mapping[int, dict[str, Type]],
        returns: Returns | None = None,
        classes: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(name, args, returns or Count(), classes, ALL_ABIS, None)
        first, kind = next(iter(args.items()))
        self.operations = {
            key: Entry(name, {first: kind, **rest}, self.returns, classes, ALL_ABIS, None)
            for key, rest in operations.items()
        }

    def compile(self, abi: Layout) -> Compiled:
        """Compile the call's own form, and the way to those of its operations."""
        compiled: dict[int, Compiled] = {}

        def redirect(ctx: Context) -> Target | None:
            number = ctx.args[0] & 0xFFFFFFFF
            known = compiled.get(number)
            if known is None:
                entry = self.operations.get(number)
                if entry is None:
                    return None
                known = compiled[number] = entry.compile(abi)
            return known, ctx.args

        return replace(super().compile(abi), redirect=redirect)

    def selector(self, abi: Layout) -> Selector | None:
        return Selector(0, 0xFFFFFFFF, tuple(sorted(self.operations)))

    def fetches(
        self,
        abi: Layout,
        string_bytes: int,
        whole: bool,
        selected: int | None = None,
        descriptors: bool = False,
    ) -> tuple[Fetch, ...]:
        entry = self.operations.get(selected) if selected is not None else None
        if entry is None:
            return super().fetches(abi, string_bytes, whole, None, descriptors)
        return entry.fetches(abi, string_bytes, whole, None, descriptors)
