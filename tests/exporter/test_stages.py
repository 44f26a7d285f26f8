"""The second stage: without a privilege, and everything works."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import pwd
import signal
import struct
import subprocess
from pathlib import Path

import pytest
from pytracer_exporter import privileges
from pytracer_exporter.privileges import CannotDrop, account

from tests.exporter.doing import OWN, doer, eventually
from tests.exporter.staged import environment, exporter

pytestmark = [pytest.mark.needs_root, pytest.mark.needs_ebpf, pytest.mark.timeout(90)]

CHECKOUT = Path(__file__).resolve().parents[2]
_SYS_BPF = 321
_PROG_GET_FD_BY_ID = 13
NOBODY = pwd.getpwnam("nobody").pw_uid


def test_it_has_no_privileges_and_counts(installed: Path) -> None:
    with (
        doer("one") as one,
        exporter(installed, {"name": "it", "pids": [one.pid]}) as running,
    ):
        sets = privileges.sets(Path(f"/proc/{running.pid}/status"))
        assert len(sets) == 5 and set(sets.values()) == {0}
        status = Path(f"/proc/{running.pid}/status").read_text()
        assert f"Uid:\t{NOBODY}\t{NOBODY}\t{NOBODY}\t{NOBODY}\n" in status
        assert "Groups:\t \n" in status and "NoNewPrivs:\t1\n" in status
        assert not running.ask("libbcc")
        assert running.ask("bpf") == -1
        one.do("call 1009")
        read = running.ask("read")
        assert read["calls"]["it getppid"] == 1009
        assert read["targets"] == {"it": True} and set(read["lost"].values()) == {0}


def test_new_targets_need_no_privileges(installed: Path) -> None:
    with (
        doer("one") as one,
        doer("two") as two,
        doer("nurse") as nurse,
        exporter(installed, {"name": "1", "pids": [one.pid]}) as running,
    ):
        one.do("call 7")
        running.ask("watch", of=[{"name": "2", "pids": [two.pid]}, {"name": "1", "pids": [one.pid]},
            {"name": "late", "comms": [OWN]}])  # fmt: skip
        one.do("call 11")
        two.do("call 13")
        nurse.do(f"bear {OWN} 17")
        calls = running.ask("read")["calls"]
        assert [calls[f"{name} getppid"] for name in ("1", "2", "late")] == [18, 13, 17]
        one.end()
        eventually(lambda: running.ask("read")["targets"]["1"] is False)


def test_killing_it_leaves_nothing(installed: Path) -> None:
    with doer("one") as one, exporter(installed, {"name": "it", "pids": [one.pid]}) as running:
        programs = programs_of(running.pid)
        assert len(programs) > 5 and all(map(is_loaded, programs))
        os.kill(running.pid, signal.SIGKILL)
        running.process.wait()
        # The kernel lets go of programs when nobody can be in them any more.
        eventually(lambda: not any(map(is_loaded, programs)))
        one.do("call 3")


def programs_of(pid: int) -> list[int]:
    """The numbers of the BPF programs that a process holds."""
    found = []
    for each in Path(f"/proc/{pid}/fdinfo").iterdir():
        for line in each.read_text().splitlines():
            name, _, value = line.partition(":")
            if name == "prog_id":
                found.append(int(value))
    return found


def is_loaded(program: int) -> bool:
    """Whether the kernel still has a program of this number."""
    libc = ctypes.CDLL(None, use_errno=True)
    attr = ctypes.create_string_buffer(struct.pack("<III", program, 0, 0))
    fd = int(libc.syscall(_SYS_BPF, _PROG_GET_FD_BY_ID, attr, 12))
    if fd < 0:
        assert ctypes.get_errno() == errno.ENOENT
        return False
    os.close(fd)
    return True


def test_how_long_the_programs_run(installed: Path) -> None:
    with (
        doer("one") as one,
        exporter(installed, {"name": "it", "pids": [one.pid]}, program_costs=True) as running,
    ):
        one.do("call 499")
        costs = {each["name"]: each for each in running.ask("read")["programs"]}
        assert costs["sys_enter"]["runs"] >= 499 and costs["sys_enter"]["run_ns"] > 0


def with_only(*capabilities: str) -> tuple[str, ...]:
    """A command before another: run it as a user who has these capabilities and no others."""
    listed = ",".join(("-all", *(f"+{each}" for each in capabilities)))
    return (
        "setpriv",
        *("--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"),
        *(f"--inh-caps={listed}", f"--ambient-caps={listed}", f"--bounding-set={listed}"),
    )


@pytest.mark.needs_program("setpriv")
def test_two_capabilities_are_enough(installed: Path) -> None:
    with (
        doer("one") as one,
        exporter(
            installed,
            {"name": "1", "pids": [one.pid]},
            {"name": "2", "comms": ["no-such"]},
            before=with_only("bpf", "perfmon"),
            cpu=True,
            fd_types=True,
        ) as running,
    ):
        one.do("call 211")
        assert running.ask("read")["calls"]["1 getppid"] == 211
        sets = privileges.sets(Path(f"/proc/{running.pid}/status"))
        # Who has no CAP_SETPCAP cannot empty the bounding set, which gives nobody anything.
        assert not any(value for name, value in sets.items() if name != "CapBnd")
        assert running.ask("bpf") == -1


@pytest.mark.needs_program("setpriv")
@pytest.mark.parametrize("left", ["bpf", "perfmon"])
def test_one_capability_is_not(left: str, installed: Path) -> None:
    command = [*with_only(left), "/usr/bin/python3", "-P", "-m", "tests.exporter.second"]
    told = json.dumps({"targets": [], "counting": {}, "user": None, "backend": "ebpf"})
    ran = subprocess.run(
        [*command, told],
        capture_output=True,
        text=True,
        cwd="/",
        env=environment(installed),
        timeout=60,
        check=False,
    )
    assert ran.returncode == 1 and "run as root, or with CAP_BPF and CAP_PERFMON" in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


def test_what_is_kept_is_kept_alone(installed: Path) -> None:
    """As on kernels that let nobody read maps without CAP_BPF."""
    code = (
        "import os; from pytracer_exporter.privileges import *; "
        "give_up(account(None), (CAP_BPF,)); os.execv('/bin/cat', ['cat', '/proc/self/status'])"
    )
    ran = subprocess.run(
        ["/usr/bin/python3", "-P", "-c", code],
        capture_output=True,
        text=True,
        cwd="/",
        env=environment(installed),
        timeout=60,
        check=True,
    )
    found = dict(line.split(":\t", 1) for line in ran.stdout.splitlines())
    assert found["Uid"].split() == [str(NOBODY)] * 4
    sets = [int(found[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")]
    assert sets == [1 << privileges.CAP_BPF] * 5


@pytest.mark.parametrize(
    ("user", "words"),
    [("root", "root is root: name a user"), ("nobody-there", "there is no user nobody-there")],
)
def test_a_user_that_cannot_be(user: str, words: str) -> None:
    with pytest.raises(CannotDrop, match=words):
        account(user)
