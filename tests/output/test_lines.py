"""Lines: who speaks, what is unfinished, what resumes."""

from __future__ import annotations

import struct

from pytracer.event.memory import Snapshot
from pytracer.event.schema import (
    Abi,
    GroupStop,
    Lost,
    NewBy,
    Signal,
    SyscallExit,
    Task,
    TaskDetached,
    TaskExec,
    TaskExit,
    TaskExiting,
    TaskNew,
)
from pytracer.output.style import LineStyle, Quiet, Stamp, Status, Style
from tests.output.scene import (
    CLOSE,
    EXECVE,
    EXIT_GROUP,
    GETPID,
    READ,
    WAIT4,
    Tracing,
    snapshot,
    tasks,
)

ONE, TWO = tasks(10, 11)
SIGCHLD_INFO = struct.pack("<iiiiiiiiqq", 17, 0, 1, 0, 11, 0, 3, 0, 0, 0)


def two(**kwargs: object) -> Tracing:
    """Two processes under one tracer, the announcement of the second left out."""
    tracing = Tracing(**kwargs)  # type: ignore[arg-type]
    tracing.launched(ONE).forked(TWO, ONE)
    tracing.output.flush()
    tracing.sink.text = ""
    return tracing


def test_one_task_has_no_prefix() -> None:
    tracing = Tracing().launched(ONE).call(ONE, CLOSE, 3)
    assert tracing.text == "close(3)                                = 0\n"


def test_a_call_and_its_return_are_one_write() -> None:
    tracing = Tracing().launched(ONE).call(ONE, CLOSE, 3).call(ONE, GETPID, ret=10)
    assert tracing.text.count("\n") == 2
    assert tracing.sink.writes == 1


def test_a_hanging_call_shows_as_far_as_it_is_known() -> None:
    tracing = Tracing().launched(ONE).enter(ONE, READ, 5, 0x1000, 10)
    assert tracing.text == "read(5"
    tracing.leave(ONE, 3, snapshot((0x1000, b"abc")))
    assert tracing.text == 'read(5, "abc", 10)                      = 3\n'


def test_unfinished_and_resumed() -> None:
    tracing = two().enter(ONE, READ, 5, 0x1000, 10).call(TWO, CLOSE, 3)
    tracing.leave(ONE, 3, snapshot((0x1000, b"abc")))
    assert tracing.text == (
        "[pid    10] read(5 <unfinished ...>\n"
        "[pid    11] close(3)                    = 0\n"
        '[pid    10] <... read resumed>, "abc", 10) = 3\n'
    )


def test_resumed_without_arguments_that_were_left_open() -> None:
    tracing = two().enter(ONE, GETPID).enter(TWO, CLOSE, 3).leave(ONE, 10).leave(TWO, -9)
    assert tracing.text == (
        "[pid    10] getpid( <unfinished ...>\n"
        "[pid    11] close(3 <unfinished ...>\n"
        "[pid    10] <... getpid resumed>)       = 10\n"
        "[pid    11] <... close resumed>)        = -1 EBADF (Bad file descriptor)\n"
    )


def test_the_prefix_goes_when_one_task_is_left() -> None:
    tracing = two().call(ONE, CLOSE, 3).feed(TaskExit(TWO, 0, 3 << 8)).call(ONE, CLOSE, 4)
    assert tracing.text == (
        "[pid    10] close(3)                    = 0\n"
        "[pid    11] +++ exited with 3 +++\n"
        "close(4)                                = 0\n"
    )


def test_prefix_in_files() -> None:
    lines = LineStyle(pid_prefix=True, bracket_pid=False)
    tracing = Tracing(lines=lines).launched(Task(7, 7)).call(Task(7, 7), CLOSE, 3)
    tracing.launched(Task(1234567, 1234567)).call(Task(1234567, 1234567), CLOSE, 3)
    assert tracing.text == (
        "7     close(3)                          = 0\n1234567 close(3)                        = 0\n"
    )


