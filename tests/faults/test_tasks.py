"""Many tasks, tasks of the same number, memory that goes away: nothing hangs, leaks or lies."""

from __future__ import annotations

import fcntl
import re
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from pytracer.backend.ebpf.backend import EbpfBackend
from pytracer.backend.ebpf.bpf import MapReader
from pytracer.event.schema import Abi, Lost, SyscallExit, TaskExit, TaskNew
from pytracer.target.selection import Selection
from tests.backend.ebpf.scenes import launch
from tests.cli.tracing import PYTRACER, run
from tests.programs.build import build

pytestmark = [
    pytest.mark.needs_root,
    pytest.mark.needs_ebpf,
    pytest.mark.slow,
    pytest.mark.timeout(180),
]

GETPPID, GETSID = 110, 124
PERF_EVENT_IOC_DISABLE = 0x2401  # include/uapi/linux/perf_event.h
WANTED = {abi: frozenset({GETSID} if abi is Abi.X86_64 else ()) for abi in Abi}


def left_in(backend: EbpfBackend) -> int:
    """How many threads the programs still know, once there is nothing left to trace."""
    found: list[int] = []
    deadline = time.monotonic() + 20
    while True:
        found.clear()
        MapReader(backend._loaded.maps["threads"]).read(lambda values, at: found.append(at))
        if not found or time.monotonic() > deadline:
            return len(found)
        time.sleep(0.05)


@pytest.mark.parametrize("kind", ["storm", "crowd"])
def test_ten_thousand_tasks(kind: str) -> None:
    many = 10_007
    target = launch(str(build("many_tasks.c")), kind, str(many))
    counts: Counter[type] = Counter()
    lost = 0
    with closing(EbpfBackend(target, Selection(syscalls=WANTED, follow=True))) as backend:
        for event in backend.events():
            counts[type(event)] += 1
            if isinstance(event, Lost):
                lost += event.count
        assert left_in(backend) == 0
    assert lost == 0
    assert counts[SyscallExit] == many
    assert counts[TaskNew] == counts[TaskExit] == many + 1


def test_more_threads_than_the_map_takes_are_counted() -> None:
    target = launch(str(build("many_tasks.c")), "crowd", "997")
    selection = Selection(syscalls=WANTED, follow=True)
    counts: Counter[type] = Counter()
    lost = 0
    backend = _with_threads(101, lambda: EbpfBackend(target, selection))
    with closing(backend):
        for event in backend.events():
            counts[type(event)] += 1
            if isinstance(event, Lost):
                assert event.reason == "the map of threads was full"
                lost += event.count
        assert left_in(backend) == 0
    assert counts[TaskNew] + lost == 998
    assert counts[TaskNew] == counts[TaskExit] == counts[SyscallExit] + 1 <= 101


def _with_threads(most: int, make: object) -> EbpfBackend:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pytracer.backend.ebpf.threads._LEAST_THREADS", most)
        return make()  # type: ignore[operator,no-any-return]


def test_a_ring_that_is_dead_is_replaced() -> None:
    # As that of a CPU is which was switched off and on again.
    loops = build(Path(__file__).parents[2] / "benchmarks" / "loops.c")
    calls = 150_011
    target = launch(str(loops), "getppid", str(calls), "50000")
    wanted = {abi: frozenset({GETPPID} if abi is Abi.X86_64 else ()) for abi in Abi}
    seen = lost = 0
    with closing(EbpfBackend(target, Selection(syscalls=wanted))) as backend:
        for event in backend.events():
            match event:
                case SyscallExit():
                    seen += 1
                    if seen == 101:
                        assert backend._rings is not None
                        for fd in backend._rings.descriptors():
                            fcntl.ioctl(fd, PERF_EVENT_IOC_DISABLE, 0)
                case Lost(count=count):
                    lost += count
    assert seen + lost == calls
    # It takes a moment to be noticed, and no more than that.
    assert seen > 10_007


@pytest.mark.needs_program("unshare")
@pytest.mark.parametrize("backend", ["ebpf", "ptrace"])
def test_processes_of_the_same_number_are_not_taken_for_each_other(
    backend: str, tmp_path: Path
) -> None:
    many = 23
    trace = tmp_path / "trace"
    words = (
        *("unshare", "-pf", "--mount-proc", PYTRACER, f"--backend={backend}", "-f"),
        *("-e", "trace=getsid,access", "-e", "signal=none", "-o", str(trace)),
        *(str(build("same_pid.c")), str(many)),
    )
    ended = run(*words, limit_s=90)
    assert (ended.status, ended.err) == (0, "")
    lines = trace.read_text().splitlines()
    by_pid = Counter(line.split()[0] for line in lines)
    ((pid, _),) = [item for item in by_pid.most_common(1) if item[1] > 2]
    mine = [line.split(maxsplit=1)[1] for line in lines if line.split()[0] == pid]
    expected = []
    for n in range(1, many + 1):
        access = f'access("{n}", F_OK)                     '
        access = f"{access[:39].rstrip():39} = -1 ENOENT (No such file or directory)"
        expected += [re.sub(" +", " ", line) for line in ["getsid(0) = 0", access] * n]
        expected.append(f"+++ exited with {n} +++")
    assert [re.sub(" +", " ", line) for line in mine] == expected


@pytest.mark.parametrize("backend", ["ebpf", "ptrace"])
def test_memory_that_another_thread_takes_away(backend: str, tmp_path: Path) -> None:
    calls = 20_011 if backend == "ebpf" else 1_009
    trace = tmp_path / "trace"
    words = (f"--backend={backend}", "-f", "-e", "trace=truncate", "-o", str(trace))
    ended = run(PYTRACER, *words, str(build("vanishing.c")), str(calls), limit_s=90)
    assert ended.status == 0
    assert "lost" not in ended.err
    text = re.sub(r" <unfinished \.\.\.>\n\d+ +<\.\.\. truncate resumed>", "", trace.read_text())
    whole = re.compile(
        r'\d+ +truncate\(("/nonexistent/vanishing/path"|0x[0-9a-f]+), 7\) += '
        r"-1 (ENOENT \(No such file or directory\)|EFAULT \(Bad address\))"
    )
    lines = [line for line in text.splitlines() if "truncate" in line]
    assert [line for line in lines if not whole.fullmatch(line)] == []
    assert len(lines) == calls
