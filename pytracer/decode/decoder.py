"""From enter and exit events to decoded calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from pytracer.decode.asked import AskedSockets, PlainSockets
from pytracer.decode.call import Call
from pytracer.decode.catalogue import Catalogue, name_of, numbers, numbers_by_name
from pytracer.decode.sockets import SocketTracker
from pytracer.event.memory import NO_MEMORY
from pytracer.event.schema import (
    Abi,
    Event,
    SyscallEnter,
    SyscallExit,
    Task,
    TaskDetached,
    TaskExec,
    TaskExit,
    TaskExiting,
    TaskNew,
)
from pytracer.spec.context import LATER, Descriptors, Processes, Sockets
from pytracer.spec.entry import Compiled
from pytracer.spec.values import Integer, Phrase, Returned
from pytracer.tables.constants.errno import ERESTART_RESTARTBLOCK, ERRNO

MAX_ERRNO = 4095  # include/linux/err.h
# More elements than any abbreviated array shows; the whole of one is still bounded.
ALL_ELEMENTS = 1 << 16
# The result of a call that restart_syscall goes on with.
INTERRUPTED = -ERESTART_RESTARTBLOCK
# Descriptions kept at hand; a target can ask for any number it likes.
MOST_NUMBERS = 4096
# Results of one call that are kept to be shared.
MOST_RESULTS = 1024


Known: TypeAlias = tuple[Compiled, type[Call]]


@dataclass(frozen=True, slots=True)
class DecodeOptions:
    """What decoding depends on.

    ``string_bytes``: the longest string wanted (-s). ``whole``: abbreviated arrays are wanted
    whole, save for those of the calls ``abbreviated``. ``raw``: names of calls whose registers are
    wanted as they are; ``undecoded``: of those whose messages are. ``syscalls``: the calls wanted,
    by ABI; None for all. ``wanted`` is asked about each of them once its entry is decoded.
    ``processes`` names processes, where that was asked for.
    """

    string_bytes: int = 32
    whole: bool = False
    abbreviated: frozenset[str] = frozenset()
    raw: frozenset[str] = frozenset()
    undecoded: frozenset[str] = frozenset()
    syscalls: Mapping[Abi, frozenset[int]] | None = None
    wanted: Callable[[Call], bool] | None = None
    processes: Processes | None = None


class Decoder:
    """Pairs enter with exit events, task by task, and decodes them.

    ``descriptors`` and ``sockets`` explain descriptors where that was asked for.
    """

    def __init__(
        self,
        options: DecodeOptions | None = None,
        descriptors: Descriptors | None = None,
        sockets: Sockets | None = None,
    ) -> None:
        self.options = options or DecodeOptions()
        self.catalogue = Catalogue(self.options.raw)
        self.in_flight: dict[int, Call] = {}
        self._wanted = self.options.wanted
        # Names of the calls that restart_syscall goes on with.
        self.interrupted: dict[int, str] = {}
        self.asked = sockets = AskedSockets(sockets or SocketTracker())
        self._plain = PlainSockets(sockets)
        # Whether equal calls are decoded alike, but for what they ask about descriptors.
        self.repeats = (
            descriptors is None and self.options.processes is None and self._wanted is None
        )
        self._make = _call_class(self.options, self.options.whole, descriptors, sockets)
        self._make_brief = _call_class(self.options, False, descriptors, sockets)
        # By ABI and number: the description and the class of its calls, None for unwanted ones.
        self._known: tuple[dict[int, Known | None], ...] = ({}, {}, {})

    def handle(self, event: Event) -> Call | None:
        """Take in one event.

        Shape: the call that SyscallEnter begins, SyscallExit ends or TaskExiting leaves; None for
        other events, and for calls that are not wanted or whose entry was not seen.
        """
        kind = type(event)
        if kind is SyscallEnter:
            return self.entered(event)  # type: ignore[arg-type]
        if kind is SyscallExit:
            return self.exited(event)  # type: ignore[arg-type]
        match event:
            case TaskNew(task=task, parent=parent) if parent and parent.pid != task.pid:
                self.asked.inherited(task.pid, parent.pid)
            case TaskExiting():
                return self.in_flight.pop(event.task.tid, None)
            case TaskExec():
                self._renamed(event)
            case TaskExit() | TaskDetached():
                self.in_flight.pop(event.task.tid, None)
                self.interrupted.pop(event.task.tid, None)
            case _:
                pass
        return None

    def blank(self, abi: Abi, nr: int) -> Call | None:
        """Make a call into which others of its number can be put, one after another.

        Shape: None when they are not wanted.
        """
        try:
            known = self._known[abi][nr]
        except KeyError:
            known = self._look_up(abi, nr)
        if known is None:
            return None
        compiled, make = known
        call = make()
        call.compiled = compiled
        call.entry = SyscallEnter(Task(0, 0), 0, abi, nr, (0, 0, 0, 0, 0, 0), NO_MEMORY)
        call.interrupted = None
        return call

    def _look_up(self, abi: Abi, nr: int) -> Known | None:
        wanted = self.options.syscalls
        found: Known | None = None
        # A number that no kernel knows belongs to no set: it is always shown, as by strace.
        compiled = self.catalogue.find(abi, nr)
        listed = wanted is None or nr in wanted[abi] or nr not in numbers(abi)
        # What a multiplexer stands for may be wanted when it is not.
        if listed or compiled.redirect is not None:
            name = compiled.name
            make = self._make_brief if name in self.options.abbreviated else self._make
            if name in self.options.undecoded:
                make = type("Call", (make,), {"__slots__": (), "sockets": self._plain})
            found = compiled, make
        if len(self._known[abi]) < MOST_NUMBERS:
            self._known[abi][nr] = found
        return found

    def entered(self, event: SyscallEnter) -> Call | None:
        """Decode what the entry tells. The call stays in flight until :meth:`exited`.

        Shape: None when the call is not wanted.
        """
        abi = event.abi
        try:
            known = self._known[abi][event.nr]
        except KeyError:
            known = self._look_up(abi, event.nr)
        if known is None:
            return None
        compiled, make = known
        call = make()
        call.entry = event
        task = call.task = event.task
        call.compiled = compiled
        args: tuple[int, ...] = event.args
        call.args = args
        call.memory = event.memory
        call.saved = {}
        call.exiting = False
        call.failed = False
        call.ret = 0
        call.result = None
        call.end = None
        call.interrupted = None
        if self.interrupted or event.resumes is not None:
            self._resume(call, event)
        if compiled.redirect is not None:
            target = compiled.redirect(call)
            if target is not None:
                compiled, args = call.compiled, call.args = target
            if not self._wants(compiled.name, event):
                return None
        values = call.values = []
        step = 0
        for name, register, decode in compiled.steps:
            value = decode(call, args[register], args)
            if value is LATER:
                break
            step += 1
            if value is not None:
                values.append((name, value))
        call.step = step
        call.at_entry = len(values)
        for keep in compiled.keepers:
            keep(call)
        if self._wanted is not None and not self._wanted(call):
            return None
        self.in_flight[task.tid] = call
        return call

    def _wants(self, name: str, event: SyscallEnter) -> bool:
        """Whether a call is wanted that a multiplexer stands for, or the multiplexer itself."""
        wanted = self.options.syscalls
        if wanted is None or event.nr in wanted[event.abi]:
            return True
        return numbers_by_name(event.abi).get(name) in wanted[event.abi]

    def _resume(self, call: Call, event: SyscallEnter) -> None:
        name = self.interrupted.pop(call.tid, None)
        if event.nr != numbers_by_name(event.abi)["restart_syscall"]:
            # A handler ran instead: what was interrupted is over.
            return
        if event.resumes is not None:
            name = name_of(event.abi, event.resumes)
        call.interrupted = name

    def exited(self, event: SyscallExit) -> Call | None:
        """Decode what the exit adds. None when the entry was not seen or not wanted."""
        call = self.in_flight.pop(event.task.tid, None)
        if call is None:
            return None
        call.end = event
        call.memory = event.memory
        call.exiting = True
        ret = call.ret = event.ret
        compiled = call.compiled
        call.failed = failed = -MAX_ERRNO <= ret < 0
        if call.step < len(compiled.steps):
            args = call.args
            values = call.values
            for name, register, decode in compiled.steps[call.step :]:
                value = decode(call, args[register], args)
                if value is not None:
                    values.append((name, value))
        if failed:
            call.result = failure(ret, compiled.raw)
            if ret == INTERRUPTED:
                self.interrupted[call.tid] = call.interrupted or compiled.name
        else:
            result = compiled.results.get(ret)
            if result is None:
                shown, note = compiled.result(call)
                result = Returned(ret, shown, None, note)
                if compiled.plain and len(compiled.results) < MOST_RESULTS:
                    compiled.results[ret] = result
            call.result = result
        return call

    def _renamed(self, event: TaskExec) -> None:
        """A thread that calls execve takes over its leader's id; the leader's own call is gone."""
        task, former = event.task, event.former_tid
        call = self.in_flight.pop(former, None)
        self.interrupted.pop(former, None)
        if former != task.tid:
            self.in_flight.pop(task.tid, None)
        if call is not None:
            call.task = task
            self.in_flight[task.tid] = call


def _call_class(
    options: DecodeOptions,
    whole: bool,
    descriptors: Descriptors | None,
    sockets: Sockets | None,
) -> type[Call]:
    # What is the same for all calls of a decoder is kept on their class: a store an attribute and
    # call is what decoding mostly costs.
    constants = {
        "__slots__": (),
        "descriptors": descriptors,
        "sockets": sockets,
        "processes": options.processes,
        "string_bytes": options.string_bytes,
        "whole": whole,
        "elements": ALL_ELEMENTS if whole else options.string_bytes + 1,
    }
    return type("Call", (Call,), constants)


_RESTARTS = {
    -512: ("ERESTARTSYS", "To be restarted if SA_RESTART is set"),
    -513: ("ERESTARTNOINTR", "To be restarted"),
    -514: ("ERESTARTNOHAND", "To be restarted if no handler"),
    -516: ("ERESTART_RESTARTBLOCK", "Interrupted by signal"),
}


@lru_cache(maxsize=2 * MAX_ERRNO)
def failure(ret: int, raw: bool = False) -> Returned:
    """The result of a failed call: -1 and an errno, or the kernel's own restart codes.

    ``raw``: the restart codes are shown as any other.
    """
    restart = None if raw else _RESTARTS.get(ret)
    if restart is not None:
        return Returned(ret, None, restart[0], Phrase(restart[1]))
    return Returned(ret, Integer(-1), ERRNO.name_of(-ret) or "")
