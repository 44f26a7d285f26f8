"""Counting in the kernel: every call, once, for as long as it took, and nothing left behind."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from errno import EBADF, ESRCH
from pathlib import Path

import pytest

from pytracer.backend.base import TargetError
from pytracer.backend.ebpf import tally, threads
from pytracer.backend.ebpf.counting import CountBackend
from pytracer.decode.catalogue import name_of
from pytracer.event.durations import CallCounts, InFlight
from pytracer.event.schema import Abi, Event, Lost, NewBy, TaskDetached, TaskExit, TaskNew
from pytracer.target.selection import Attach, Selection, Target
from tests.backend.ebpf.scenes import FOLLOW, launch
from tests.programs.build import build

pytestmark = [pytest.mark.needs_root, pytest.mark.needs_ebpf, pytest.mark.timeout(60)]

READ, CLOSE, IOCTL, EXECVE, WAIT4, NANOSLEEP, GETPPID, GETPGID = 0, 3, 16, 59, 61, 230, 110, 121
Each = Callable[[CountBackend, Event | None], None]


def count(
    target: Target, selection: Selection = FOLLOW, each: Each | None = None
) -> tuple[dict[int, CallCounts], list[Event]]:
    """Count until the target is gone: what was counted by number, and what happened."""
    events = []
    backend = CountBackend(target, selection)
    timer = threading.Timer(30, backend.stop)
    timer.start()
    try:
        with closing(backend):
            for event in backend.events():
                if event is not None:
                    events.append(event)
                if each is not None:
                    each(backend, event)
            counted = backend.read()
    finally:
        timer.cancel()
        timer.join()
    return {c.nr: c for c in counted if c.abi == Abi.X86_64}, events


@contextmanager
def sleeping_cat() -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A process that hangs in read(0), and the other end of its pipe."""
    read_end, write_end = os.pipe()
    with subprocess.Popen(["cat"], stdin=read_end, stdout=subprocess.DEVNULL) as process:
        os.close(read_end)
        try:
            while Path(f"/proc/{process.pid}/syscall").read_text().split()[0] != str(READ):
                time.sleep(0.01)
            yield process, write_end
        finally:
            process.kill()
            os.close(write_end)


@pytest.mark.parametrize("threads", [1, 8, 64])
def test_every_call_is_counted_once(threads: int) -> None:
    counted, events = count(launch(str(build("counted.c")), str(threads)))
    assert counted[GETPPID].calls == 1009 * threads + 7 * 101 + 503
    assert counted[GETPGID].errnos == {ESRCH: 31 * threads}
    assert counted[CLOSE].errnos == {EBADF: 211 * threads}
    assert counted[IOCTL].errnos == {EBADF: 17 * threads}
    assert counted[IOCTL].calls == 17 * threads
    assert not [event for event in events if isinstance(event, Lost)]
    births = [e for e in events if isinstance(e, TaskNew) and e.by is NewBy.FORKED]
    assert len(births) == threads + 7
    assert [e.status for e in events if isinstance(e, TaskExit)] == [0]


def test_what_is_counted_of_a_call_fits_together() -> None:
    counted, _ = count(launch(str(build("counted.c")), "3"))
    for counts in counted.values():
        buckets = counts.histogram.buckets
        assert sum(buckets) == counts.calls
        for times in (counts.wall, counts.cpu):
            assert 0 <= times.min_ns <= times.max_ns
            assert times.min_ns * counts.calls <= times.total_ns <= times.max_ns * counts.calls
        assert counts.cpu.total_ns <= counts.wall.total_ns
        extremes = counts.histogram.extremes()
        assert extremes.min_ns <= counts.wall.min_ns <= counts.wall.max_ns
        assert extremes.max_ns <= counts.wall.max_ns


def test_only_what_is_wanted_is_counted() -> None:
    wanted = {abi: frozenset({GETPPID}) for abi in Abi}
    counted, _ = count(
        launch(str(build("counted.c")), "1"), Selection(syscalls=wanted, follow=True)
    )
    assert list(counted) == [GETPPID]


def test_children_are_not_counted_unless_followed() -> None:
    counted, events = count(launch(str(build("counted.c")), "1"), Selection())
    assert counted[GETPPID].calls == 503
    assert not [e for e in events if isinstance(e, TaskNew) and e.by is NewBy.FORKED]


def test_a_call_that_sleeps_takes_time_but_no_cpu() -> None:
    each = "(sleep .1; sleep .1; sleep .1)"
    counted, _ = count(launch("sh", "-c", f"{each} & {each} & {each} & wait"))
    sleeps = counted[NANOSLEEP]
    assert sleeps.calls == 9
    assert sleeps.wall.min_ns >= 100_000_000
    assert sleeps.cpu.total_ns < sleeps.wall.total_ns / 4


@pytest.mark.needs_program("perl")
def test_numbers_that_no_kernel_has_are_counted_apart() -> None:
    script = "syscall($_) for 5000, 1023, 5000, -1"
    counted, _ = count(launch("perl", "-e", script))
    assert [counted[nr].calls for nr in (5000, 1023, -1)] == [2, 1, 1]


def test_a_call_that_hangs_can_be_seen() -> None:
    seen: list[InFlight] = []

    def each(backend: CountBackend, event: Event | None) -> None:
        if event is None and not seen:
            seen.extend(backend.in_flight())
            os.write(write_end, b"seven!\n")
        elif event is None and any(c.nr == 1 for c in backend.read()):
            backend.stop()

    with sleeping_cat() as (process, write_end):
        counted, events = count(Attach((process.pid,)), each=each)
        assert [(call.tid, call.nr) for call in seen] == [(process.pid, READ)]
        assert counted[READ].calls == 1
        assert counted[1].calls == 1
        assert [e.task.tid for e in events if isinstance(e, TaskDetached)] == [process.pid]
        assert process.poll() is None


