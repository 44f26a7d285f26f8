"""From enter and exit events to decoded calls."""

from __future__ import annotations

import errno
from dataclasses import dataclass

from pytracer.decode.call import Call
from pytracer.decode.catalogue import Catalogue
from pytracer.event.schema import SyscallEnter, SyscallExit
from pytracer.spec.abi import LAYOUTS
from pytracer.spec.context import LATER, Descriptors, Sockets
from pytracer.spec.values import Integer, Phrase, Returned

ERRNO_NAMES = errno.errorcode

MAX_ERRNO = 4095  # include/linux/err.h
# More elements than any abbreviated array shows; the whole of one is still bounded.
ALL_ELEMENTS = 1 << 16


@dataclass(frozen=True, slots=True)
class DecodeOptions:
    """What decoding depends on.

    ``string_bytes``: the longest string wanted (-s). ``whole``: abbreviated arrays are wanted
    whole. ``raw``: names of calls whose registers are wanted as they are.
    """

    string_bytes: int = 32
    whole: bool = False
    raw: frozenset[str] = frozenset()


class Decoder:
    """Pairs enter with exit events, task by task, and decodes them.

    ``descriptors`` explains descriptors where that was asked for.
    """

    def __init__(
        self, options: DecodeOptions | None = None, descriptors: Descriptors | None = None
    ) -> None:
        self.options = options or DecodeOptions()
        self.descriptors = descriptors
        self.sockets: Sockets | None = None
        self.catalogue = Catalogue(self.options.raw)
        self.in_flight: dict[int, Call] = {}
        self._elements = ALL_ELEMENTS if self.options.whole else self.options.string_bytes + 1

    def entered(self, event: SyscallEnter) -> Call:
        """Decode what the entry tells. The call stays in flight until :meth:`exited`."""
        call = Call()
        task = event.task
        call.task = task
        call.pid = task.pid
        call.tid = task.tid
        call.compiled = compiled = self.catalogue.find(event.abi, event.nr)
        call.abi = LAYOUTS[event.abi]
        call.nr = event.nr
        call.args = args = event.args
        call.enter_ns = event.time_ns
        call.memory = event.memory
        call.descriptors = self.descriptors
        call.sockets = self.sockets
        call.string_bytes = self.options.string_bytes
        call.elements = self._elements
        call.saved = {}
        call.exiting = False
        call.failed = False
        call.ret = 0
        call.result = None
        call.injected = False
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
        self.in_flight[task.tid] = call
        return call

    def exited(self, event: SyscallExit) -> Call | None:
        """Decode what the exit adds. None when the entry was not seen."""
        call = self.in_flight.pop(event.task.tid, None)
        if call is None:
            return None
        call.exit_ns = event.time_ns
        call.cpu_ns = event.cpu_ns
        call.injected = event.injected
        call.memory = event.memory
        call.exiting = True
        ret = call.ret = event.ret
        compiled = call.compiled
        call.failed = failed = -MAX_ERRNO <= ret < 0 and not compiled.never_fails
        if call.step < len(compiled.steps):
            args = call.args
            values = call.values
            for name, register, decode in compiled.steps[call.step :]:
                value = decode(call, args[register], args)
                if value is not None:
                    values.append((name, value))
        if failed:
            call.result = failure(ret)
        else:
            shown, note = compiled.result(call)
            call.result = Returned(ret, shown, None, note)
        return call


_RESTARTS = {
    -512: ("ERESTARTSYS", "To be restarted if SA_RESTART is set"),
    -513: ("ERESTARTNOINTR", "To be restarted"),
    -514: ("ERESTARTNOHAND", "To be restarted if no handler"),
    -516: ("ERESTART_RESTARTBLOCK", "Interrupted by signal"),
}


def failure(ret: int) -> Returned:
    """The result of a failed call: -1 and an errno, or the kernel's own restart codes."""
    restart = _RESTARTS.get(ret)
    if restart is not None:
        return Returned(ret, None, restart[0], Phrase(restart[1]))
    return Returned(ret, Integer(-1), ERRNO_NAMES.get(-ret, ""))
