"""Pairing of events, filters, restarts."""

from __future__ import annotations

from pytracer.decode.call import Call
from pytracer.decode.decoder import DecodeOptions, Decoder
from pytracer.event.memory import NO_MEMORY
from pytracer.event.schema import (
    Abi,
    SyscallEnter,
    SyscallExit,
    Task,
    TaskDetached,
    TaskExec,
    TaskExit,
    TaskExiting,
)
from pytracer.output.style import Style
from pytracer.output.text.render import Renderer
from pytracer.spec.values import Integer, Phrase

READ, CLOSE, GETPID, EXECVE, NANOSLEEP, RESTART = 0, 3, 39, 59, 35, 219
ONE, TWO = Task(10, 10), Task(10, 12)


def enter(decoder: Decoder, nr: int, *args: int, task: Task = ONE, **more: int) -> Call | None:
    six = (*args, *(0,) * (6 - len(args)))
    return decoder.handle(
        SyscallEnter(task, 1, Abi.X86_64, nr, six, NO_MEMORY, **more)  # type: ignore[arg-type]
    )


def leave(decoder: Decoder, ret: int, task: Task = ONE) -> Call | None:
    return decoder.handle(SyscallExit(task, 2, ret, NO_MEMORY))


def test_tasks_do_not_mix() -> None:
    decoder = Decoder()
    enter(decoder, CLOSE, 3)
    enter(decoder, GETPID, task=TWO)
    one, two = leave(decoder, 0), leave(decoder, 10, TWO)
    assert one is not None and two is not None
    assert (one.name, two.name) == ("close", "getpid")
    assert (one.duration_ns, one.injected, one.cpu_ns) == (1, False, None)


def test_an_exit_without_an_entry() -> None:
    assert leave(Decoder(), 0) is None


def test_a_task_that_exits_in_a_call() -> None:
    decoder = Decoder()
    enter(decoder, READ, 3, 0x1000, 1)
    call = decoder.handle(TaskExiting(ONE, 0))
    assert call is not None
    assert not call.told
    assert decoder.handle(TaskExiting(ONE, 0)) is None
    enter(decoder, CLOSE, 3)
    call = decoder.handle(TaskExiting(ONE, 0))
    assert call is not None
    assert call.told


def test_what_is_in_flight_is_forgotten_with_its_task() -> None:
    for gone in (TaskExit(ONE, 0, 9), TaskDetached(ONE, 0)):
        decoder = Decoder()
        enter(decoder, CLOSE, 3)
        decoder.handle(gone)
        assert not decoder.in_flight


def test_a_thread_takes_its_call_along_when_it_becomes_the_leader() -> None:
    decoder = Decoder()
    enter(decoder, READ, 3, 0x1000, 1)
    enter(decoder, EXECVE, task=TWO)
    decoder.handle(TaskExec(ONE, 0, TWO.tid))
    call = leave(decoder, 0)
    assert call is not None
    assert (call.name, call.tid, call.pid) == ("execve", 10, 10)
    assert not decoder.in_flight


def test_only_what_is_wanted() -> None:
    none: frozenset[int] = frozenset()
    wanted = {Abi.X86_64: frozenset({CLOSE}), Abi.I386: none, Abi.X32: none}
    decoder = Decoder(DecodeOptions(syscalls=wanted, wanted=lambda call: call.args[0] != 4))
    assert enter(decoder, GETPID) is None
    assert leave(decoder, 10) is None
    assert enter(decoder, CLOSE, 3) is not None
    assert enter(decoder, CLOSE, 4) is None
    # What no kernel knows is in no set, and always shown.
    unknown = enter(decoder, 1000)
    assert unknown is not None
    assert unknown.name == "syscall_0x3e8"


def test_raw_registers_and_results() -> None:
    decoder = Decoder(DecodeOptions(raw=frozenset({"close"})))
    write = Renderer(Style()).write
    enter(decoder, CLOSE, 0x10)
    call = leave(decoder, 0x20)
    assert call is not None
    assert call.result is not None
    assert [(name, write(value)) for name, value in call.values] == [("arg1", "0x10")]
    assert call.result.shown is not None
    assert write(call.result.shown) == "0x20"
    enter(decoder, CLOSE, 0)
    call = leave(decoder, -512)
    assert call is not None
    assert call.result is not None
    assert isinstance(call.result.shown, Integer)
    assert (call.result.shown.value, call.result.error) == (-1, "ERESTARTSYS")


def resumed(call: Call | None) -> str:
    assert call is not None
    (_, value), *_ = call.values
    assert isinstance(value, Phrase)
    return value.text.removeprefix("<... resuming interrupted ").removesuffix(" ...>")


def test_what_is_restarted() -> None:
    decoder = Decoder()
    assert resumed(enter(decoder, RESTART)) == "system call"
    leave(decoder, 0)
    enter(decoder, NANOSLEEP)
    leave(decoder, -516)
    assert resumed(enter(decoder, RESTART)) == "nanosleep"
    leave(decoder, -516)
    assert resumed(enter(decoder, RESTART)) == "nanosleep"
    leave(decoder, 0)
    assert resumed(enter(decoder, RESTART)) == "system call"
    assert resumed(enter(decoder, RESTART, resumes=NANOSLEEP)) == "nanosleep"


def test_a_handler_ran_instead_of_a_restart() -> None:
    decoder = Decoder()
    enter(decoder, NANOSLEEP)
    leave(decoder, -516)
    enter(decoder, READ, 3, 0, 0)
    leave(decoder, -516)
    assert resumed(enter(decoder, RESTART)) == "read"


def test_equal_results_are_shared() -> None:
    decoder = Decoder()
    results = []
    for _ in range(2):
        enter(decoder, CLOSE, 3)
        call = leave(decoder, -9)
        assert call is not None
        results.append(call.result)
    assert results[0] is results[1]


def test_results_are_unsigned_unless_they_are_errors() -> None:
    decoder = Decoder()
    enter(decoder, READ, 3, 0, 0)
    call = leave(decoder, -5000)
    assert call is not None
    assert call.result is not None
    assert isinstance(call.result.shown, Integer)
    assert call.result.shown.value == 2**64 - 5000
