"""Stacks (-k) that the ebpf backend tells: of running processes, launched ones and recordings."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.differential.run import PYTRACER
from tests.output import accounts

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


LIBRARY = """
#include <unistd.h>

int later(void)
{
    return getppid() + 1;
}
"""

# A child executes the program again; both call what is mapped later.
LAUNCHED = """
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/wait.h>
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

int main(int argc, char **argv)
{
    void *library;
    int (*later)(void);

    deep(3);
    library = dlopen(argv[1], RTLD_NOW);
    later = (int (*)(void))dlsym(library, "later");
    if (later() < 0)
        return 2;
    if (argc > 2)
        return 7;
    if (!fork()) {
        deep(5);
        execl(argv[0], argv[0], argv[1], "again", NULL);
        _exit(3);
    }
    wait(0);
    return 0;
}
"""


@pytest.fixture(scope="module")
def launched(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """The words that run the program, where nothing changes its place."""
    folder = tmp_path_factory.mktemp("launched")
    (folder / "later.c").write_text(LIBRARY)
    (folder / "launched.c").write_text(LAUNCHED)
    library, program = str(folder / "later.so"), str(folder / "launched")
    for command in (
        ["gcc", "-O0", "-shared", "-fPIC", "-o", library, str(folder / "later.c")],
        ["gcc", "-O0", "-o", program, str(folder / "launched.c"), "-ldl"],
    ):
        subprocess.run(command, check=True, timeout=60)
    return program, library


def pytracer(*words: str, status: int = 0) -> str:
    """Run it, and give what it says."""
    ended = subprocess.run(
        ["setarch", "--addr-no-randomize", *PYTRACER, *words],
        check=False, timeout=120, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert ended.returncode == status, ended.stderr
    return ended.stderr


def calls_of(log: Path) -> list[tuple[str, list[str]]]:
    """Calls and ends, each with its frames; signals come when the scheduler has them come."""
    found: list[tuple[str, list[str]]] = []
    for line in log.read_text().splitlines():
        if line.startswith(" > "):
            found[-1][1].append(line)
        else:
            found.append((line.partition("(")[0], []))
    return [call for call in found if not call[0].startswith("---")]


def processes(folder: Path, backend: str, *words: str) -> list[list[tuple[str, list[str]]]]:
    """Trace with -ff; the accounts of all processes, the first one first."""
    folder.mkdir()
    said = pytracer(f"--backend={backend}", "-k", "-ff", "-o", str(folder / "log"), *words)
    assert not said  # nothing was lost
    # Numbers of processes begin anew now and then: what was launched begins with an execve.
    found = [calls_of(log) for log in folder.iterdir()]
    return sorted(found, key=lambda calls: calls[0][0] != "execve")


def functions(frames: Sequence[str]) -> list[str]:
    return [frame.partition("(")[2].partition("+")[0] for frame in frames]


@pytest.mark.needs_program("setarch")
def test_a_launched_program_has_the_frames_that_ptrace_sees(
    launched: tuple[str, ...], tmp_path: Path
) -> None:
    told = processes(tmp_path / "ebpf", "ebpf", *launched)
    assert told == processes(tmp_path / "ptrace", "ptrace", *launched)
    assert len(told) == 2
    first, again = told
    (name, launching), *_ = first
    assert (name, len(launching)) == ("execve", 1)
    shallow, later = [functions(frames) for name, frames in first if name == "getppid"]
    assert shallow[:7] == ["getppid", "leaf", "deep", "deep", "deep", "deep", "main"]
    assert later[:3] == ["getppid", "later", "main"]
    inherited, *_ = [functions(frames) for name, frames in again if name == "getppid"]
    assert inherited[:3] == ["getppid", "leaf", "deep"]
    (executing,) = [functions(frames) for name, frames in again if name == "execve"]
    assert executing[:3] == ["execve", "execl", "main"]


@pytest.mark.parametrize("backend", ["ebpf", "ptrace"])
def test_a_recording_tells_the_stacks_of_the_live_run(
    backend: str, launched: tuple[str, ...], tmp_path: Path
) -> None:
    live, recording, again, plain = (str(tmp_path / name) for name in ("l", "r", "a", "p"))
    pytracer(f"--backend={backend}", "-k", "-f", "-o", live, "--record", recording, *launched)
    text = Path(live).read_text()
    assert text.count("(later+") == 2
    pytracer("--replay", recording, "-k", "-o", again)
    assert Path(again).read_text() == text
    pytracer("--replay", recording, "-o", plain)
    without = [line for line in text.splitlines() if not line.startswith(" > ")]
    assert Path(plain).read_text().splitlines() == without
    pytracer("--replay", recording, "-k", "-e", "trace=getppid", "-o", again)
    some = Path(again).read_text().partition("+++ exited")[0]
    assert some.count("getppid()") == some.count("(getppid+") == 5
    pytracer("--replay", recording, "-k", "--stack-trace-frame-limit=2", "-o", again)
    shown = Path(again).read_text()
    assert shown.count(" > too many stack frames\n") > shown.count("getppid()") == 5
    pytracer("--replay", recording, "-k", "--json", "-o", again)
    objects = accounts.read(Path(again).read_text())
    accounts.validate(objects)
    frames = [frame for each in objects for frame in each.get("stack", ())]
    assert len(frames) == text.count("\n > ")


@pytest.mark.parametrize("backend", ["ebpf", "ptrace"])
def test_a_recording_without_text(backend: str, launched: tuple[str, ...], tmp_path: Path) -> None:
    recording, again = str(tmp_path / "r"), str(tmp_path / "a")
    pytracer(f"--backend={backend}", "-k", "-f", "--record", recording, *launched)
    pytracer("--replay", recording, "-k", "-o", again)
    assert Path(again).read_text().count("(later+") == 2


def test_a_recording_without_stacks(launched: tuple[str, ...], tmp_path: Path) -> None:
    recording = str(tmp_path / "r")
    pytracer("--backend=ebpf", "--record", recording, *launched)
    said = pytracer("--replay", recording, "-k", status=1)
    assert said.endswith("-k/--stack-trace: the recording does not tell: record with -k\n")
    assert said.count("\n") == 1


def test_a_recording_of_a_running_process(program: Path, tmp_path: Path) -> None:
    live, recording, again = (str(tmp_path / name) for name in ("l", "r", "a"))
    with subprocess.Popen([str(program)]) as target:
        try:
            pytracer(
                "--backend=ebpf", "-k", "-e", "trace=getppid,nanosleep", "--syscall-limit=7",
                "-o", live, "--record", recording, "-p", str(target.pid),
            )  # fmt: skip
        finally:
            target.send_signal(signal.SIGKILL)
    pytracer("--replay", recording, "-k", "-e", "trace=getppid,nanosleep", "-o", again)
    text = Path(live).read_text()
    assert "(leaf+" in text and "(main+" in text
    assert Path(again).read_text().startswith(text.rpartition("\n > ")[0])
