"""The comparison itself: it must see every difference, and rewrite no more than it should."""

from __future__ import annotations

import pytest

from tests.differential.accepted import equal, expected
from tests.differential.compare import compare, compare_same_run
from tests.differential.lines import Stream, name_of, split_log, stitch, streams_of
from tests.differential.normalise import normaliser, pid_names
from tests.differential.run import Trace

# Lines of strace 6.1 and of strace 7.2 on the same call.
PAIRS = (
    ("read(3,  <unfinished ...>", "read(3 <unfinished ...>"),
    (
        "clock_nanosleep(CLOCK_REALTIME, 0, {tv_sec=5, tv_nsec=0},  <unfinished ...>) = ?",
        "clock_nanosleep(CLOCK_REALTIME, 0, {tv_sec=5, tv_nsec=0} <unfinished ...>) = ?",
    ),
    (
        "rseq(0x7f875084c060, 0x20, 0, 0x53053053) = 0",
        "rseq({cpu_id_start=0, cpu_id=RSEQ_CPU_ID_UNINITIALIZED, rseq_cs=NULL, flags=0, node_id=0,"
        " mm_cid=0, slice_ctrl={request=0, granted=0, __reserved=0}, __reserved=0}, 32, 0,"
        " 0x53053053) = 0",
    ),
    (
        "epoll_wait(7, [{events=EPOLLIN, data={u32=1432778632, u64=1234605616436508552}}], 1, 10)"
        " = 1",
        "epoll_wait(7, [{events=EPOLLIN, data=0x1122334455667788}], 1, 10) = 1",
    ),
    (
        "sendfile(5, 3, [5] => [12], 100)        = 7",
        "sendfile(5, 3, [5 => 12], 100)          = 7",
    ),
    (
        'getxattr("/w/f.txt", "user.q", "\\0\\0", 0) = 3',
        'getxattr("/w/f.txt", "user.q", 0x7ffff7fbe000, 0) = 3',
    ),
    ("sched_getparam(0, [0])                  = 0", "sched_getparam(0, {sched_priority=0})   = 0"),
    (
        "sched_getscheduler(6472)                = 1 (SCHED_FIFO)",
        "sched_getscheduler(6472)                = 0x1 (SCHED_FIFO)",
    ),
    (
        "restart_syscall(<... resuming interrupted restart_syscall ...>) = 0",
        "restart_syscall(<... resuming interrupted clock_nanosleep ...>) = 0",
    ),
    (
        "mremap(0x7ffff7fbe000, 4096, 4096, MREMAP_MAYMOVE|MREMAP_DONTUNMAP) = 0x7ffff7fbb000",
        "mremap(0x7ffff7fbe000, 4096, 4096, MREMAP_MAYMOVE|MREMAP_DONTUNMAP, NULL)"
        " = 0x7ffff7fbb000",
    ),
    (
        "prctl(PR_SCHED_CORE, PR_SCHED_CORE_CREATE, 0, 0 /* PIDTYPE_PID */, NULL) = -1 EINVAL"
        " (Invalid argument)",
        "prctl(PR_SCHED_CORE, PR_SCHED_CORE_CREATE, 0, 0 /* PIDTYPE_PID */, 0) = -1 EINVAL"
        " (Invalid argument)",
    ),
)


@pytest.mark.parametrize(("old", "new"), PAIRS, ids=[name_of(old) for old, _ in PAIRS])
def test_rewrites_what_changed(old: str, new: str) -> None:
    assert equal(expected(old, name_of(old)), new)


@pytest.mark.parametrize(
    "line",
    [
        'read(3, "data={u32=1, u64=1}", 4096)    = 19',
        'write(1, ",  <unfinished ...", 16)      = 16',
        "brk(NULL)                               = 0x55555557a000",
        "--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=1} ---",
    ],
)
def test_leaves_other_lines_alone(line: str) -> None:
    assert expected(line, name_of(line)) == line


def test_a_pattern_stands_only_for_what_is_marked() -> None:
    wanted = expected("rseq(0x7f875084c060, 0x20, 0, 0x53053053) = 0", "rseq")
    assert not equal(wanted, "rseq(0x7f875084c060, 0x20, 0, 0x53053053) = 0")
    assert not equal("mremap(⟦NULL⟧) = 1", "mremap(NULL) = 2")