def test_no_prefix_in_one_file_without_following() -> None:
    assert two(lines=LineStyle(bracket_pid=False)).call(ONE, GETPID, ret=1).text[:6] == "getpid"


def test_names_of_tasks() -> None:
    tracing = two(lines=LineStyle(comm=True)).call(ONE, GETPID, ret=1)
    assert tracing.text == "[pid    10<task10>] getpid()            = 1\n"
    lines = LineStyle(comm=True, pid_prefix=True)
    assert Tracing(lines=lines).call(Task(5, 5, "a>b\n"), GETPID, ret=1).text == (
        "5<a\\76b\\n> getpid()                     = 1\n"
    )


def test_messages_come_between_what_was_written_before_and_after() -> None:
    tracing = Tracing().launched(ONE).enter(ONE, WAIT4, 11)
    tracing.forked(TWO, ONE).call(TWO, CLOSE, 3)
    assert tracing.text == (
        "wait4(11|Process 11 attached\n"
        " <unfinished ...>\n"
        "[pid    11] close(3)                    = 0\n"
    )


def test_attached_processes_and_their_threads() -> None:
    tracing = Tracing()
    for task in (Task(5, 5), Task(5, 6), Task(5, 7), Task(9, 9)):
        tracing.feed(TaskNew(task, 0, NewBy.ATTACHED))
    assert tracing.text == "|Process 5 attached with 3 threads\n|Process 9 attached\n"


def test_quiet_about_attaching() -> None:
    tracing = Tracing(lines=LineStyle(quiet=frozenset({Quiet.ATTACH})))
    tracing.feed(TaskNew(ONE, 0, NewBy.ATTACHED)).forked(TWO, ONE)
    assert tracing.feed(TaskDetached(TWO, 0), TaskDetached(ONE, 0)).text == ""


def test_detached_in_the_middle_of_a_call() -> None:
    tracing = Tracing().launched(ONE).enter(ONE, READ, 0, 0x1000, 1).feed(TaskDetached(ONE, 0))
    assert tracing.text == "read(0|Process 10 detached\n <detached ...>\n"


def test_exit() -> None:
    tracing = Tracing().launched(ONE).enter(ONE, EXIT_GROUP, 3)
    tracing.feed(TaskExiting(ONE, 0), TaskExit(ONE, 0, 3 << 8))
    assert tracing.text == "exit_group(3)                           = ?\n+++ exited with 3 +++\n"


def test_exit_while_another_task_speaks() -> None:
    tracing = two().enter(ONE, READ, 0, 0x1000, 1).enter(TWO, EXIT_GROUP, 0)
    tracing.feed(TaskExiting(ONE, 0), TaskExiting(TWO, 0))
    tracing.feed(TaskExit(ONE, 0, 0), TaskExit(TWO, 0, 0))
    assert tracing.text == (
        "[pid    10] read(0 <unfinished ...>\n"
        "[pid    11] exit_group(0 <unfinished ...>\n"
        "[pid    10] <... read resumed> <unfinished ...>) = ?\n"
        "[pid    11] <... exit_group resumed>)   = ?\n"
        "[pid    10] +++ exited with 0 +++\n"
        "+++ exited with 0 +++\n"
    )


def test_killed() -> None:
    tracing = Tracing().launched(ONE).enter(ONE, READ, 0, 0x1000, 1)
    tracing.feed(TaskExiting(ONE, 0), TaskExit(ONE, 0, 11 | 0x80))
    assert tracing.text == (
        "read(0 <unfinished ...>)                = ?\n+++ killed by SIGSEGV (core dumped) +++\n"
    )
    tracing = Tracing().launched(ONE).enter(ONE, READ, 0, 0x1000, 1).feed(TaskExit(ONE, 0, 9))
    assert tracing.text == "read(0 <unfinished ...>\n+++ killed by SIGKILL +++\n"