def test_intervals_add_up() -> None:
    """Over every interval the extremes are its own, and all intervals are the whole."""
    taken: list[dict[int, CallCounts]] = []
    whole: list[CallCounts] = []

    def each(backend: CountBackend, event: Event | None) -> None:
        if event is None:
            taken.append({c.nr: c for c in backend.interval()})
            whole[:] = backend.read()

    sleeps = launch("sh", "-c", "sleep .17; sleep .17; sleep .17; sleep .17; sleep .17")
    counted, _ = count(sleeps, each=each)
    sums: Counter[int] = Counter()
    for interval in taken:
        for nr, counts in interval.items():
            if counts.wall.min_ns >= 170_000_000:
                assert nr in (NANOSLEEP, WAIT4)
            sums[nr] += counts.calls
            assert sum(counts.histogram.buckets) == counts.calls
            assert counts.wall.max_ns <= counted[nr].wall.max_ns
    # The last table was read before the end: what it tells of is all of these.
    assert all(sums[c.nr] <= c.calls for c in whole)
    assert counted[NANOSLEEP].calls == 5
    assert len([i for i in taken if NANOSLEEP in i]) > 1


def test_a_table_that_is_full_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally, "_ROWS_A_GROUP", 2)  # the first is for those without one
    wanted = {abi: frozenset({GETPPID, GETPGID, IOCTL}) for abi in Abi}
    counted, events = count(
        launch(str(build("counted.c")), "5"), Selection(syscalls=wanted, follow=True)
    )
    lost = [event for event in events if isinstance(event, Lost)]
    assert [event.reason for event in lost] == ["the table of system calls was full"]
    assert list(counted) == [GETPPID]
    # Threads that make the first call at once may find no row either.
    assert lost[0].count >= 5 * (31 + 17)
    assert counted[GETPPID].calls + lost[0].count == 5 * (1009 + 31 + 17) + 707 + 503


def test_a_map_of_threads_that_is_full_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_LEAST_THREADS", 2)
    counted, events = count(launch(str(build("counted.c")), "2"))
    lost = [event for event in events if isinstance(event, Lost)]
    assert [(event.reason, event.count) for event in lost] == [("the map of threads was full", 9)]
    assert counted[GETPPID].calls == 503


def test_what_a_thread_had_is_given_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing leaks: of hundreds of children, only a few are there at a time."""
    monkeypatch.setattr(threads, "_LEAST_THREADS", 8)
    script = "i=0; while [ $i -lt 211 ]; do (exec true) ; i=$((i+1)); done"
    counted, events = count(launch("sh", "-c", script))
    assert not [event for event in events if isinstance(event, Lost)]
    assert counted[EXECVE].calls - sum(counted[EXECVE].errnos.values()) == 212


def test_a_process_that_is_not_there_is_refused() -> None:
    with pytest.raises(TargetError):
        count(Attach((2**22 - 1,)))


def test_groups_of_targets_are_counted_apart() -> None:
    with sleeping_cat() as (one, first), sleeping_cat() as (two, second):
        backend = CountBackend(Attach((one.pid, two.pid)), FOLLOW, groups={one.pid: 0, two.pid: 1})
        with closing(backend):
            for event in backend.events():
                if event is None:
                    counted = {(c.group, c.nr): c.calls for c in backend.read()}
                    if not counted:
                        for text, end in ((b"a", first), (b"b", second), (b"c", second)):
                            os.write(end, text)
                            time.sleep(0.05)
                    elif (0, 1) in counted and (1, 1) in counted:
                        backend.stop()
            counted = {(c.group, c.nr): c.calls for c in backend.read()}
    assert counted[0, 1] == 1
    assert counted[1, 1] >= 1
    assert counted[1, READ] == counted[1, 1]


@pytest.mark.needs_program("strace")
def test_strace_counts_the_same_on_the_same_run(tmp_path: Path) -> None:
    table = tmp_path / "table"
    script = f"read line; exec {build('counted.c')} 3"
    columns = "--summary-columns=calls,errors,name"
    with subprocess.Popen(["sh", "-c", script], stdin=subprocess.PIPE) as shell:
        words = ["strace", "-f", "-q", "-c", columns, "-o", str(table), "-p", str(shell.pid)]
        with subprocess.Popen(words) as strace:
            try:
                status = Path(f"/proc/{shell.pid}/status")
                deadline = time.monotonic() + 20
                while f"TracerPid:\t{strace.pid}\n" not in status.read_text():
                    assert time.monotonic() < deadline
                    time.sleep(0.01)
                told: list[int] = []

                def each(backend: CountBackend, event: Event | None) -> None:
                    if event is None and not told:
                        assert shell.stdin is not None
                        told.append(os.write(shell.stdin.fileno(), b"go\n"))

                counted, _ = count(Attach((shell.pid,)), each=each)
                assert strace.wait(20) == 0
            finally:
                strace.kill()
                shell.kill()
    theirs = {}
    for line in table.read_text().splitlines():
        cells = line.split()
        if cells[-1] not in ("syscall", "total") and not line.startswith("-"):
            theirs[cells[-1]] = [int(cell) for cell in cells[:-1]]
    ours = {
        name_of(Abi.X86_64, nr): [counts.calls, *filter(None, [sum(counts.errnos.values())])]
        for nr, counts in counted.items()
    }
    # The call in which they come is not seen alike.
    assert theirs.pop("read")[0] - ours.pop("read")[0] in (-1, 0, 1)
    assert ours == theirs
    assert ours["getppid"] == [1009 * 3 + 7 * 101 + 503]
