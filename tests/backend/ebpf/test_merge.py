"""The order of events, from slices made by hand."""

from __future__ import annotations

from pytracer.backend.ebpf import wire
from pytracer.backend.ebpf.merge import Merger
from pytracer.event.schema import Run, SyscallEnter, SyscallExit

TID = 7


def call(enter_ns: int, exit_ns: int, tid: int = TID, flags: int = 0, nr: int = 39) -> bytes:
    """The record of a call, as a ring holds it."""
    times = exit_ns, enter_ns, max(exit_ns - enter_ns, 0)
    record = wire.RECORD.pack(
        wire.RECORD_CALL, 0, flags, 0, tid, tid, tid, *times, 0, nr, 0, b"x", 0, *[0] * 6
    )
    size = wire.SAMPLE.size + len(record)
    return wire.SAMPLE.pack(wire.PERF_RECORD_SAMPLE, 0, size, len(record)) + record


def in_flight(enter_ns: int, tid: int = TID, unread: int = 0) -> bytes:
    """The used part of the map's value of a thread that is in a call.

    ``unread``: a bit for each piece of memory that could not be read yet.
    """
    return wire.THREAD_HEAD.pack(wire.STATE_CALL, unread, tid) + call(enter_ns, 0, tid)[12:]


def told(
    merger: Merger, until_ns: int, slices: list[bytes], threads: tuple[bytes, ...] = ()
) -> list[tuple[str, int, int]]:
    """One turn, as (what, thread, time)."""
    found = []
    for event in merger.turn(until_ns, list(threads), slices):
        assert isinstance(event, SyscallEnter | SyscallExit)
        what = "enter" if isinstance(event, SyscallEnter) else "exit"
        found.append((what, event.task.tid, event.time_ns))
    return found


def test_calls_of_two_rings_are_put_in_order() -> None:
    merger = Merger(False)
    found = told(merger, 100, [call(10, 40, 1) + call(50, 60, 1), call(20, 30, 2)])
    assert found == [
        ("enter", 1, 10), ("enter", 2, 20), ("exit", 2, 30), ("exit", 1, 40),
        ("enter", 1, 50), ("exit", 1, 60),
    ]  # fmt: skip


def test_what_is_later_than_the_turn_waits_but_its_entry_does_not() -> None:
    merger = Merger(False)
    assert told(merger, 100, [call(90, 110) + call(120, 130)]) == [("enter", TID, 90)]
    assert told(merger, 200, []) == [("exit", TID, 110), ("enter", TID, 120), ("exit", TID, 130)]


def test_a_call_in_flight_is_shown_once() -> None:
    merger = Merger(False)
    assert told(merger, 100, [], (in_flight(50),)) == [("enter", TID, 50)]
    assert told(merger, 200, [], (in_flight(50),)) == []
    assert told(merger, 300, [call(50, 250)], (in_flight(50),)) == [("exit", TID, 250)]


def test_a_call_with_something_unread_is_shown_once_it_lasts() -> None:
    merger = Merger(False)
    unread = in_flight(50, unread=1)
    assert told(merger, 100, [], (unread,)) == []
    assert told(merger, 200, [call(50, 150)]) == [("enter", TID, 50), ("exit", TID, 150)]
    assert told(merger, 300, [], (in_flight(250, unread=2),)) == []
    assert told(merger, 100_000_000, []) == []
    assert told(merger, 300_000_000, []) == [("enter", TID, 250)]
    assert told(merger, 400_000_000, [call(250, 350_000_000)]) == [("exit", TID, 350_000_000)]


def test_what_was_held_back_is_given_when_its_end_will_not_be_seen() -> None:
    merger = Merger(False)
    threads = in_flight(60, 8, 1), in_flight(50, 7, 1), in_flight(70, 9, 1)
    assert told(merger, 100, [], threads) == []
    assert told(merger, 200, [call(60, 150, 8)]) == [("enter", 8, 60), ("exit", 8, 150)]
    assert [(event.task.tid, event.time_ns) for event in merger.held()] == [(7, 50), (9, 70)]
    assert list(merger.held()) == []
    assert told(merger, 300_000_000, [], (in_flight(50, 7, 1),)) == []


