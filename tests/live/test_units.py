"""--unit, with a real systemd whose services fork workers and restart."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.systemd import CHECKOUT, PYTHON, Machine, booted, wait_for

pytestmark = [
    pytest.mark.slow,
    pytest.mark.needs_root,
    pytest.mark.needs_ebpf,
    pytest.mark.needs_program("unshare", "nsenter", "systemctl"),
    pytest.mark.timeout(300),
]
PYTRACER = str(Path(PYTHON).with_name("pytracer"))
_SERVICE = f"""[Unit]
DefaultDependencies=no
StartLimitIntervalSec=0
[Service]
ExecStart={PYTHON} {CHECKOUT}/tests/live/service.py /run/record-%n
Restart=always
RestartSec=0
StandardOutput=null
StandardError=null
"""
UNITS = {
    "test.target": "[Unit]\nDefaultDependencies=no\n",
    "forking.service": _SERVICE,
    "other.service": _SERVICE,
    "instance@.service": _SERVICE.replace("[Service]\n", "[Service]\nSlice=test-own.slice\n"),
}
# What the processes of one start of the service do.
_WORK = (7, 5, 3, 11, 3)
_CALLS = re.compile(r"^(\d+) +sched_get_priority_max\(", re.MULTILINE)
_EXECS = re.compile(r"^(\d+) +execve\(.*service\.py", re.MULTILINE)


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    with booted(UNITS) as running:
        yield running


def recorded(machine: Machine, unit: str) -> dict[int, int]:
    """What each process of a unit has done."""
    lines = machine.read(f"/run/record-{unit}").split("\n")[:-1]
    return {int(pid): int(count) for pid, count in map(str.split, lines) if count != "ready"}


def mains(machine: Machine, unit: str) -> list[int]:
    """The main processes that a unit has had, as far as they are through with their work."""
    lines = machine.read(f"/run/record-{unit}").split("\n")[:-1]
    return [int(pid) for pid, word in map(str.split, lines) if word == "ready"]


def started(machine: Machine, unit: str, times: int) -> None:
    """Wait until a unit has come up so many times."""
    wait_for(lambda: len(mains(machine, unit)) == times, lambda: machine.run("systemctl", "status"))


def test_a_unit_is_traced_over_restarts_and_nothing_else(machine: Machine) -> None:
    units = ["forking.service", "instance@one.service"]
    machine.run("systemctl", "start", "forking", "other", "instance@two")
    for unit in ("forking", "other", "instance@two"):
        started(machine, f"{unit}.service", 1)
    before = mains(machine, units[0])
    trace = ("-e", "trace=execve,sched_get_priority_max", "-e", "signal=none", "-s", "200")
    options = ("--unit", "forking", "--unit", "instance@one.service", *trace, "-o", "/run/trace")
    machine.start("tracer", PYTRACER, *options)

    def said() -> str:
        return machine.read("/run/tracer.said")

    wait_for(lambda: f"Process {before[0]} attached" in said(), said)

    path = "/test.slice/test-own.slice/instance@one.service"
    assert f"control group {path} is not there yet: waiting for it" in said()
    machine.run("systemctl", "restart", "forking", "other", "instance@two")
    started(machine, units[0], 2)
    # It fails, and systemd brings it up again.
    machine.run("systemctl", "kill", "--signal=USR1", "--kill-who=main", "forking")
    started(machine, units[0], 3)
    machine.run("systemctl", "stop", "forking")
    # This one has not been there at all yet; its slice goes and comes with it.
    for times in (1, 2):
        machine.run("systemctl", "start", "instance@one")
        started(machine, units[1], times)
        machine.run("systemctl", "stop", "instance@one")
    machine.run("systemctl", "start", "forking")
    started(machine, units[0], 4)
    machine.interrupt("tracer")

    text = machine.read("/run/trace")
    made = recorded(machine, units[0]) | recorded(machine, units[1])
    seen = Counter(int(found[1]) for found in _CALLS.finditer(text))
    # What was done before it was watched.
    for pid in list(recorded(machine, units[0]))[: len(_WORK)]:
        del made[pid]
    assert seen == made, (text[-3000:], said())
    executed = sorted(int(found[1]) for found in _EXECS.finditer(text))
    later = [*mains(machine, units[0])[1:], *mains(machine, units[1])]
    assert executed == sorted(later), (text[-3000:], later)
    assert "lost" not in said()


def test_a_unit_that_does_not_exist_is_refused(machine: Machine) -> None:
    said = machine.refused(PYTRACER, "--unit", "nosuch")
    assert said.endswith(
        "--unit nosuch: systemd knows no such unit: list them with systemctl list-units --all\n"
    )
    said = machine.refused(PYTRACER, "--unit", "instance@")
    assert "that is a template: name an instance of it" in said
