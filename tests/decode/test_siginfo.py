"""siginfo_t in all its shapes, for each layout."""

from __future__ import annotations

import struct

import pytest

from pytracer.decode.siginfo import SignalDecoder, name_of_signal
from pytracer.event.schema import Abi, Signal, Task
from pytracer.output.style import Style, Xlats
from pytracer.output.text.render import Renderer
from pytracer.spec.abi import I386, X32
from pytracer.spec.context import Memory
from pytracer.spec.values import Reference, Struct
from pytracer.tables.structs.siginfo import siginfo


def explain(data: bytes, abi: Abi = Abi.X86_64) -> Struct:
    found = SignalDecoder().explain(Signal(Task(1, 1), 0, 15, data), abi)
    assert found is not None
    return found


def shown(
    signo: int, code: int, union: bytes = b"", errno: int = 0, xlats: Xlats = Xlats.ABBREV
) -> str:
    head = struct.pack("<iiii", signo, errno, code, 0)
    text = Renderer(Style(xlats=xlats)).write(explain(head + union))
    return text.removeprefix("{si_signo=").removesuffix("}")


CHILD = struct.pack("<iIixxxxqq", 7, 0, 9, 3, 4)
SENDER = struct.pack("<iI", 7, 1000)


@pytest.mark.parametrize(
    ("signo", "code", "union", "text"),
    [
        (17, 1, CHILD, "SIGCHLD, si_code=CLD_EXITED, si_pid=7, si_uid=0, si_status=9, "
         "si_utime=3 /* 0.03 s */, si_stime=4 /* 0.04 s */"),
        (17, 2, CHILD, "SIGCHLD, si_code=CLD_KILLED, si_pid=7, si_uid=0, si_status=SIGKILL, "
         "si_utime=3 /* 0.03 s */, si_stime=4 /* 0.04 s */"),
        (15, 0, SENDER, "SIGTERM, si_code=SI_USER, si_pid=7, si_uid=1000"),
        (15, -6, SENDER, "SIGTERM, si_code=SI_TKILL, si_pid=7, si_uid=1000"),
        (15, 0, struct.pack("<iI", 7, 0xFFFFFFFF), "SIGTERM, si_code=SI_USER, si_pid=7, si_uid=-1"),
        (35, -1, SENDER + struct.pack("<q", 0x100000005),
         "SIGRT_3, si_code=SI_QUEUE, si_pid=7, si_uid=1000, si_int=5, si_ptr=0x100000005"),
        (35, -1, SENDER, "SIGRT_3, si_code=SI_QUEUE, si_pid=7, si_uid=1000"),
        (14, -2, struct.pack("<iiq", 16, 2, 0),
         "SIGALRM, si_code=SI_TIMER, si_timerid=0x10, si_overrun=2, si_int=0, si_ptr=NULL"),
        (14, 0x80, b"", "SIGALRM, si_code=SI_KERNEL"),
        (11, 1, struct.pack("<Q", 0x10), "SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x10"),
        (11, 3, struct.pack("<QQQQ", 1, 0, 2, 3),
         "SIGSEGV, si_code=SEGV_BNDERR, si_addr=0x1, si_lower=0x2, si_upper=0x3"),
        (11, 4, struct.pack("<QQI", 1, 0, 2),
         "SIGSEGV, si_code=SEGV_PKUERR, si_addr=0x1, si_pkey=2"),
        (7, 4, struct.pack("<QH", 0, 12),
         "SIGBUS, si_code=BUS_MCEERR_AR, si_addr=NULL, si_addr_lsb=0xc"),
        (8, 1, struct.pack("<Q", 5), "SIGFPE, si_code=FPE_INTDIV, si_addr=0x5"),
        (29, 1, struct.pack("<qi", 65, 4), "SIGIO, si_code=POLL_IN, si_band=65, si_fd=4"),
        (29, -5, struct.pack("<qi", 1, 4), "SIGIO, si_code=SI_SIGIO, si_band=1, si_fd=4"),
        (5, 6, struct.pack("<QQII", 1, 2, 0, 1),
         "SIGTRAP, si_code=TRAP_PERF, si_addr=0x1, si_perf_data=0x2, "
         "si_perf_type=PERF_TYPE_HARDWARE, si_perf_flags=TRAP_PERF_FLAG_ASYNC"),
        (31, 1, struct.pack("<QII", 9, 39, 0xC000003E),
         "SIGSYS, si_code=SYS_SECCOMP, si_call_addr=0x9, si_syscall=__NR_getpid, "
         "si_arch=AUDIT_ARCH_X86_64"),
        (31, 1, struct.pack("<QII", 9, 20, 0x40000003),
         "SIGSYS, si_code=SYS_SECCOMP, si_call_addr=0x9, si_syscall=20 /* getpid */, "
         "si_arch=AUDIT_ARCH_I386"),
        (10, 0x44, b"", "SIGUSR1, si_code=0x44"),
    ],
)  # fmt: skip
def test_shapes(signo: int, code: int, union: bytes, text: str) -> None:
    assert shown(signo, code, union) == text


