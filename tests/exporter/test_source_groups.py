"""Control groups as targets, of both versions."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.needs_root,
    pytest.mark.needs_ebpf,
    pytest.mark.needs_program("unshare", "mount"),
    pytest.mark.timeout(120),
]
_CHECKOUT = Path(__file__).resolve().parents[2]
_UNIFIED = "-t cgroup2 none"
# A hierarchy of version 1 of the test's own, as systemd has one: without controllers.
_FIRST = "-t cgroup -o none,name=pytracer-exporter-test none"


@pytest.mark.parametrize(
    ("scene", "kind"),
    [
        ("nested", _UNIFIED),
        ("again", _UNIFIED),
        ("container", _UNIFIED),
        ("nested", _FIRST),
        ("unit", _FIRST),
    ],
)
def test_control_groups(scene: str, kind: str, tmp_path: Path) -> None:
    line = f'mount {kind} "$0" && exec "$@"'
    command = ["unshare", "-m", "--propagation", "private", "sh", "-c", line, str(tmp_path)]
    script = [sys.executable, "-m", "tests.exporter.control_groups", scene, str(tmp_path)]
    ran = subprocess.run(
        [*command, *script], cwd=_CHECKOUT, capture_output=True, text=True, timeout=100, check=False
    )
    assert ran.stdout == "fine\n", ran.stderr[-3000:]
