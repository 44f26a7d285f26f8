"""Events as lines of JSON."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from pytracer.decode.decoder import DecodeOptions, Decoder
from pytracer.event.memory import NO_MEMORY, Memory
from pytracer.event.schema import (
    Abi,
    Event,
    GroupStop,
    Lost,
    NewBy,
    Signal,
    SyscallEnter,
    SyscallExit,
    Task,
    TaskDetached,
    TaskExec,
    TaskExit,
    TaskExiting,
    TaskNew,
)
from pytracer.output.ndjson.lines import NdjsonOutput, Start
from pytracer.output.style import LineStyle, Quiet, Status, Style
from tests.output import accounts
from tests.output.scene import CLOSE, EXECVE, EXIT_GROUP, GETPID, READ, Text, snapshot, tasks

OFFSET = 1_700_000_000_000_000_000
START = Start("ptrace", "6.1", OFFSET, ("ls", "\udcff"), (7,), 32)
OPENAT, MMAP, FSTAT, ALARM = 257, 9, 5, 37


class Scene:
    """A decoder and an output of JSON, into one sink or one for each task."""

    def __init__(
        self,
        style: Style | None = None,
        lines: LineStyle | None = None,
        options: DecodeOptions | None = None,
        separately: bool = False,
    ) -> None:
        self.sink = Text()
        self.files: dict[int, Text] = {}
        self.now = 1_000_000_000
        self.decoder = Decoder(options)
        sink = self._file if separately else self.sink
        self.output = NdjsonOutput(sink, START, style, lines)

    def _file(self, task: Task) -> Text:
        return self.files.setdefault(task.tid, Text())

    def feed(self, *events: Event) -> Scene:
        for event in events:
            self.output.handle(event, self.decoder.handle(event))
        return self

    def enter(
        self, task: Task, nr: int, *args: int, abi: Abi = Abi.X86_64, memory: Memory = NO_MEMORY
    ) -> Scene:
        six: Any = (*args, *(0,) * (6 - len(args)))
        return self.feed(SyscallEnter(task, self.now, abi, nr, six, memory, 0x401000))

    def leave(self, task: Task, ret: int, memory: Memory = NO_MEMORY) -> Scene:
        self.now += 1500
        return self.feed(SyscallExit(task, self.now, ret, memory))

    def call(self, task: Task, nr: int, *args: int, ret: int = 0) -> Scene:
        return self.enter(task, nr, *args).leave(task, ret)

    @property
    def objects(self) -> list[dict[str, Any]]:
        """All objects but the first; each is valid."""
        self.output.flush()
        found = accounts.read(self.sink.text)
        accounts.validate(found)
        assert found[0]["type"] == "start"
        return found[1:]


def types(scene: Scene) -> list[str]:
    return [each["type"] for each in scene.objects]


def test_begins_with_what_is_traced() -> None:
    scene = Scene()
    scene.output.flush()
    (start,) = accounts.read(scene.sink.text)
    accounts.validate([start])
    assert start["backend"] == "ptrace"
    assert start["command"] == ["ls", {"text": "�", "hex": "ff"}]
    assert start["schema"] == 1


def test_a_call_is_one_object_at_its_end() -> None:
    (task,) = tasks(5)
    scene = Scene().enter(task, READ, 3, 0x1000, 5)
    assert scene.objects == []
    scene.leave(task, 3, snapshot((0x1000, b"abc")))
    assert scene.objects == [
        {
            "type": "syscall",
            "time_ns": 1_000_000_000,
            "wall_ns": OFFSET + 1_000_000_000,
            "pid": 5,
            "tid": 5,
            "comm": "task5",
            "syscall": "read",
            "nr": 0,
            "abi": "x86_64",
            "args": {"fd": {"fd": 3}, "buf": "abc", "count": 5},
            "status": "successful",
            "ret": 3,
            "exit_ns": 1_000_001_500,
            "duration_ns": 1500,
        }
    ]


def test_an_error_has_name_and_number() -> None:
    (task,) = tasks(5)
    (call,) = Scene().call(task, CLOSE, 3, ret=-9).objects
    assert (call["status"], call["ret"]) == ("failed", -1)
    assert (call["errno"], call["errno_number"]) == ("EBADF", 9)
    (call,) = Scene().call(task, CLOSE, 3, ret=-4000).objects
    assert (call["errno"], call["errno_number"]) == (None, 4000)


def test_a_call_that_will_restart_has_no_result() -> None:
    (task,) = tasks(5)
    (call,) = Scene().call(task, READ, 3, 0, 0, ret=-512).objects
    assert (call["ret"], call["errno"], call["errno_number"]) == (None, "ERESTARTSYS", 512)


def test_an_address_is_a_result_in_hexadecimal_too() -> None:
    (task,) = tasks(5)
    (call,) = Scene().call(task, MMAP, ret=0x7F0000001000).objects
    assert (call["ret"], call["result"]) == (0x7F0000001000, "0x7f0000001000")


def test_calls_that_do_not_come_back() -> None:
    one, two, three = tasks(5, 6, 7)
    scene = Scene()
    scene.enter(one, EXIT_GROUP, 3).feed(TaskExiting(one, scene.now))
    scene.enter(two, READ, 3, 0x1000, 5).feed(TaskExit(two, scene.now, signal.SIGKILL))
    scene.enter(three, READ, 3, 0x1000, 5).feed(TaskDetached(three, scene.now))
    found = [(each["type"], each.get("status"), each.get("ret")) for each in scene.objects]
    assert found == [
        ("syscall", "unfinished", None),
        ("syscall", "unfinished", None),
        ("killed", None, None),
        ("syscall", "detached", None),
        ("detach", None, None),
    ]
    assert scene.objects[1]["args"] == {"fd": {"fd": 3}}, "what the entry told"


def test_what_is_in_flight_at_the_end_is_told() -> None:
    (task,) = tasks(5)
    scene = Scene().enter(task, READ, 3, 0x1000, 5)
    scene.output.close()
    assert [each["status"] for each in scene.objects] == ["detached"]


def test_tasks_come_and_go() -> None:
    one, two = tasks(5, 6)
    scene = Scene().feed(
        TaskNew(one, 1, NewBy.LAUNCHED),
        TaskNew(two, 2, NewBy.FORKED, one),
        TaskExec(two, 3, 6),
        TaskExit(two, 4, 3 << 8),
        TaskExit(one, 5, signal.SIGSEGV | 0x80),
    )
    assert types(scene) == ["task", "task", "exec", "exit", "killed"]
    assert scene.objects[1]["parent"] == {"pid": 5, "tid": 5}
    assert scene.objects[3]["code"] == 3
    killed = scene.objects[4]
    assert (killed["signal"], killed["signo"], killed["core_dumped"]) == ("SIGSEGV", 11, True)


def test_execve_of_a_thread_is_the_leaders() -> None:
    leader, thread = Task(5, 5, "main"), Task(5, 6, "main")
    scene = Scene().enter(leader, READ, 3, 0x1000, 5).enter(thread, EXECVE)
    scene.feed(TaskExec(leader, scene.now, 6)).leave(leader, 0)
    found = [(each["type"], each["tid"], each.get("syscall")) for each in scene.objects]
    assert found == [("syscall", 5, "read"), ("exec", 5, None), ("syscall", 5, "execve")]
    assert [each.get("status") for each in scene.objects] == ["unfinished", None, "successful"]


def test_signals_and_stops() -> None:
    (task,) = tasks(5)
    info = int(signal.SIGUSR1).to_bytes(4, "little") + bytes(44)
    scene = Scene().feed(
        Signal(task, 1, signal.SIGUSR1, info),
        Signal(task, 2, signal.SIGUSR2, None),
        GroupStop(task, 3, signal.SIGSTOP),
    )
    one, two, stop = scene.objects
    assert one["siginfo"]["si_signo"]["name"] == "SIGUSR1"
    assert two["siginfo"] is None
    assert (stop["type"], stop["signal"]) == ("stop", "SIGSTOP")


def test_losses_are_told() -> None:
    (lost,) = Scene().feed(Lost(7, 3, "the ring was full")).objects
    assert (lost["type"], lost["count"], lost["reason"]) == ("lost", 3, "the ring was full")


@pytest.mark.parametrize(
    ("statuses", "wanted"),
    [
        ({Status.SUCCESSFUL}, ["getpid"]),
        ({Status.FAILED}, ["close"]),
        ({Status.UNFINISHED, Status.FAILED}, ["close", "exit_group"]),
        ({Status.DETACHED}, ["read"]),
    ],
)
def test_only_calls_of_a_status(statuses: set[Status], wanted: list[str]) -> None:
    one, two = tasks(5, 6)
    scene = Scene(lines=LineStyle(statuses=frozenset(statuses)))
    scene.call(one, GETPID, ret=5).call(one, CLOSE, 3, ret=-9)
    scene.enter(one, EXIT_GROUP).feed(TaskExiting(one, scene.now))
    scene.enter(two, READ)
    scene.output.close()
    assert [each["syscall"] for each in scene.objects] == wanted


def test_only_some_signals() -> None:
    one, two = tasks(5, 6)
    scene = Scene(lines=LineStyle(signals=frozenset({signal.SIGHUP}))).feed(
        Signal(one, 1, signal.SIGUSR1, None),
        Signal(one, 2, signal.SIGHUP, None),
        GroupStop(one, 3, signal.SIGSTOP),
        TaskExit(one, 4, signal.SIGKILL),
        TaskExit(two, 5, signal.SIGHUP),
    )
    assert types(scene) == ["signal", "killed"]


def test_quiet() -> None:
    (task,) = tasks(5)
    quiet = frozenset({Quiet.ATTACH, Quiet.EXIT})
    scene = Scene(lines=LineStyle(quiet=quiet)).feed(
        TaskNew(task, 1, NewBy.LAUNCHED), TaskExec(task, 2, 5), TaskExit(task, 3, 0)
    )
    assert types(scene) == ["exec"]


def test_the_instruction_pointer_where_it_is_wanted() -> None:
    (task,) = tasks(5)
    (call,) = Scene(lines=LineStyle(ip=True)).call(task, GETPID).objects
    assert call["ip"] == "0x401000"


def test_abbreviated_and_whole_structures() -> None:
    (task,) = tasks(5)
    memory = snapshot((0x1000, bytes(144)))
    scene = Scene().enter(task, FSTAT, 3, 0x1000).leave(task, 0, memory)
    assert scene.objects[0]["args"]["statbuf"]["_more"] is True
    scene = Scene(options=DecodeOptions(whole=True))
    scene.enter(task, FSTAT, 3, 0x1000).leave(task, 0, memory)
    assert "_more" not in scene.objects[0]["args"]["statbuf"]
    undecoded = Style(undecoded=frozenset({"fstat"}))
    scene = Scene(undecoded).enter(task, FSTAT, 3, 0x1000).leave(task, 0, memory)
    assert scene.objects[0]["args"]["statbuf"] == "0x1000"


def test_another_abi() -> None:
    (task,) = tasks(5)
    scene = Scene().enter(task, 20, abi=Abi.I386).leave(task, 5)
    assert [(each["syscall"], each["abi"]) for each in scene.objects] == [("getpid", "i386")]


def test_a_file_for_each_task() -> None:
    one, two = tasks(5, 6)
    scene = Scene(separately=True)
    scene.feed(TaskNew(one, 1, NewBy.LAUNCHED), TaskNew(two, 2, NewBy.FORKED, one))
    scene.call(one, GETPID).call(two, CLOSE).feed(Lost(3, 1, "x"), TaskExit(two, 4, 0))
    assert [scene.files[tid].closed for tid in (5, 6)] == [False, True]
    scene.output.close()
    assert [scene.files[tid].closed for tid in (5, 6)] == [True, True]
    for tid, name in ((5, "getpid"), (6, "close")):
        found = accounts.read(scene.files[tid].text)
        accounts.validate(found)
        assert found[0]["type"] == "start"
        assert {each["tid"] for each in found if "tid" in each} == {tid}
        assert [each["syscall"] for each in found if each["type"] == "syscall"] == [name]
        assert "lost" in [each["type"] for each in found]


def test_much_is_handed_on_before_it_is_asked_for() -> None:
    (task,) = tasks(5)
    scene = Scene()
    for _ in range(10_007):
        scene.call(task, GETPID, ret=5)
    assert scene.sink.writes > 1
    assert len(scene.objects) == 10_007


def test_a_task_that_changes_its_name() -> None:
    (task,) = tasks(5)
    scene = Scene().call(task, GETPID)
    task.comm = 'new"\udcff'
    scene.call(task, GETPID)
    assert [each["comm"] for each in scene.objects] == [
        "task5",
        {"text": 'new"�', "hex": "6e657722ff"},
    ]
