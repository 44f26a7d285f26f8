"""Calls as JSON objects."""

from __future__ import annotations

from collections.abc import Callable
from json.encoder import encode_basestring_ascii as encode
from typing import TypeAlias

from pytracer.decode.call import Call
from pytracer.event.schema import Abi, Task
from pytracer.output.ndjson.values import ValueWriter, name
from pytracer.output.style import Status, Style
from pytracer.spec.entry import Compiled
from pytracer.spec.values import Base, Descriptor, Integer, ProcessId, Returned, Value

ABIS = {Abi.X86_64: "x86_64", Abi.I386: "i386", Abi.X32: "x32"}
# Results kept for being written again.
MOST_RESULTS = 1 << 14
# Descriptions kept at hand; a target can ask for any number it likes.
MOST_DESCRIPTIONS = 1 << 12
# Tasks whose names are kept as JSON.
MOST_TASKS = 1 << 12

Known: TypeAlias = tuple[Compiled, str, Callable[[list[tuple[str, Value]]], str]]


class CallWriter:
    """Writes calls, whole, once it is known what became of them.

    ``offset_ns``: how far the wall clock is ahead of the events' times. ``ip``: the instruction
    pointer is shown too.
    """

    def __init__(self, style: Style, offset_ns: int, ip: bool = False) -> None:
        self._style = style
        self.offset_ns = offset_ns
        self.ip = ip
        self._writers: dict[tuple[bool, bool], ValueWriter] = {}
        # By the identity of descriptions: the description itself, lest its place be taken, what
        # its calls begin with, and what writes their arguments.
        self._known: dict[int, Known] = {}
        # Results that are shared, as most are; keyed by identity.
        self._results: dict[Returned, str] = {}
        self._tasks: dict[int, tuple[Task, str, str]] = {}

    def values(self, call: Call) -> ValueWriter:
        """What writes the values of a call."""
        key = call.whole, call.compiled.name in self._style.undecoded
        found = self._writers.get(key)
        if found is None:
            found = self._writers[key] = ValueWriter(*key)
        return found

    def who(self, task: Task) -> str:
        """Write a task as members of an object."""
        known = self._tasks.get(task.tid)
        if known is not None and known[0] is task and known[1] == task.comm:
            return known[2]
        text = f'"pid":{task.pid},"tid":{task.tid},"comm":{name(task.comm)}'
        if len(self._tasks) >= MOST_TASKS:
            self._tasks.clear()
        self._tasks[task.tid] = task, task.comm, text
        return text

    def begin(self, kind: str, task: Task, time_ns: int) -> str:
        """Write what objects about a task have in common, open for more members."""
        wall = time_ns + self.offset_ns
        return f'{{"type":"{kind}","time_ns":{time_ns},"wall_ns":{wall},{self.who(task)}'

    def write(self, call: Call, status: Status, more: str = "") -> str:
        """Write a call as one line. ``more``: members that follow, with the comma before them."""
        entry, task = call.entry, call.task
        seen = self._tasks.get(task.tid)
        if seen is not None and seen[0] is task and seen[1] == task.comm:
            who = seen[2]
        else:
            who = self.who(task)
        begun, end = entry.time_ns, call.end
        if end is None:
            tail = ""
        else:
            took = end.time_ns - begun
            tail = f',"exit_ns":{end.time_ns},"duration_ns":{took if took > 0 else 0}'
            if end.cpu_ns is not None:
                tail = f'{tail},"cpu_ns":{end.cpu_ns}'
            if end.injected:
                tail += ',"injected":true'
        return (
            f'{{"type":"syscall","time_ns":{begun},"wall_ns":{begun + self.offset_ns},{who}'
            f"{self.tell(call, status)}{tail}{more}}}\n"
        )

    def tell(self, call: Call, status: Status) -> str:
        """Write the members of a call that neither its task nor its times decide."""
        known = self._known.get(id(call.compiled)) or self._learn(call)
        result, entry = call.result, call.entry
        if result is None:
            tail = f'}},"status":"{status.value}","ret":null'
        else:
            tail = self._results.get(result) or self._remember(call, result, status)
        if self.ip and entry.ip is not None:
            tail = f'{tail},"ip":"{entry.ip:#x}"'
        return f'{known[1]}{entry.nr},"args":{{{known[2](call.values)}{tail}'

    def start(self, call: Call) -> str:
        """Write the members before the arguments, and the beginning of these."""
        known = self._known.get(id(call.compiled)) or self._learn(call)
        return f'{known[1]}{call.entry.nr},"args":{{'

    def _learn(self, call: Call) -> Known:
        compiled = call.compiled
        head = f',"syscall":{encode(compiled.name)},"abi":"{ABIS[call.entry.abi]}","nr":'
        found = compiled, head, self.values(call).arguments
        if len(self._known) < MOST_DESCRIPTIONS:
            self._known[id(compiled)] = found
        return found

    def _remember(self, call: Call, result: Returned, status: Status) -> str:
        if len(self._results) >= MOST_RESULTS:
            self._results.clear()
        text = self._results[result] = self.result(call, result, status)
        return text

    def result(self, call: Call, result: Returned, status: Status) -> str:
        """Write the end of the arguments, and what came of the call."""
        write = self.values(call).write
        shown, note = result.shown, result.note
        text = f'}},"status":"{status.value}","ret":'
        if result.error is not None:
            number = -result.value
            ret = "null" if shown is None else "-1"
            error = encode(result.error) if result.error else "null"
            text = f'{text}{ret},"errno":{error},"errno_number":{number}'
        elif shown is None:
            text += "null"
        elif isinstance(shown, Integer):
            text = f"{text}{shown.value:d}"
            if shown.base is Base.HEX:
                text = f'{text},"result":"{shown.value:#x}"'
        elif _says_more(shown):
            text = f'{text}{result.value:d},"result":{write(shown)}'
        else:
            text = f"{text}{result.value:d}"
        if note is not None and (result.error is None or shown is not None):
            text = f'{text},"note":{write(note)}'
        return text


def _says_more(shown: Value) -> bool:
    """Whether there is more to a result than its number."""
    match shown:
        case Descriptor():
            return shown.about is not None
        case ProcessId():
            return shown.comm is not None or shown.translated is not None
        case _:
            return True