def test_quiet_about_exits_but_not_about_kills() -> None:
    lines = LineStyle(quiet=frozenset({Quiet.EXIT}))
    tracing = Tracing(lines=lines).launched(ONE).enter(ONE, READ, 0, 0x1000, 1)
    assert tracing.feed(TaskExit(ONE, 0, 0)).text == "read(0 <detached ...>\n"
    tracing = Tracing(lines=lines).launched(ONE).feed(TaskExit(ONE, 0, 15))
    assert tracing.text == "+++ killed by SIGTERM +++\n"


def test_signals() -> None:
    tracing = (
        Tracing()
        .launched(ONE)
        .feed(Signal(ONE, 0, 17, SIGCHLD_INFO), Signal(ONE, 0, 36, None), GroupStop(ONE, 0, 19))
    )
    assert tracing.text == (
        "--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=11, si_uid=0, si_status=3, "
        "si_utime=0, si_stime=0} ---\n"
        "--- SIGRT_4 ---\n"
        "--- stopped by SIGSTOP ---\n"
    )


def test_signals_that_are_not_wanted() -> None:
    lines = LineStyle(signals=frozenset({17}))
    tracing = Tracing(lines=lines).launched(ONE)
    tracing.feed(Signal(ONE, 0, 15, None), GroupStop(ONE, 0, 19), TaskExit(ONE, 0, 15))
    assert tracing.text == ""


def test_a_thread_that_replaces_its_leader() -> None:
    leader, thread = Task(10, 10), Task(10, 12)
    tracing = Tracing().launched(leader).forked(thread, leader)
    tracing.sink.text = ""
    tracing.enter(thread, EXECVE, 0, 0, 0).feed(TaskExec(leader, 0, 12)).leave(leader, 0)
    assert tracing.text == (
        "[pid    12] execve(NULL, NULL, NULL <pid changed to 10 ...>\n"
        "+++ superseded by execve in pid 12 +++\n"
        "<... execve resumed>)                   = 0\n"
    )


def test_a_thread_that_replaces_its_leader_in_files_of_their_own() -> None:
    leader, thread = Task(10, 10), Task(10, 12)
    tracing = (
        Tracing(lines=LineStyle(bracket_pid=False), separately=True)
        .launched(leader)
        .forked(thread, leader)
    )
    tracing.enter(leader, READ, 0, 0x1000, 1).enter(thread, EXECVE, 0, 0, 0)
    tracing.feed(TaskExec(leader, 0, 12)).leave(leader, 0).feed(TaskExit(leader, 0, 0))
    assert tracing.files[12].text == "execve(NULL, NULL, NULL <pid changed to 10 ...>\n"
    assert tracing.files[10].text == (
        "read(0 <unfinished ...>\n"
        "+++ superseded by execve in pid 12 +++\n"
        "<... execve resumed>)                   = 0\n"
        "+++ exited with 0 +++\n"
    )
    assert tracing.files[10].closed and tracing.files[12].closed


def test_quiet_about_execve_of_threads() -> None:
    leader, thread = Task(10, 10), Task(10, 12)
    tracing = Tracing(lines=LineStyle(quiet=frozenset(Quiet)))
    tracing.launched(leader).forked(thread, leader).enter(thread, EXECVE, 0, 0, 0)
    tracing.feed(TaskExec(leader, 0, 12)).leave(leader, 0)
    assert tracing.text.splitlines()[1:] == ["<... execve resumed>)                   = 0"]


