"""Calls that i386 programs make through one call: those of System V IPC.

The argument that is a pointer is always the fourth one here. Some libraries put a version into the
upper half of the number; with one, msgrcv passes what it otherwise keeps in a structure.
Source: ipc/syscall.c, Linux 6.18.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pytracer.spec.abi import I386
from pytracer.spec.context import LATER, Context, Decode
from pytracer.spec.entry import BOOK, Entry
from pytracer.spec.multiplexed import Multiplexed
from pytracer.spec.plan import At, AtOffset, AtRegister, Fetch, From, Length, Planning
from pytracer.spec.pointer import Pointee, unreadable
from pytracer.spec.returns import Count, HexResult, Result, Returns
from pytracer.spec.scalar import Enum, Hex
from pytracer.spec.type import Scope, Type
from pytracer.spec.values import Address, Array, Base, Integer, Joined, Value
from pytracer.tables import ipc
from pytracer.tables.constants.ipc import IPC_CALLS
from pytracer.tables.multiplexers import MULTIPLEXERS
from pytracer.tables.structs.ipc import MessageBuffer

# The calls that this one stands for are described there.
__all__ = ["ipc"]

_NAMES = MULTIPLEXERS["ipc"]
_NONE = Hex()
# What each call's arguments are, by the names of its own; "-" is not used, "*" ends the list.
_PLACES = {
    "semop": "semid nsops - sops",
    "semget": "key nsems semflg",
    "semctl": "semid semnum op arg",
    "semtimedop": "semid nsops - sops timeout",
    "msgsnd": "msqid msgsz msgflg msgp",
    "msgrcv": "msqid msgsz msgflg msgp msgtyp",
    "msgget": "key msgflg",
    "msgctl": "msqid op - buf",
    "shmat": "shmid shmflg - shmaddr",
    "shmdt": "- - - shmaddr",
    "shmget": "key size shmflg",
    "shmctl": "shmid op - buf",
}
_WORD = 4


class _Mapped(HexResult):
    """Where shared memory was mapped: the kernel puts it where the third argument points."""

    def bind(self, scope: Scope) -> Result:
        def result(ctx: Context) -> tuple[Value | None, Value | None]:
            data = ctx.memory.read(ctx.args[2], _WORD)
            if not isinstance(data, bytes):
                return None, None
            return Integer(int.from_bytes(data, "little"), Base.HEX), None

        return result

    def fetches(self, planning: Planning) -> tuple[Fetch, ...]:
        return (Fetch(AtRegister(2), planning.phase, Length(From.CONST, _WORD), _WORD),)


class _Behind(Pointee):
    """A pointer to the word that stands for an argument elsewhere (union semun)."""

    def __init__(self, inner: Type) -> None:
        self.inner = inner

    def bind(self, scope: Scope) -> Decode:
        decode_inner = self.inner.bind(scope)

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
            if not ctx.exiting:
                data = ctx.memory.read(raw, _WORD)
                if not isinstance(data, bytes):
                    return unreadable(raw, data)
                ctx.saved[_Behind] = int.from_bytes(data, "little")
            value = decode_inner(ctx, ctx.saved[_Behind], frame)
            if value is LATER:
                return LATER
            return Array((value,), raw) if isinstance(value, Address) else value

        return decode

    def fetches(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        found = self.inner.fetches(AtOffset(0), planning)
        phases = dict.fromkeys((planning.phase, *(fetch.phase for fetch in found)))
        return tuple(
            Fetch(
                at,
                phase,
                Length(From.CONST, _WORD),
                _WORD,
                inside=tuple(fetch for fetch in found if fetch.phase is phase),
            )
            for phase in phases
        )

    def parts(self) -> Iterator[Type]:
        yield self.inner


class _Kludge(Pointee):
    """A pointer to msgrcv's buffer and its type, the size being shown between them."""

    def __init__(self) -> None:
        self.buffer = MessageBuffer("msgsz")

    def bind(self, scope: Scope) -> Decode:
        decode_buffer = self.buffer.bind_at(scope)
        size = scope.number("msgsz")

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
            if not ctx.exiting:
                return LATER
            room = Integer(size(ctx, frame) & 0xFFFFFFFF)
            if ctx.failed:
                return Joined((Address(raw), room), ", ")
            data = ctx.memory.read(raw, 2 * _WORD)
            if not isinstance(data, bytes):
                return Joined((unreadable(raw, data), room), ", ")
            at = int.from_bytes(data[:_WORD], "little")
            kind = int.from_bytes(data[_WORD:], "little", signed=True)
            return Joined((decode_buffer(ctx, at, frame), room, Integer(kind)), ", ")

        return decode

    def fetches(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        late = planning.at_exit()
        inside = self.buffer.fetches_at(AtOffset(0), late)
        length = Length(From.CONST, 2 * _WORD)
        return (Fetch(at, late.phase, length, 2 * _WORD, inside=inside),)


def _entry(name: str, returns: Returns | None = None, **instead: Type) -> Entry:
    """The description of a call whose arguments stand in other places."""
    own = BOOK.entries[name, I386.index]
    args: dict[str, Type] = {}
    for index, place in enumerate(_PLACES[name].split()):
        args[f"arg{index + 1}" if place == "-" else place] = instead.get(
            place, own.args.get(place, _NONE)
        )
    order = tuple(place for place in own.order if place in args)
    return Entry(name, args, returns or own.returns, own.extra_classes, own.abis, order)


def _kludge() -> Entry:
    own = BOOK.entries["msgrcv", I386.index]
    args = {"msqid": own.args["msqid"], "msgsz": own.args["msgsz"], "msgflg": own.args["msgflg"]}
    return Entry(
        "msgrcv",
        {**args, "msgp": _Kludge()},
        Count(),
        own.extra_classes,
        own.abis,
        ("msqid", "msgp", "msgflg"),
    )


_SPECIAL: dict[str, Entry] = {
    "shmat": _entry("shmat", _Mapped()),
    "semctl": _entry("semctl", arg=_Behind(BOOK.entries["semctl", I386.index].args["arg"])),
}
_CALLS: dict[int, Entry] = {}
for _number, _name in _NAMES.items():
    _CALLS[_number] = _CALLS[_number | 1 << 16] = _SPECIAL.get(_name) or _entry(_name)
    if _name == "msgrcv":
        _CALLS[_number] = _kludge()


class _Call(Enum):
    """The number of a call, behind its version."""

    def __init__(self) -> None:
        super().__init__(IPC_CALLS, "uint", Base.DEC)

    def make(self, number: int) -> Value:
        version, call = number >> 16, super().make(number & 0xFFFF)
        if not version:
            return call
        return Joined((Joined((Integer(version), Integer(16)), "<<"), call))


BOOK.add(
    Multiplexed(
        "ipc",
        {"call": _Call(), **dict.fromkeys(("first", "second", "third", "ptr", "fifth"), _NONE)},
        _CALLS,
        I386,
        in_memory=False,
        classes=frozenset({"ipc"}),
    )
)
