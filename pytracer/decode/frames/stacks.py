"""From a call to the frames of its stack (-k)."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from typing import Final

from pytracer.decode.call import Call
from pytracer.decode.catalogue import describe
from pytracer.decode.frames.demangle import demangled
from pytracer.decode.frames.frame import Frame
from pytracer.decode.frames.maps import Mapping, Maps, read_maps
from pytracer.decode.frames.module import BadModule, Module
from pytracer.decode.frames.rows import SIGNAL, read_word
from pytracer.decode.frames.seen import Seen, SeenMaps
from pytracer.event.registers import LENGTH, RBP, REGISTERS, RIP, RSP, is_native, numbered
from pytracer.event.schema import Abi, GroupStop, Signal, SyscallEnter
from pytracer.spec.context import Memory, Unread

_VDSO: Final = "[vdso]"
_MOST_FILE_BYTES: Final = 1 << 30
_LARGE_FRAME_BYTES: Final = 1 << 20
# Calls of these classes change what is mapped, or come back to another program, or not at all.
_MAPPING: Final = "memory"
_PROCESS: Final = "process"


_MORE: Final = Frame("", None, 0, 0, "too many stack frames")


def shortened(frames: list[Frame], limit: int) -> list[Frame]:
    """Leave frames out beyond so many."""
    return frames if len(frames) <= limit else [*frames[:limit], _MORE]


class Stacks:
    """Walks the stack of a call while its memory can be read.

    ``limit``: frames at most. ``launches``: the first program is executed by a copy of us, whose
    stack is nobody's business. ``seen``: what events tell of mappings, where the target is not
    stopped, so that calls tell their frames as they begin; otherwise they do as they end, as in
    strace, and mappings are read from /proc, again after a call that changes them.
    """

    def __init__(
        self,
        limit: int = 256,
        launches: bool = False,
        seen: Seen | None = None,
        proc: str = "/proc",
    ) -> None:
        self.limit = limit
        self._launches = launches
        self._launching: SyscallEnter | None = None
        self._seen = seen
        self._proc = proc
        self._maps: dict[int, Maps | None] = {}
        self._modules: dict[str, Module | None] = {}
        self._classes: dict[tuple[int, int], frozenset[str]] = {}

    def early(self, call: Call) -> bool:
        """Whether the frames of a call are to be told as it begins."""
        if self._seen is not None:
            return not self._seen.launching(call.pid, call.entry.time_ns)
        if _PROCESS not in self._classes_of(call):
            return False
        if self._launches and _is_ours(call.pid, self._proc):
            self._launches = False
            self._launching = call.entry
        return call.entry is not self._launching

    def of_call(self, call: Call) -> list[Frame]:
        """The frames of a call that was entered, or has returned: innermost first."""
        if call.entry.abi is not Abi.X86_64:
            return []
        if self._seen is not None and call.end is not None:
            return self._beginning(self._seen.of(call.pid, call.end.time_ns))  # it was launched
        return self._frames(call.pid, call.entry.time_ns, call.memory)

    def _beginning(self, maps: SeenMaps | None) -> list[Frame]:
        """The one frame of a program that has not begun: its interpreter is about to."""
        files = [path for path in maps.files if path.startswith("/")] if maps is not None else []
        path = "".join(files[:2][-1:])
        module = self._module(path)
        offset = module.entry if module is not None else None
        return [] if offset is None else [_frame(path, module, offset)]

    def of_signal(self, event: Signal | GroupStop) -> list[Frame]:
        """The frames of what a signal interrupts."""
        return (
            []
            if event.memory is None
            else self._frames(event.task.pid, event.time_ns, event.memory)
        )

    def _frames(self, pid: int, time_ns: int, memory: Memory) -> list[Frame]:
        data = memory.read(REGISTERS, LENGTH)
        if not isinstance(data, bytes) or not is_native(data):
            return []
        if self._seen is not None:
            seen = self._seen.of(pid, time_ns)
            return [] if seen is None else self._walk(numbered(data), memory, seen.find)
        return self._walk(numbered(data), memory, lambda address: self._find(pid, address))

    def _find(self, pid: int, address: int) -> Mapping | None:
        """The executable mapping of a stopped process that an address is in."""
        known = self._maps.get(pid)
        found = None if known is None else known.find(address)
        if found is None or not found.executable:
            # It may have been mapped by a call that nobody wants to see.
            known = self._maps[pid] = read_maps(pid, self._proc)
            found = None if known is None else known.find(address)
        return found

    def over(self, call: Call) -> None:
        """Take note that a call is over."""
        classes = self._classes_of(call)
        if _MAPPING in classes or _PROCESS in classes:
            self._maps.pop(call.pid, None)

    def _classes_of(self, call: Call) -> frozenset[str]:
        key = call.abi.index, call.nr
        found = self._classes.get(key)
        if found is None:
            found = self._classes[key] = describe(Abi(key[0]), key[1]).classes
        return found

    def _walk(
        self,
        registers: dict[int, int],
        memory: Memory,
        find: Callable[[int], Mapping | None],
    ) -> list[Frame]:
        frames: list[Frame] = []
        captured = _Captured(memory)
        exact = True  # the address is that of the next instruction, not behind a call
        while True:
            address = registers[RIP]
            mapping = find(address)
            if mapping is None or not mapping.executable:
                if address:
                    frames.append(Frame("", None, 0, address, "unexpected_backtracing_error"))
                return frames
            if len(frames) >= self.limit:
                return [*frames, _MORE]
            module = self._module(mapping.path)
            offset = address - mapping.start + mapping.offset
            frames.append(_frame(mapping.path, module, offset))
            found, exact = _leave(registers, captured, module, offset, exact)
            if found is None and self._seen is not None and captured.ends_in(registers[RSP]):
                frames.append(Frame("", None, 0, 0, "the stack was not captured any further"))
            if found is None or (found[RIP], found[RSP]) == (address, registers[RSP]):
                return frames
            registers = found

    def _module(self, path: str) -> Module | None:
        if path not in self._modules:
            self._modules[path] = load_module(path, self._proc)
        return self._modules[path]


class _Captured:
    """Memory, and where it was not to be had."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._missed = 0
        self.read_some = memory.read_some
        self.read_cstr = memory.read_cstr

    def read(self, address: int, length: int) -> bytes | Unread:
        """Read exactly so many bytes."""
        data = self._memory.read(address, length)
        if not isinstance(data, bytes):
            self._missed = address
        return data

    def ends_in(self, stack: int) -> bool:
        """Whether that was in the frames of a stack, by its pointer."""
        return stack <= self._missed < stack + _LARGE_FRAME_BYTES