def test_files_of_their_own_need_no_prefix_and_no_resumption() -> None:
    tracing = (
        Tracing(lines=LineStyle(bracket_pid=False), separately=True).launched(ONE).forked(TWO, ONE)
    )
    tracing.enter(ONE, READ, 5, 0x1000, 10).call(TWO, CLOSE, 3)
    tracing.leave(ONE, 0, Snapshot([])).feed(TaskExit(TWO, 0, 0))
    tracing.output.flush()
    assert tracing.files[10].text == 'read(5, "", 10)                         = 0\n'
    assert tracing.files[11].text == (
        "close(3)                                = 0\n+++ exited with 0 +++\n"
    )
    assert tracing.files[11].closed and not tracing.files[10].closed
    tracing.output.close()
    assert tracing.files[10].closed


def test_another_calling_convention() -> None:
    tracing = Tracing().launched(ONE).call(ONE, GETPID, ret=10)
    tracing.enter(ONE, 20, abi=Abi.I386).leave(ONE, 10).call(ONE, GETPID, ret=10)
    assert [line for line in tracing.text.splitlines() if "mode" in line] == [
        "[ Process PID=10 runs in 32 bit mode. ]",
        "[ Process PID=10 runs in 64 bit mode. ]",
    ]
    quiet = Tracing(lines=LineStyle(quiet=frozenset({Quiet.PERSONALITY}))).launched(ONE)
    assert quiet.enter(ONE, 20, abi=Abi.I386).leave(ONE, 10).text[:7] == "getpid("


def test_children_inherit_their_convention() -> None:
    tracing = Tracing().launched(ONE).enter(ONE, 20, abi=Abi.I386).leave(ONE, 10)
    tracing.forked(TWO, ONE).enter(TWO, 20, abi=Abi.I386).leave(TWO, 11)
    assert tracing.text.count("mode") == 1


def test_what_became_of_a_call_decides_whether_it_is_shown() -> None:
    failed = Tracing(lines=LineStyle(statuses=frozenset({Status.FAILED}))).launched(ONE)
    failed.call(ONE, CLOSE, 3).call(ONE, CLOSE, 4, ret=-9).enter(ONE, EXIT_GROUP, 0)
    failed.feed(TaskExiting(ONE, 0), TaskExit(ONE, 0, 0))
    assert failed.text == (
        "close(4)                                = -1 EBADF (Bad file descriptor)\n"
        "+++ exited with 0 +++\n"
    )
    lines = LineStyle(statuses=frozenset({Status.UNFINISHED, Status.DETACHED}))
    gone = two(lines=lines).enter(ONE, READ, 0, 1, 1).call(TWO, CLOSE, 3).enter(TWO, READ, 1, 1, 1)
    gone.feed(TaskExiting(ONE, 0), TaskExit(ONE, 0, 9), TaskDetached(TWO, 0))
    assert gone.text == (
        "[pid    10] read(0 <unfinished ...>)    = ?\n"
        "[pid    10] +++ killed by SIGKILL +++\n"
        "|Process 11 detached\n"
        "[pid    11] read(1 <detached ...>\n"
    )


def test_a_filtered_call_is_whole_whatever_came_in_between() -> None:
    tracing = two(lines=LineStyle(statuses=frozenset({Status.SUCCESSFUL})))
    tracing.enter(ONE, READ, 5, 0x1000, 10).call(TWO, CLOSE, 3)
    tracing.leave(ONE, 3, snapshot((0x1000, b"abc")))
    assert tracing.text == (
        '[pid    11] close(3)                    = 0\n[pid    10] read(5, "abc", 10)          = 3\n'
    )


def test_stamps() -> None:
    def first(**style: object) -> str:
        tracing = Tracing(lines=LineStyle(**style)).launched(ONE)  # type: ignore[arg-type]
        return tracing.tick(123_456_789).call(ONE, GETPID, ret=1).text.partition("getpid")[0]

    assert first(stamp=Stamp.UNIX) == "1700000001 "
    assert first(stamp=Stamp.UNIX, stamp_digits=6) == "1700000001.123456 "
    assert first(stamp=Stamp.UNIX, stamp_digits=9) == "1700000001.123456789 "
    assert first(stamp=Stamp.TIME, stamp_digits=3)[2:] == ":13:21.123 "
    assert first(relative=6) == "     0.000000 "
    assert first(relative=0) == "     0 "
    assert first(stamp=Stamp.UNIX, relative=3) == "1700000001 (+     0.000) "


