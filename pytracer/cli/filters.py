"""Which calls are shown for what they are about: files (-P) and descriptors (--trace-fds)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from pytracer.cli.expressions import TokenSet
from pytracer.cli.messages import Messages
from pytracer.cli.options import Options
from pytracer.decode.call import Call
from pytracer.decode.catalogue import describe
from pytracer.event.schema import Abi
from pytracer.output.style import Quiet
from pytracer.output.text.quote import quote
from pytracer.spec.abi import LAYOUTS
from pytracer.spec.context import was_read
from pytracer.spec.pointer import Path
from pytracer.spec.scalar import DirFd, Fd
from pytracer.spec.type import Type, Wrapper
from pytracer.spec.values import Array, Descriptor, Struct, Value

if TYPE_CHECKING:
    from pytracer.decode.descriptors import LiveDescriptors

PATH_MAX: Final = 4096  # include/uapi/linux/limits.h


def filter_for(options: Options, messages: Messages) -> Filter | None:
    """Make the filter that the options ask for; None when they ask for none."""
    if not options.paths and options.trace_fds is None:
        return None
    paths = set()
    for path in options.paths:
        name = os.fsencode(path)
        paths.add(name)
        try:
            real = os.path.realpath(name, strict=True)
        except OSError:
            continue
        if real != name:
            paths.add(real)
            if Quiet.PATH_RESOLUTION not in options.quiet:
                messages.note(f'Requested path "{quote(name)}" resolved into "{quote(real)}"')
    return Filter(frozenset(paths), options.trace_fds)


class Filter:
    """Looks at the files and descriptors that a call is given; either kind of match is enough.

    ``names`` tells what files descriptors refer to.
    """

    def __init__(
        self,
        paths: frozenset[bytes],
        descriptors: TokenSet | None,
        names: LiveDescriptors | None = None,
    ) -> None:
        self._paths = paths
        self._descriptors = descriptors
        self.names = names
        # Registers with paths, and registers with descriptors, by ABI and number.
        self._places: dict[tuple[int, int], tuple[list[int], list[int]]] = {}

    def wants(self, call: Call) -> bool:
        """Whether a call that has just been entered is to be shown."""
        paths, descriptors = self._registers(call.abi.index, call.nr)
        for register in descriptors:
            if self._descriptor(call, call.args[register] & 0xFFFFFFFF):
                return True
        if self._paths:
            pointer = (1 << 8 * call.abi.word) - 1
            for register in paths:
                found = call.memory.read_cstr(call.args[register] & pointer, PATH_MAX)
                if was_read(found) and found.data in self._paths:
                    return True
        return any(
            self._descriptor(call, inner.value & 0xFFFFFFFF)
            for _, value in call.values
            for inner in _inside(value)
        )

    def _registers(self, abi: int, nr: int) -> tuple[list[int], list[int]]:
        places = self._places.get((abi, nr))
        if places is None:
            places = self._places[abi, nr] = [], []
            register = 0
            for kind in describe(Abi(abi), nr).args.values():
                plain = _unwrapped(kind)
                if isinstance(plain, Path) and plain.accessed:
                    places[0].append(register)
                elif isinstance(plain, Fd | DirFd):
                    places[1].append(register)
                register += kind.registers(LAYOUTS[abi])
        return places

    def _descriptor(self, call: Call, fd: int) -> bool:
        if fd >= 1 << 31:
            return False
        if self._descriptors is not None and fd in self._descriptors:
            return True
        if not self._paths or self.names is None:
            return False
        return self.names.target(call.pid, fd, call.memory) in self._paths


def _unwrapped(kind: Type) -> Type:
    while isinstance(kind, Wrapper):
        kind = kind.inner
    return kind


def _inside(value: Value) -> Iterator[Descriptor]:
    """The descriptors inside of structures and arrays, such as poll's."""
    parts: tuple[Value, ...] = ()
    match value:
        case Array():
            parts = tuple(value.items)
        case Struct():
            parts = tuple(field for _, field in value.fields)
        case _:
            return
    for part in parts:
        if isinstance(part, Descriptor):
            yield part
        else:
            yield from _inside(part)
