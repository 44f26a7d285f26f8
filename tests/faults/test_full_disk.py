"""A disk without room: what does not fit is counted to the unit, and the target runs on."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.cli.tracing import PYTRACER, run
from tests.programs.build import build

pytestmark = [
    pytest.mark.needs_root,
    pytest.mark.needs_ebpf,
    pytest.mark.needs_program("unshare"),
    pytest.mark.slow,
    pytest.mark.timeout(120),
]

LOOPS = str(Path(__file__).parents[2] / "benchmarks" / "loops.c")
CALLS = 100_003

# Runs a command where a folder is a disk of one MiB; nothing of it is left behind.
SMALL_DISK = 'mount -t tmpfs -o size=1m none "$0" && exec "$@"'


def on_small_disk(folder: Path, *words: str) -> tuple[str, ...]:
    return ("unshare", "-m", "sh", "-c", SMALL_DISK, str(folder), *words)


def told(err: str) -> int:
    """How many calls are said to be lost."""
    found = re.findall(r"(\d+) events lost: (.*)", err)
    return sum(int(n) for n, why in found if not why.startswith("the ring was full for"))


def test_a_recording_is_cut_where_the_disk_is_full(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    # The ring is small too, so that not all of the rest fits into it.
    options = "--backend=ebpf --ring-size=256k -e trace=getppid --record"
    script = (
        f'{PYTRACER} {options} "$0/record" "$1" getppid {CALLS} 2>"$3"; echo "status $?";'
        f'{PYTRACER} --replay "$0/record" -o "$2"; echo "status $?"'
    )
    text, said = tmp_path / "text", tmp_path / "said"
    words = ("sh", "-c", script, str(disk), str(build(LOOPS)), str(text), str(said))
    ended = run(*on_small_disk(disk, *words), limit_s=90)
    live, again = said.read_text(), ended.err
    assert "No space left on device" in live
    seen = text.read_text().count("getppid()")
    lost = told(live)
    assert 0 < seen < CALLS
    assert seen + lost == CALLS
    # The target noticed nothing, and the recording tells of its gaps.
    assert re.search(rf"^{CALLS} [0-9.]+\nstatus 0\nstatus [01]\n$", ended.out), ended.out
    assert "ends too early" in again or told(again) == lost


SPOOLING = """
import os, sys, time
from contextlib import closing
from pytracer.backend.ebpf import spool
from pytracer.backend.ebpf.backend import EbpfBackend, Sizes
from pytracer.event.schema import Abi, Lost, SyscallExit
from pytracer.target.selection import Launch, Selection
spool._MEMORY_BYTES = 1 << 16
program = os.fsencode(sys.argv[1])
target = Launch(program, (program, b"getppid", sys.argv[2].encode()), ())
selection = Selection(syscalls={abi: frozenset({110} if abi is Abi.X86_64 else ()) for abi in Abi})
seen = lost = 0
with closing(EbpfBackend(target, selection, sizes=Sizes(ring=1 << 18))) as backend:
    for event in backend.events():
        if isinstance(event, SyscallExit):
            if not seen:
                time.sleep(1.5)
            seen += 1
        elif isinstance(event, Lost) and "signals and tasks" not in event.reason:
            lost += event.count
            print(event.reason, file=sys.stderr)
print(seen, lost)
"""


def test_a_spool_on_a_full_disk_loses_what_it_says(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    words = (sys.executable, "-c", SPOOLING, str(build(LOOPS)), str(CALLS))
    ended = run("env", f"TMPDIR={disk}", *on_small_disk(disk, *words), limit_s=90)
    assert ended.status == 0, ended.err
    assert "No space left on device" in ended.err
    seen, lost = map(int, ended.out.splitlines()[-1].split())
    assert seen > 0 and lost > 0
    assert seen + lost == CALLS


@pytest.mark.parametrize("backend", ["ebpf", "ptrace"])
def test_text_on_a_full_disk_does_not_stop_the_target(backend: str) -> None:
    ended = run(
        PYTRACER, f"--backend={backend}", "-o", "/dev/full", "sh", "-c", "exit 7", limit_s=90
    )
    assert ended.status == 7
    assert "/dev/full: No space left on device" in ended.err