def test_a_call_that_its_result_selects_is_not_given_without_one() -> None:
    merger = Merger(True)
    assert told(merger, 100, [], (in_flight(60, unread=1),)) == []
    assert list(merger.held()) == []


def test_a_later_call_that_is_read_first_does_not_show_the_former_again() -> None:
    merger = Merger(False)
    assert told(merger, 100, [], (in_flight(50),)) == [("enter", TID, 50)]
    # The thread went on on another CPU, whose ring is read before.
    found = told(merger, 200, [call(150, 210), call(50, 140)])
    assert found == [("exit", TID, 140), ("enter", TID, 150)]
    assert told(merger, 300, []) == [("exit", TID, 210)]


def test_an_entry_that_was_told_at_the_attach_is_not_told_again() -> None:
    merger = Merger(False)
    merger.task(TID, TID, b"x".ljust(16, b"\0"))
    merger.entered_before(TID)
    found = told(merger, 100, [call(60, 60, flags=wire.CALL_UNSEEN) + call(70, 80)])
    assert found == [("exit", TID, 60), ("enter", TID, 70), ("exit", TID, 80)]


def test_nothing_is_shown_in_flight_where_results_decide() -> None:
    merger = Merger(True)
    assert told(merger, 100, [call(90, 110)], (in_flight(90),)) == []
    assert told(merger, 200, []) == [("enter", TID, 90), ("exit", TID, 110)]


def test_a_call_that_never_returns_has_no_exit() -> None:
    merger = Merger(False)
    assert told(merger, 100, [call(10, 20, flags=wire.CALL_NO_EXIT)]) == [("enter", TID, 10)]


def test_calls_that_nothing_interrupts_come_together() -> None:
    merger = Merger(False)
    calls = [call(10, 20, 1), call(30, 40, 1), call(50, 90, 1), call(60, 70, 2), call(95, 98, 2)]
    found = list(merger.runs(100, [], [b"".join(calls)]))
    runs = [each for each in found if isinstance(each, Run)]
    assert [[(task.tid, *times) for task, *times, _, _ in run.calls] for run in runs] == [
        [(1, 10, 20), (1, 30, 40)],
        [(2, 60, 70)],
        [(2, 95, 98)],
    ]
    assert [type(each) for each in found] == [Run, SyscallEnter, Run, SyscallExit, Run]
    assert merger.ended == 1  # and those of runs, for whoever hands them on


def test_equal_calls_have_equal_contents_and_others_do_not() -> None:
    merger = Merger(False)
    (run,) = merger.runs(100, [], [call(10, 20, 1) + call(30, 40, 2) + call(50, 60, 1, nr=1)])
    assert isinstance(run, Run)
    first, second, other = [content for *_, content, _ in run.calls]
    assert first == second != other
    assert run.open(run.calls[2])[0] == 1


def test_cpu_times_are_given_where_they_are_measured() -> None:
    slices = [call(10, 20, 1) + call(30, 45, 1) + call(50, 90, 1) + call(60, 70, 2)]
    for measured in (False, True):
        events = list(Merger(False, measured=measured).turn(100, [], slices))
        spent = [event.cpu_ns for event in events if isinstance(event, SyscallExit)]
        assert spent == ([10, 15, 10, 40] if measured else [None] * 4)


def test_a_thread_that_was_shown_in_a_call_has_runs_again() -> None:
    merger = Merger(False)
    assert told(merger, 100, [], (in_flight(50),)) == [("enter", TID, 50)]
    found = list(merger.runs(200, [], [call(50, 110) + call(120, 130) + call(140, 150)]))
    assert [type(each) for each in found] == [SyscallExit, Run]


def test_a_number_that_comes_again_is_another_threads() -> None:
    merger = Merger(False)
    assert told(merger, 100, [], (in_flight(50),)) == [("enter", TID, 50)]
    # The end of the former thread is told while the next one's call is in flight already.
    assert told(merger, 200, [call(50, 120)], (in_flight(150),)) == [
        ("exit", TID, 120),
        ("enter", TID, 150),
    ]
    merger.forget(TID, 130)
    assert told(merger, 300, [call(150, 250)]) == [("exit", TID, 250)]