def test_relative_stamps_count_from_line_to_line() -> None:
    tracing = two(lines=LineStyle(relative=6))
    tracing.enter(ONE, CLOSE, 3).tick(1_500).enter(TWO, CLOSE, 3).tick(12_000_000_000)
    tracing.leave(ONE, 0)
    assert tracing.text == (
        "[pid    10]      0.000000 close(3 <unfinished ...>\n"
        "[pid    11]      0.000001 close(3 <unfinished ...>\n"
        "[pid    10]     12.000000 <... close resumed>) = 0\n"
    )


def test_durations() -> None:
    def last(digits: int) -> str:
        tracing = Tracing(lines=LineStyle(duration=digits)).launched(ONE).enter(ONE, GETPID)
        return tracing.tick(1_000_012_345).leave(ONE, 1).text.rpartition(" ")[2]

    assert [last(d) for d in (0, 3, 6, 9)] == [
        "<1>\n",
        "<1.000>\n",
        "<1.000012>\n",
        "<1.000012345>\n",
    ]


def test_numbers_and_instruction_pointers() -> None:
    tracing = Tracing(lines=LineStyle(number=True, ip=True)).launched(ONE)
    tracing.enter(ONE, GETPID, ip=0x7F00).leave(ONE, 10).feed(TaskExit(ONE, 0, 0))
    assert tracing.text == (
        "[  39] [0000000000007f00] getpid()      = 10\n"
        "[  39] [????????????????] +++ exited with 0 +++\n"
    )
    small = Tracing(lines=LineStyle(ip=True, quiet=frozenset({Quiet.PERSONALITY}))).launched(ONE)
    small.enter(ONE, 20, abi=Abi.I386, ip=0x8048000).leave(ONE, 1)
    assert small.text == "[08048000] getpid()                     = 1\n"


def test_injected_and_unknown_errors() -> None:
    tracing = Tracing().launched(ONE).enter(ONE, GETPID)
    tracing.feed(SyscallExit(ONE, 0, 7, Snapshot([]), injected=True))
    tracing.call(ONE, CLOSE, 3, ret=-4000)
    assert tracing.text == (
        "getpid()                                = 7 (INJECTED)\n"
        "close(3)                                = -1 (errno 4000)\n"
    )


def test_restarts() -> None:
    tracing = Tracing().launched(ONE)
    for ret in (-512, -513, -514, -516):
        tracing.call(ONE, CLOSE, 3, ret=ret)
    assert [line.partition("= ")[2] for line in tracing.text.splitlines()] == [
        "? ERESTARTSYS (To be restarted if SA_RESTART is set)",
        "? ERESTARTNOINTR (To be restarted)",
        "? ERESTARTNOHAND (To be restarted if no handler)",
        "? ERESTART_RESTARTBLOCK (Interrupted by signal)",
    ]


def test_argument_names_and_columns() -> None:
    style = Style(arg_names=True, column=20)
    tracing = Tracing(style).launched(ONE).call(ONE, CLOSE, 3).call(ONE, READ, 3, 0, 0, ret=-9)
    assert tracing.text == (
        "close(fd=3)         = 0\nread(fd=3, buf=NULL, count=0) = -1 EBADF (Bad file descriptor)\n"
    )


def test_what_was_lost_is_said() -> None:
    assert Tracing().feed(Lost(0, 5, "the ring was full")).text == (
        "|5 events lost: the ring was full\n"
    )


def test_the_end_closes_what_is_open() -> None:
    tracing = Tracing().launched(ONE).enter(ONE, READ, 0, 0x1000, 1)
    tracing.output.close()
    assert tracing.text == "read(0 <detached ...>\n"
