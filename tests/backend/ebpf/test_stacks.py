"""Stacks (-k) of a process that the ebpf backend is attached to."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from tests.differential.run import PYTRACER

pytestmark = [pytest.mark.needs_root, pytest.mark.needs_ebpf, pytest.mark.needs_program("gcc")]

SOURCE = """
#include <time.h>
#include <unistd.h>

static int leaf(void)
{
    return getppid();
}

static int deep(int n)
{
    volatile char pad[1009];

    pad[0] = n;
    return n ? deep(n - 1) + pad[0] : leaf();
}

int main(void)
{
    struct timespec pause = {0, 7000000};

    for (;;) {
        deep(3);
        deep(29);
        nanosleep(&pause, 0);
    }
}
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    (tmp_path / "deep.c").write_text(SOURCE)
    program = tmp_path / "deep"
    command = ["gcc", "-O0", "-o", str(program), str(tmp_path / "deep.c")]
    subprocess.run(command, check=True, timeout=60)
    return program


def test_frames_without_frame_pointers(program: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with subprocess.Popen([str(program)]) as target:
        try:
            command = [
                *PYTRACER, "--backend=ebpf", "-k", "-e", "trace=getppid", "--syscall-limit=4",
                "-o", str(log), "-p", str(target.pid),
            ]  # fmt: skip
            subprocess.run(command, check=True, timeout=60, stderr=subprocess.DEVNULL)
        finally:
            target.send_signal(signal.SIGKILL)
    calls = log.read_text().split("getppid()")[1:]
    shallow = [call for call in calls if call.count("(deep+") == 4]
    cut = [call for call in calls if call.count("(deep+") > 4]
    assert shallow and cut
    functions = [line.partition("(")[2].partition("+")[0] for line in shallow[0].splitlines()[1:]]
    assert functions[:7] == ["getppid", "leaf", "deep", "deep", "deep", "deep", "main"]
    assert functions[-1] == "_start"
    assert all(" > the stack was not captured any further\n" in call for call in cut)
    assert not any("captured" in call for call in shallow)
