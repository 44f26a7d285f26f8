"""The Debian package, and the installation without one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pytracer import __version__
from tests.deploy.conftest import DEPLOY, Package

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(400),
    pytest.mark.needs_program("dpkg-deb"),
]
UNITS = sorted(file.name for file in (DEPLOY / "systemd").glob("*.s*"))


def field(package: Package, name: str) -> str:
    command = ["dpkg-deb", "-f", str(package.file), name]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def test_the_package_says_what_it_is_and_needs(package: Package) -> None:
    assert field(package, "Version").strip() == __version__
    assert "python3-bpfcc" in field(package, "Depends")
    listed = subprocess.run(
        ["dpkg-deb", "--ctrl-tarfile", str(package.file)],
        capture_output=True,
        check=True,
        timeout=60,
    ).stdout
    names = subprocess.run(
        ["tar", "-t"], input=listed, capture_output=True, check=True, timeout=60
    ).stdout.decode()
    assert {"./conffiles", "./postinst", "./prerm", "./postrm"} <= set(names.split())


def test_the_package_brings_commands_units_and_configuration(package: Package) -> None:
    tree = package.tree
    assert {file.name for file in tree.iterdir()} == {"usr", "etc"}
    for command in ("pytracer", "pytracer-exporter"):
        link = tree / "usr/bin" / command
        first = link.resolve(strict=True).read_text().split("\n")[0]
        assert first == "#!/usr/lib/pytracer/bin/python3"
        assert os.access(link, os.X_OK)
    for unit in UNITS:
        packed = (tree / "usr/lib/systemd/system" / unit).read_text()
        assert packed == (DEPLOY / "systemd" / unit).read_text()
    assert (tree / "etc/pytracer/exporter.toml").is_file()
    assert (tree / "usr/share/doc/pytracer/examples/grafana/pytracer.json").is_file()


def test_the_package_names_no_place_where_it_was_built(package: Package) -> None:
    made = str(DEPLOY.parent).encode()
    files = [file for file in package.tree.rglob("*") if file.is_file() and not file.is_symlink()]
    assert len(files) > 500
    named = [file for file in files if made in (text := file.read_bytes()) or b"/tmp/tmp." in text]
    assert not named


def test_an_installation_keeps_configuration_that_is_there(tmp_path: Path) -> None:
    default = tmp_path / "etc/default/pytracer-exporter"
    default.parent.mkdir(parents=True)
    default.write_text("PYTRACER_EXPORTER_OPTIONS=--listen 127.0.0.1:9999\n")
    ran = subprocess.run(
        [str(DEPLOY / "install"), sys.executable, str(tmp_path)],
        env={**os.environ, "PREFIX": "/opt/pytracer"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "9999" in default.read_text()
    unit = (tmp_path / "opt/pytracer/lib/systemd/system/pytracer-exporter@.service").read_text()
    assert "ExecStart=/opt/pytracer/bin/pytracer-exporter " in unit
    assert "/usr/bin/pytracer" not in unit
    command = tmp_path / "opt/pytracer/bin/pytracer-exporter"
    assert command.resolve().read_text().startswith("#!/opt/pytracer/lib/pytracer/bin/python3\n")
