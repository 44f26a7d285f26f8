"""What the tests of deploy/ share: the Debian package, built once."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


@dataclass(frozen=True, slots=True)
class Package:
    """``file``: the package; ``tree``: what it unpacks to."""

    file: Path
    tree: Path


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """Build the package that ``make deb`` builds, and unpack it."""
    folder = tmp_path_factory.mktemp("package")
    command = [str(DEPLOY / "debian" / "build"), sys.executable, str(folder)]
    built = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    (file,) = folder.glob("*.deb")
    tree = folder / "tree"
    subprocess.run(["dpkg-deb", "-x", str(file), str(tree)], timeout=60, check=True)
    return Package(file, tree)
