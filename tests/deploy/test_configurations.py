"""Every configuration and command line that deploy/ has is one that the exporter takes."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.deploy.conftest import DEPLOY
from tests.deploy.scraping import EXPORTER

_MANIFESTS = DEPLOY / "kubernetes"


def check(*words: str) -> str:
    """Have the exporter look at a command line; what it says that it would count."""
    command = [EXPORTER, *words, "--check-config"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, (words, ran.stderr)
    return ran.stdout


def commented(text: str) -> str:
    """The text with what it has as examples: ``# key = value`` and ``# [table]``."""
    return re.sub(r"^# (?=[a-z-]+ = |\[)", "", text, flags=re.MULTILINE)


def test_the_hosts_file_is_taken_as_it_is_and_with_its_examples(tmp_path: Path) -> None:
    shipped = DEPLOY / "systemd" / "exporter.toml"
    assert "host" in check("--config", str(shipped))
    full = tmp_path / "exporter.toml"
    full.write_text(commented(shipped.read_text()))
    assert full.read_text() != shipped.read_text()
    told = check("--config", str(full))
    assert all(name in told for name in ("web", "database", "host"))


def test_the_daemon_sets_file_is_taken(tmp_path: Path) -> None:
    documents = yaml.safe_load_all((_MANIFESTS / "daemonset.yaml").read_text())
    (files,) = (one["data"] for one in documents if one["kind"] == "ConfigMap")
    path = tmp_path / "exporter.toml"
    path.write_text(files["exporter.toml"])
    told = check("--config", str(path))
    assert "pods" in told and "system" in told


def test_the_pods_arguments_are_taken() -> None:
    pod = yaml.safe_load((_MANIFESTS / "sidecar.yaml").read_text())["spec"]["template"]["spec"]
    (sidecar,) = pod["initContainers"]
    assert "redis" in check(*sidecar["args"])


@pytest.mark.parametrize("file", ["docs/sidecar.md", "deploy/systemd/default"])
def test_the_options_that_are_shown_are_taken(file: str) -> None:
    text = (DEPLOY.parent / file).read_text()
    shown = re.findall(r'PYTRACER_EXPORTER_OPTIONS=([^"\n]+)', text)
    assert shown
    for options in shown:
        check("--comm", "x", *shlex.split(options.partition(" --web-config")[0]))
