"""Counts of real processes: those of each target, to the unit, for as long as the source lives."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from pytracer_exporter.counting import Counting
from pytracer_exporter.reading import Reading, Source, SyscallCounts, Unwatchable, Watched

from pytracer.event.schema import Abi
from tests.exporter.doing import OWN, doer, eventually
from tests.exporter.opening import opened
from tests.programs.build import build

pytestmark = [pytest.mark.needs_root, pytest.mark.needs_ebpf, pytest.mark.timeout(90)]


@contextmanager
def counting(*targets: Watched, how: Counting | None = None) -> Iterator[Source]:
    with opened(targets, how) as source:
        yield source


def calls(reading: Reading, syscall: str = "getppid") -> dict[str, int]:
    """How often each target made a call."""
    found: dict[str, int] = {}
    for counts in reading.calls:
        if counts.syscall == syscall:
            found[counts.target] = found.get(counts.target, 0) + counts.calls
    return found


def of(reading: Reading, target: str, syscall: str) -> list[SyscallCounts]:
    return [c for c in reading.calls if (c.target, c.syscall) == (target, syscall)]


def up(reading: Reading) -> dict[str, bool]:
    return {state.name: state.up for state in reading.targets}


def test_each_target_has_its_own_counts() -> None:
    with doer("first") as first, doer(f"{OWN}-one") as second, doer("other") as third:
        targets = (
            Watched("by-pid", pids=(first.pid,)),
            Watched("by-name", comms=(f"{OWN}-*", "no-such")),
            Watched("rest", everyone=True),
        )
        with counting(*targets) as source:
            first.do("call 1009")
            second.do("call 499")
            third.do("call 101")
            reading = source.read()
            found = calls(reading)
            assert (found["by-pid"], found["by-name"]) == (1009, 499)
            assert found["rest"] >= 101
            assert all(up(reading).values())
            (counts,) = of(reading, "by-pid", "getppid")
            assert sum(counts.histogram.buckets) == counts.calls
            assert counts.wall_ns > 0 and counts.cpu_ns is None and not counts.errnos
            assert set(reading.lost.values()) == {0}
            assert source.backend == "ebpf"


def test_the_first_target_that_fits_takes_it() -> None:
    with doer(OWN) as one:
        named, all_of_it = Watched("named", comms=(OWN,)), Watched("pid", pids=(one.pid,))
        everyone = Watched("rest", everyone=True)
        with counting(everyone, named, all_of_it) as source:
            one.do("call 211")
            assert calls(source.read())["named"] == 211
            source.watch((all_of_it, named))
            one.do("call 307")
            assert calls(source.read()) == {"named": 211, "pid": 307}


def test_children_of_a_named_process_belong_to_it() -> None:
    with doer() as parent, counting(Watched("it", pids=(parent.pid,))) as source:
        parent.do("fork 503")
        parent.do("call 2")
        assert calls(source.read()) == {"it": 505}
        parent.do("run import subprocess; subprocess.run(['/bin/true'])")
        reading = source.read()
        assert of(reading, "it", "execve")[0].calls >= 1
        (state,) = reading.targets
        assert (state.processes, state.threads, state.up) == (1, 1, True)


def test_counts_stay_when_processes_have_ended() -> None:
    with (
        doer(OWN) as one,
        doer(OWN) as two,
        doer("nurse") as nurse,
        counting(Watched("it", comms=(OWN,))) as source,
    ):
        one.do("call 13")
        two.do("call 17")
        one.end()
        assert calls(source.read()) == {"it": 30}
        two.end()
        eventually(lambda: not up(source.read())["it"])
        nurse.do(f"bear {OWN} 19")
        assert calls(source.read()) == {"it": 49}


def test_what_is_renamed_changes_its_target() -> None:
    targets = Watched("a", comms=(f"{OWN}a",)), Watched("b", comms=(f"{OWN}b",))
    with doer(f"{OWN}a") as one, counting(*targets) as source:
        one.do("call 5")
        one.do(f"name {OWN}b")
        # Nobody has made a call: whose it is is found when it is asked.
        assert up(source.read()) == {"a": False, "b": True}
        one.do("call 7")
        one.do(f"name {OWN}c")
        one.do("call 11")
        assert calls(source.read()) == {"a": 5, "b": 7}
        assert up(source.read()) == {"a": False, "b": False}


def test_many_long_names_of_many_targets() -> None:
    targets = [
        Watched(f"t{number}", comms=(f"{OWN}-no-{number:02}", f"*-{number}-{OWN}"))
        for number in range(16)
    ]
    with doer(f"{OWN}-no-13") as one, doer(f"b-7-{OWN}") as two, counting(*targets) as source:
        one.do("call 127")
        two.do("call 131")
        assert calls(source.read()) == {"t13": 127, "t7": 131}
        with pytest.raises(Unwatchable, match="too long together"):
            source.watch([Watched(str(n), comms=(f"{n:015}",)) for n in range(40)])
        one.do("call 1")
        assert calls(source.read()) == {"t13": 128, "t7": 131}


def test_a_reload_goes_on_with_what_stays() -> None:
    with doer("one") as one, doer("two") as two, doer(f"{OWN}-3") as three:
        first = Watched("1", pids=(one.pid,))
        second = Watched("2", pids=(two.pid,))
        third = Watched("3", comms=(f"{OWN}-3",))
        with counting(first, second) as source:
            one.do("call 101")
            two.do("call 103")
            source.watch((third, first))
            for each in (one, two, three):
                each.do("call 1000")
            assert calls(source.read()) == {"1": 1101, "3": 1000}
            source.watch((second, first))
            for each in (one, two, three):
                each.do("call 7")
            # What was counted of it before is not forgotten: counters do not go backwards.
            assert calls(source.read()) == {"1": 1108, "2": 110}


def test_numbers_of_targets_are_used_again() -> None:
    with doer("last") as one, counting() as source:
        for turn in range(3):
            names = [f"t{turn}-{number}" for number in range(64)]
            source.watch([Watched(name) for name in names[:-1]])
            source.watch([Watched(name, pids=(one.pid,)) for name in names[-2:]])
            one.do("call 31")
            assert calls(source.read()) == {names[-2]: 31}
        with pytest.raises(Unwatchable, match="64 targets are the most"):
            source.watch([Watched(str(number)) for number in range(65)])
        assert calls(source.read()) == {names[-2]: 31}


def test_what_cannot_be_watched_leaves_all_as_it_was() -> None:
    with doer() as one, counting(Watched("it", pids=(one.pid,))) as source:
        one.do("call 3")
        with pytest.raises(Unwatchable, match="target new: there is no process 4194304"):
            source.watch((Watched("new", pids=(1 << 22,)),))
        late = Watched("it", pids=(one.pid, 1 << 22))
        with pytest.raises(Unwatchable, match="target it: there is no process 4194304"):
            source.watch((late,))
        with pytest.raises(Unwatchable, match="can match nothing"):
            source.watch((Watched("new", comms=("x" * 16,)),))
        one.do("call 4")
        assert calls(source.read()) == {"it": 7}


def test_a_process_that_has_ended_is_down_and_stays_so_over_a_reload() -> None:
    with doer() as one:
        target = Watched("it", pids=(one.pid,))
        with counting(target) as source:
            one.do("call 23")
            one.end()
            source.watch((target, Watched("rest", everyone=True)))
            reading = source.read()
            assert not up(reading)["it"] and calls(reading)["it"] == 23


def test_a_call_that_hangs_is_in_flight() -> None:
    with doer() as before, counting(Watched("it", pids=(before.pid,))) as source:
        # It was in this call when it was attached to: that it hangs is seen all the same.
        (stuck,) = source.read().stuck
        assert (stuck.target, stuck.syscall, stuck.calls) == ("it", "read", 1)
        oldest = stuck.oldest_ns
        eventually(lambda: source.read().stuck[0].oldest_ns > oldest + 100_000_000)
        before.do("call 1")
        eventually(lambda: [stuck.syscall for stuck in source.read().stuck] == ["read"])


def test_only_the_calls_that_are_wanted() -> None:
    how = Counting(syscalls={Abi.X86_64: frozenset({110})})
    with doer() as one, counting(Watched("it", pids=(one.pid,)), how=how) as source:
        assert not source.read().stuck  # read(2) is not wanted
        one.do("call 41")
        assert {c.syscall: c.calls for c in source.read().calls} == {"getppid": 41}


def test_threads_forks_and_execs_are_counted_to_the_unit() -> None:
    program = build("counted.c")
    with doer() as one, counting(Watched("it", pids=(one.pid,))) as source:
        one.do(f"run import subprocess; subprocess.run(['{program}', '8'], check=True)")
        reading = source.read()
        assert calls(reading) == {"it": 1009 * 8 + 7 * 101 + 503}
        assert of(reading, "it", "getpgid")[0].errnos == {errno.ESRCH: 31 * 8}
        assert of(reading, "it", "close")[0].errnos[errno.EBADF] >= 211 * 8
        assert of(reading, "it", "ioctl")[0].errnos[errno.EBADF] == 17 * 8
        for counts in reading.calls:
            assert sum(counts.histogram.buckets) == counts.calls
            assert sum(counts.errnos.values()) <= counts.calls
        assert set(reading.lost.values()) == {0}


def test_errors_are_told_apart() -> None:
    with doer() as one, counting(Watched("it", pids=(one.pid,))) as source:
        one.do("run import os; [os.path.exists(f'/nowhere/{n}') for n in range(37)]")
        counts = [c for c in source.read().calls if 2 in c.errnos]
        assert sum(c.errnos[2] for c in counts) == 37


def test_signals_are_counted() -> None:
    with doer() as one, counting(Watched("it", pids=(one.pid,))) as source:
        one.do(
            "run import os, signal; signal.signal(10, lambda *_: None); "
            "[os.kill(os.getpid(), 10) for _ in range(29)]; "
            "signal.signal(12, signal.SIG_IGN); [os.kill(os.getpid(), 12) for _ in range(7)]"
        )
        signals = source.read().signals
        assert signals["it", "SIGUSR1"] == 29
        assert signals["it", "SIGUSR2"] == 7
        os.kill(one.pid, 15)
        one.process.wait()
        assert source.read().signals["it", "SIGTERM"] == 1
        assert ("it", "SIGKILL") not in source.read().signals


def test_descriptors_are_told_apart_by_what_they_refer_to() -> None:
    with (
        doer() as one,
        counting(Watched("it", pids=(one.pid,)), how=Counting(fd_types=True)) as source,
    ):
        one.do(
            "run import os, socket; a, b = socket.socketpair(); r, w = os.pipe(); "
            "f = os.open('/proc/self/exe', 0); e = os.eventfd(0); "
            "[os.write(a.fileno(), b'x') for _ in range(11)]; "
            "[os.write(w, b'x') for _ in range(13)]; "
            "[os.pread(f, 1, 0) for _ in range(17)]; "
            "[os.write(e, b'1234567\\0') for _ in range(3)]"
        )
        reading = source.read()
        writes = {c.fd_type: c.calls for c in of(reading, "it", "write")}
        # What it answers goes through a pipe as well.
        assert writes["socket"] == 11 and writes["pipe"] >= 13 and writes["anon"] == 3
        (preads,) = of(reading, "it", "pread64")
        assert (preads.fd_type, preads.calls) == ("file", 17)
        assert {c.fd_type for c in reading.calls if c.syscall == "kill"} <= {""}


def test_numbers_that_no_kernel_has_are_one_call() -> None:
    with doer() as one, counting(Watched("it", pids=(one.pid,))) as source:
        one.do(
            "run import ctypes; c = ctypes.CDLL(None); "
            "[c.syscall(n) for n in [*range(700, 800), 100_000, -7]]"
        )
        assert calls(source.read(), "unknown") == {"it": 102}


@pytest.mark.slow
def test_more_processes_than_there_is_room_for_come_and_go() -> None:
    """Each is followed, and leaves nothing behind: neither in the kernel nor here."""
    count = 18_013  # there is room for 16,384 threads at once
    with (
        subprocess.Popen(
            [build("churn.c"), str(count)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as storm,
        opened((Watched("it", pids=(storm.pid,)),)) as source,
    ):
        assert storm.stdin is not None and storm.stdout is not None
        for turn in (1, 2):
            storm.stdin.write("\n")
            storm.stdin.flush()
            assert storm.stdout.readline() == "done\n"
            reading = source.read()
            assert calls(reading) == {"it": 3 * count * turn}
            assert set(reading.lost.values()) == {0}
            assert reading.signals["it", "SIGCHLD"] == count * turn
            eventually(lambda: source.read().targets[0].threads == 1)
        storm.stdin.close()