def _is_ours(pid: int, proc: str) -> bool:
    """Whether a process still runs our own program."""
    try:
        return os.readlink(f"{proc}/{pid}/exe") == os.readlink(f"{proc}/self/exe")
    except OSError:
        return False


def _frame(path: str, module: Module | None, offset: int) -> Frame:
    place = module.address(offset) if module is not None else None
    named = module.function(place) if module is not None and place is not None else None
    if named is None:
        return Frame(path, None, 0, offset)
    name, distance = named
    return Frame(path, demangled(name), distance, offset)


def _leave(
    registers: dict[int, int], memory: Memory, module: Module | None, offset: int, exact: bool
) -> tuple[dict[int, int] | None, bool]:
    """The registers of the caller, and whether its address is exact, or there is none."""
    place = module.address(offset) if module is not None else None
    # Behind a call that never returns another function may begin.
    row = module.row(place - (not exact)) if module is not None and place is not None else None
    if row is not None:
        return row.leave(registers, memory), bool(row.flags & SIGNAL) or row.outermost
    return _by_frame_pointer(registers, memory), not registers.get(RBP)


def _by_frame_pointer(registers: dict[int, int], memory: Memory) -> dict[int, int] | None:
    """Code without call frame information: what compilers emit that keep the frame pointer."""
    base = registers.get(RBP)
    if not base or base < registers[RSP]:
        return None
    before, address = read_word(memory, base), read_word(memory, base + 8)
    if before is None or not address:
        return None
    return registers | {RBP: before, RIP: address, RSP: base + 16}


def load_module(path: str, proc: str) -> Module | None:
    """Read a program or library; None when that cannot be."""
    try:
        data = _own_vdso(proc) if path == _VDSO else _read(path)
        return Module(data)
    except (OSError, ValueError, BadModule):  # a recording may hold what is no name of a file
        return None


def _read(path: str) -> bytes:
    # What is there by now, or in our view, may be a device: not even to be opened.
    if not path.startswith("/") or not stat.S_ISREG(os.stat(os.fsencode(path)).st_mode):
        raise BadModule("not a file")
    fd = os.open(os.fsencode(path), os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    with open(fd, "rb") as file:  # noqa: PTH123
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode) or status.st_size > _MOST_FILE_BYTES:
            raise BadModule("no file, or too large")
        return file.read()


def _own_vdso(proc: str) -> bytes:
    """The kernel's own library, which is the same in all processes of 64 bits."""
    with open(f"{proc}/self/maps", encoding="ascii", errors="replace") as file:  # noqa: PTH123
        line = next((line for line in file if line.rstrip().endswith(_VDSO)), "")
    start, _, end = line.partition(" ")[0].partition("-")
    if not end:
        raise BadModule("there is none")
    with open(f"{proc}/self/mem", "rb") as file:  # noqa: PTH123
        file.seek(int(start, 16))
        return file.read(int(end, 16) - int(start, 16))
