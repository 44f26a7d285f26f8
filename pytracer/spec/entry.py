"""The description of one system call, and its compilation for one ABI."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

from pytracer.spec.abi import LAYOUTS, Layout
from pytracer.spec.context import Context, Decode
from pytracer.spec.plan import AtRegister, Fetch, From, Length, Phase, Planning
from pytracer.spec.returns import Count, Result, Returns
from pytracer.spec.type import Scope, SpecError, Type
from pytracer.spec.values import Returned


@dataclass(frozen=True, slots=True)
class Compiled:
    """A description made ready for decoding under one ABI.

    ``steps``: (argument name, register, decoder) in the order of printing. ``keepers`` are run at
    entry, once the arguments that can be decoded then have been. ``kinds``: the types of the steps,
    ``scope`` what they were compiled in. ``raw``: only registers are shown
    because that was asked for. ``plain``: the result depends on its number alone; ``results`` then
    are those made so far, for the decoder to share. ``redirect`` finds the call that this one
    stands for, and its registers; it answers None when the call stands for itself.
    ``result_by_number``: the result depends on its number alone, but for what was told of
    descriptors and processes.
    """

    name: str
    steps: tuple[tuple[str, int, Decode], ...]
    keepers: tuple[Callable[[Context], None], ...]
    result: Result
    never_returns: bool
    kinds: tuple[Type, ...]
    scope: Scope
    raw: bool = False
    plain: bool = False
    results: dict[int, Returned] = field(default_factory=dict)
    redirect: Callable[[Context], Target | None] | None = None
    result_by_number: bool = False


Target: TypeAlias = tuple[Compiled, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Selector:
    """The register on whose value the capture plan depends: ``values`` under ``mask`` have plans of
    their own.
    """

    register: int
    mask: int
    values: tuple[int, ...]


class Entry:
    """One system call: its arguments in ABI order, its result and its classes.

    ``abis``: the ABIs for which this description holds, by Layout.index; others may have one of
    their own.
    ``order``: the order in which the arguments are printed, where it differs.
    """

    def __init__(
        self,
        name: str,
        args: dict[str, Type],
        returns: Returns,
        classes: frozenset[str],
        abis: frozenset[int],
        order: tuple[str, ...] | None,
    ) -> None:
        self.name = name
        self.args = args
        self.returns = returns
        self.extra_classes = classes
        self.abis = abis
        self.order = order or tuple(args)

    @cached_property
    def classes(self) -> frozenset[str]:
        """The groups (%desc, %file, ...) that the call belongs to."""
        found = set(self.extra_classes)
        for kind in self.args.values():
            found |= kind.classes
        if "network" in found and "desc" not in self.extra_classes:
            # strace's %desc leaves out what sockets alone have.
            found.discard("desc")
        return frozenset(found)

    def _places(self, abi: Layout) -> dict[str, tuple[int, Type]]:
        places = {}
        register = 0
        for name, kind in self.args.items():
            places[name] = register, kind
            register += kind.registers(abi)
        if register > 6:
            raise SpecError(
                f"{self.name} takes {register} registers on {abi.name}, and there are 6"
            )
        return places

    def compile(self, abi: Layout) -> Compiled:
        """Compile the decoders of all arguments and of the result."""
        places = self._places(abi)
        scope = Scope(abi, places)
        steps = []
        keepers = []
        kinds = []
        for name in self.order:
            register, kind = places[name]
            decode = kind.bind(scope)
            if kind.registers(abi) == 2:
                decode = _from_two(decode, register)
            steps.append((name, register, decode))
            kinds.append(kind)
            keep = kind.prefetch(scope, register)
            if keep is not None:
                keepers.append(keep)
        result = self.returns.bind(scope)
        return Compiled(
            self.name,
            tuple(steps),
            tuple(keepers),
            result,
            self.returns.never_returns,
            tuple(kinds),
            scope,
            plain=_own(self.returns, "plain"),
            result_by_number=_own(self.returns, "plain") or _own(self.returns, "by_number"),
        )

    def selector(self, abi: Layout) -> Selector | None:
        """The argument that the capture plan depends on; None when there is one plan for all."""
        places = self._places(abi)
        on: set[tuple[str, int]] = set()
        values: set[int] = set()
        for kind in self.args.values():
            for part in _walk(kind):
                found = part.selector()
                if found is not None and found[0] in places:
                    on.add(found[:2])
                    values.update(found[2])
        if not on:
            return None
        if len(on) > 1:
            raise SpecError(
                f"the shape of {self.name} depends on more than one thing: {sorted(on)}"
            )
        name, mask = on.pop()
        return Selector(places[name][0], mask, tuple(sorted(values)))

    def fetches(
        self,
        abi: Layout,
        string_bytes: int,
        whole: bool,
        selected: int | None = None,
        descriptors: bool = False,
    ) -> tuple[Fetch, ...]:
        """The capture plan, for one value of the selector (None: any that is not listed)."""
        places = self._places(abi)
        lengths = {}
        for name, (register, kind) in places.items():
            size = kind.measure(abi)[0]
            lengths[name] = Length(From.REGISTER, register, 1, min(size, abi.register_bytes))
        entry = Planning(
            abi, Phase.ENTRY, string_bytes, whole, selected, lengths, descriptors=descriptors
        )
        found: list[Fetch] = []
        late = False
        for name in self.order:
            register, kind = places[name]
            planning = entry.at_exit(always=True) if late else entry
            mine = kind.fetches(AtRegister(register), planning)
            found.extend(mine)
            if late and descriptors:
                # Decoded at once where what comes before it cannot be read.
                early = kind.fetches(AtRegister(register), entry)
                found.extend(fetch for fetch in early if fetch.describes is not None)
            # What is printed after an argument that only the exit can tell is decoded at exit too.
            late = late or any(f.phase is Phase.EXIT for f in mine)
        found.extend(self.returns.fetches(entry.at_exit()))
        return tuple(dict.fromkeys(found))


def _own(returns: Returns, name: str) -> bool:
    # A subclass may look at more: it says so for itself, or it is not so.
    return bool(vars(type(returns)).get(name, False))


def _from_two(decode: Decode, register: int) -> Decode:
    def decode_pair(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
        return decode(ctx, raw | ctx.args[register + 1] << 32, frame)

    return decode_pair


def _walk(kind: Type) -> Iterator[Type]:
    yield kind
    for part in kind.parts():
        yield from _walk(part)


ALL_ABIS = frozenset(layout.index for layout in LAYOUTS)


class Book:
    """All descriptions, by name and ABI. Table modules write into it when they are imported."""

    def __init__(self) -> None:
        self.entries: dict[tuple[str, int], Entry] = {}

    def add(self, entry: Entry) -> None:
        """Enter a description.

        Errors: SpecError when the call already has one for an ABI.
        """
        for abi in entry.abis:
            key = entry.name, abi
            if key in self.entries:
                raise SpecError(f"{entry.name} is described twice for {LAYOUTS[abi].name}")
            self.entries[key] = entry


BOOK = Book()


def syscall(
    call: str,
    /,
    *,
    returns: Returns | None = None,
    classes: str = "",
    abis: tuple[Layout, ...] = (),
    order: tuple[str, ...] | None = None,
    **args: Type,
) -> Entry:
    """Describe a system call: its arguments as keywords, in ABI order.

    A keyword's trailing underscore is dropped: ``_`` is an argument without a name. ``classes``:
    group names separated by blanks, beyond those that the arguments' types imply. ``abis``: the
    ABIs that are meant; all when left out.
    """
    entry = Entry(
        call,
        {name.rstrip("_"): kind for name, kind in args.items()},
        returns or Count(),
        frozenset(classes.split()),
        frozenset(a.index for a in abis) or ALL_ABIS,
        order,
    )
    BOOK.add(entry)
    return entry
