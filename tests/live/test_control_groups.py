"""--cgroup on real control groups: in a cgroup2 that is mounted for the test alone."""

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
_MOUNT = 'mount -t cgroup2 none "$0" && exec "$@"'


@pytest.mark.parametrize(
    "scene", ["moves", "follow", "again", "born", "threads", "several", "counted", "ptrace"]
)
def test_scene(scene: str, tmp_path: Path) -> None:
    command = ["unshare", "-m", "--propagation", "private", "sh", "-c", _MOUNT, str(tmp_path)]
    script = [sys.executable, "-m", "tests.live.control_groups", scene, str(tmp_path)]
    ran = subprocess.run(
        [*command, *script], cwd=CHECKOUT, capture_output=True, text=True, timeout=100, check=False
    )
    assert ran.stdout == "fine\n", ran.stderr[-3000:]
