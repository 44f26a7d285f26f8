"""What is in a call's record: its events, made when their turn comes."""

from __future__ import annotations

from typing import TypeAlias

from pytracer.backend.ebpf import wire
from pytracer.backend.ebpf.repair import Repair
from pytracer.backend.ebpf.wire import Region
from pytracer.event.memory import NO_MEMORY, Memory, Patched, Snapshot
from pytracer.event.schema import Registers, SyscallEnter, SyscallExit, Task, WholeCall

# (entry time, exit time, what CALL_HEAD finds, the record from its result on): tuples, as there
# may be hundreds of thousands of them in a turn.
Call: TypeAlias = tuple[int, int, tuple[int, ...], bytes]

# A CALL_REST without the name: result, number, instruction pointer and registers.
_words = wire.CALL_WORDS.unpack_from


class Opener:
    """Takes calls apart.

    ``repair`` fills in what could not be captured. ``measured``: the records tell CPU times.
    """

    def __init__(self, repair: Repair, measured: bool = False) -> None:
        self._repair = repair
        self._measured = measured

    def enter(self, task: Task, call: Call) -> SyscallEnter:
        """The entry of a call."""
        enter_ns, _, head, rest = call
        fields = wire.CALL_REST.unpack_from(rest)
        abi, nr, ip = wire.ABIS[head[wire.HEAD_ABI]], fields[wire.REST_NR], fields[wire.REST_IP]
        memory = self._memory(task, enter_ns, wire.regions(rest, True, wire.CALL_REST.size))
        return SyscallEnter(task, enter_ns, abi, nr, fields[wire.REST_ARGS :], memory, ip)

    def leave(self, task: Task, call: Call) -> SyscallExit:
        """The exit of a call."""
        _, exit_ns, head, rest = call
        fields = wire.CALL_REST.unpack_from(rest)
        captured = wire.regions(rest, False, wire.CALL_REST.size)
        memory = Snapshot(captured) if captured else NO_MEMORY
        ret, ip = fields[wire.REST_RET], fields[wire.REST_IP]
        cpu_ns = head[wire.HEAD_CPU_NS] if self._measured else None
        return SyscallExit(task, exit_ns, ret, memory, False, cpu_ns, ip)

    def open(self, call: WholeCall) -> tuple[int, Registers, int, int, Memory, Memory]:
        """Both at once: number, registers, result, instruction pointer, memory at each."""
        task, enter_ns, _, rest, _ = call
        fields = _words(rest)
        ret, nr, ip, args = fields[0], fields[1], fields[2], fields[3:]
        if len(rest) == wire.CALL_REST.size:
            return nr, args, ret, ip, NO_MEMORY, NO_MEMORY
        early, late = wire.phases(rest)
        after = Snapshot(late) if late else NO_MEMORY
        return nr, args, ret, ip, self._memory(task, enter_ns, early), after

    def _memory(self, task: Task, time_ns: int, captured: list[Region]) -> Memory:
        """What was captured at an entry."""
        if not captured:
            return NO_MEMORY
        for _, data, _ in captured:
            if not data:
                self._repair.mend(task.pid, time_ns, captured)
                return Patched(captured)
        return Snapshot(captured)