def test_joins_what_was_cut() -> None:
    old = stitch(["read(3,  <unfinished ...>", "--- SIGWINCH ---", '<... read resumed>"a", 1) = 1'])
    new = stitch(["read(3 <unfinished ...>", "--- SIGWINCH ---", '<... read resumed>, "a", 1) = 1'])
    assert [line.text for line in old] == ['read(3, "a", 1) = 1', "--- SIGWINCH ---"]
    assert old == new


def test_keys_tasks_by_their_place_in_the_tree() -> None:
    log = (
        "1000 fork() = 1007\n"
        "1009 getpid() = 1009\n"
        "1007 clone(child_stack=NULL) = 1009\n"
        "1000 vfork( <unfinished ...>\n"
        "1011 +++ exited with 0 +++\n"
        "1000 <... vfork resumed>) = 1011\n"
    )
    streams = streams_of(split_log(log))
    assert {key: stream.pid for key, stream in streams.items()} == {
        "0": 1000,
        "0.0": 1007,
        "0.0.0": 1009,
        "0.1": 1011,
    }
    assert [line.text for line in streams["0"].lines] == ["fork() = 1007", "vfork() = 1011"]


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("brk(NULL) = 0x1", "brk"),
        ("12:00:00.123456 [00007ffff7ea8353] brk(NULL) = 0x1", "brk"),
        ("     0.000123 [  12] brk(NULL) = 0x1", "brk"),
        ("<... brk resumed>) = 0x1", "brk"),
        ("--- SIGTERM {si_signo=SIGTERM} ---", "--- SIGTERM"),
        ("+++ killed by SIGKILL +++", "+++ killed"),
    ],
)
def test_names_lines(line: str, name: str) -> None:
    assert name_of(line) == name


def test_hides_pids_and_times_alone() -> None:
    hide = normaliser(pid_names({"0": 12345, "0.0": 12347}, 12340), root=True)
    assert hide(0, "execve", 'execve("/a", ["a"], 0x7ffdc0de0010 /* 3 vars */) = 0') == (
        'execve("/a", ["a"], POINTER /* 3 vars */) = 0'
    )
    assert hide(1, "kill", "kill(12347, SIGTERM) = 0") == "kill(PID<0.0>, SIGTERM) = 0"
    assert hide(1, "read", 'read(3, "x", 12348) = 123') == 'read(3, "x", 12348) = 123'
    assert hide(1, "alarm", "alarm(5) = 0 <0.000012>") == "alarm(5) = 0 <SPENT>"


def _trace(*lines: str) -> Trace:
    streams = streams_of({10001: list(lines)})
    return Trace(streams, 0, "", 10000)


def test_sees_a_difference_of_one_character() -> None:
    first = _trace("getuid()                                = 0", "close(3) = 0", "close(4) = 0")
    second = _trace("getuid()                                = 0", "close(3) = 0", "close(5) = 0")
    report = compare(first, second, rewrite=True)
    (mismatch,) = report.mismatches
    assert (mismatch.name, mismatch.number) == ("close", 3)
    assert (mismatch.wanted, mismatch.actual) == ("close(4) = 0", "close(5) = 0")


def test_sees_a_blank_too_many() -> None:
    assert not compare(_trace("close(3)   = 0"), _trace("close(3)  = 0"), rewrite=True)


def test_sees_lines_that_are_missing_or_too_many() -> None:
    first = _trace("a() = 0", "b() = 0", "d() = 0")
    second = _trace("a() = 0", "c() = 0", "d() = 0", "e() = 0")
    report = compare(first, second, rewrite=True)
    assert sorted((m.name, m.wanted is None) for m in report.mismatches) == [
        ("b", False),
        ("c", True),
        ("e", True),
    ]


def test_sees_a_task_that_is_missing() -> None:
    streams = {"0": Stream("0", 10001, stitch(["fork() = 10003"]))}
    both = streams | {"0.0": Stream("0.0", 10003, stitch(["exit(0) = ?"]))}
    report = compare(Trace(both, 0, "", 1), Trace(streams, 0, "", 1), rewrite=True)
    assert [mismatch.name for mismatch in report.mismatches] == ["exit"]


def test_the_watcher_is_compared_from_the_first_common_line() -> None:
    begun = 'execve("/bin/true", ["true"], 0x7ffd /* 3 vars */) = 0'
    first = _trace(begun, "close(3) = 0")
    second = _trace("kill(10001, SIGSTOP) = 0", begun, "close(3) = 0")
    assert compare_same_run(first, second, rewrite=True)
    assert not compare_same_run(second, first, rewrite=True)