def test_errors_and_other_styles() -> None:
    assert shown(15, 0x80, errno=11) == "SIGTERM, si_code=SI_KERNEL, si_errno=EAGAIN"
    assert shown(15, -1, SENDER, xlats=Xlats.RAW) == (
        "15, si_code=0xffffffff, si_pid=7, si_uid=1000"
    )
    assert shown(15, -1, SENDER, xlats=Xlats.VERBOSE) == (
        "15 /* SIGTERM */, si_code=0xffffffff /* SI_QUEUE */, si_pid=7, si_uid=1000"
    )


def test_no_signal() -> None:
    assert Renderer(Style()).write(explain(bytes(128))) == "{}"


def test_the_name_of_a_call_depends_on_who_made_it() -> None:
    data = struct.pack("<iiiiQII", 31, 0, 1, 0, 9, 20, 0x40000003)
    assert "si_syscall=__NR_getpid," in Renderer(Style()).write(explain(data, Abi.I386))


def test_other_layouts() -> None:
    write = Renderer(Style()).write
    head = struct.pack("<iii", 17, 0, 1)
    for layout, clocks in ((I386, "<ii"), (X32, "<qq")):
        data = head + struct.pack("<iIi", 7, 0, 3) + struct.pack(clocks, 5, 6)
        assert write(siginfo(data, layout)) == (
            "{si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=7, si_uid=0, si_status=3, "
            "si_utime=5 /* 0.05 s */, si_stime=6 /* 0.06 s */}"
        )


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (1, "SIGHUP"),
        (31, "SIGSYS"),
        (32, "SIGRTMIN"),
        (33, "SIGRT_1"),
        (64, "SIGRT_32"),
        (65, "65"),
    ],
)
def test_names(number: int, name: str) -> None:
    assert name_of_signal(number) == name


def test_processes_and_descriptors_are_explained() -> None:
    class Processes:
        def comm(self, pid: int) -> str | None:
            return f"name{pid}"

        def reaped(self, pid: int, by: int) -> None:
            pass

    class Descriptors:
        def about(self, pid: int, fd: int, memory: Memory | None = None) -> Reference | None:
            return Reference(b"/%d/%d" % (pid, fd))

    decoder = SignalDecoder(Processes(), Descriptors())
    for code, union, text in (
        (0, SENDER, "si_pid=7<name7>"),
        (-5, SENDER + SENDER, "si_fd=7</1/7>"),
    ):
        data = struct.pack("<iiii", 29, 0, code, 0) + union
        found = decoder.explain(Signal(Task(1, 1), 0, 29, data))
        assert found is not None
        assert text in Renderer(Style()).write(found)


def test_nothing_came_with_it() -> None:
    assert SignalDecoder().explain(Signal(Task(1, 1), 0, 15, None)) is None
