"""The wheel carries all that is needed: installed elsewhere, it traces."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out)],
        cwd=CHECKOUT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into an environment of its own and return the pytracer command."""
    place = tmp_path_factory.mktemp("elsewhere")
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", str(place)], timeout=120, check=True
    )
    pip = [sys.executable, "-m", "pip", "--python", str(place / "bin" / "python")]
    done = subprocess.run(
        [*pip, "install", "--quiet", "--disable-pip-version-check", str(wheel)],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return place / "bin" / "pytracer"


def _run(command: Path, *words: str, home: Path) -> subprocess.CompletedProcess[str]:
    """Run away from the checkout, without anything that could lead back to it."""
    return subprocess.run(
        [str(command), *words],
        cwd=home,
        env={"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_carries_every_source_file(wheel: Path) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "pytracer", "bpf"],
        cwd=CHECKOUT, capture_output=True, text=True, timeout=30, check=True,
    ).stdout.split()  # fmt: skip
    wanted = {re.sub(r"^bpf/", "pytracer/_bpf/", name) for name in tracked}
    held = set(zipfile.ZipFile(wheel).namelist())
    assert any(name.endswith(".c") for name in wanted), "no BPF program is tracked by git"
    assert wanted - held == set()


def test_carries_its_licences(wheel: Path) -> None:
    names = {Path(name).name for name in zipfile.ZipFile(wheel).namelist() if "licenses/" in name}
    assert {"LICENSE", "Apache-2.0.txt", "GPL-2.0-only.txt"} <= names


def test_leaves_no_module_of_a_general_name(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    ours = {"pytracer", "pytracer_exporter"}
    assert {top for top in tops if not top.endswith(".dist-info")} == ours


def test_tells_its_version(installed: Path, tmp_path: Path) -> None:
    done = _run(installed, "-V", home=tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.match(r"pytracer -- version \d+\.\d+", done.stdout), done.stdout


def test_tells_the_version_of_the_exporter(installed: Path, tmp_path: Path) -> None:
    done = _run(installed.with_name("pytracer-exporter"), "--version", home=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.match(r"pytracer-exporter \d+\.\d+", done.stdout), done.stdout


@pytest.mark.parametrize(
    "backend",
    ["ptrace", pytest.param("ebpf", marks=[pytest.mark.needs_root, pytest.mark.needs_ebpf])],
)
def test_traces(installed: Path, tmp_path: Path, backend: str) -> None:
    (tmp_path / "seven").write_text("seven\n")
    done = _run(
        installed,
        f"--backend={backend}",
        "-e",
        "trace=openat,write",
        "sh",
        "-c",
        "read line < seven; echo $line",
        home=tmp_path,
    )
    assert (done.returncode, done.stdout) == (0, "seven\n"), done.stderr
    lines = done.stderr.splitlines()
    assert 'openat(AT_FDCWD, "seven", O_RDONLY)     = 3' in lines
    assert r'write(1, "seven\n", 6)                  = 6' in lines
    assert lines[-1] == "+++ exited with 0 +++"
