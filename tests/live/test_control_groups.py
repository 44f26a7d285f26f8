"""--cgroup on real control groups of both versions, mounted for the test alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.needs_root,
    pytest.mark.needs_ebpf,
    pytest.mark.needs_program("unshare", "mount"),
    pytest.mark.timeout(120),
]
CHECKOUT = Path(__file__).resolve().parents[2]
_UNIFIED = ("-t", "cgroup2", "none")
# A hierarchy of version 1 of the test's own, as systemd has one: without controllers.
_FIRST = ("-t", "cgroup", "-o", "none,name=pytracer-test", "none")
SCENES = ["moves", "follow", "again", "born", "threads", "several", "counted", "container"]


@pytest.mark.parametrize("scene", [*SCENES, "ptrace"])
def test_version_2(scene: str, tmp_path: Path) -> None:
    play(scene, _UNIFIED, tmp_path)


@pytest.mark.parametrize("scene", ["moves", "again", "threads"])
def test_version_1(scene: str, tmp_path: Path) -> None:
    play(scene, _FIRST, tmp_path)


def play(scene: str, kind: tuple[str, ...], mount: Path) -> None:
    """Play a scene in a mount namespace of its own."""
    words = " ".join(kind)
    line = f'mount {words} "$0" && exec "$@"'
    command = ["unshare", "-m", "--propagation", "private", "sh", "-c", line, str(mount)]
    script = [sys.executable, "-m", "tests.live.control_groups", scene, str(mount)]
    ran = subprocess.run(
        [*command, *script], cwd=CHECKOUT, capture_output=True, text=True, timeout=100, check=False
    )
    assert ran.stdout == "fine\n", ran.stderr[-3000:]
