"""The container's recipe: it lints clean, and what it copies is there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.deploy.conftest import DEPLOY

RECIPE = DEPLOY / "container" / "Containerfile"


def test_the_recipe_lints_clean() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    ran = subprocess.run(
        [str(hadolint), "--failure-threshold=style", str(RECIPE)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_recipe_builds_from_what_there_is() -> None:
    kept = (RECIPE.parent / "Containerfile.dockerignore").read_text().split("\n")
    names = [line.removeprefix("!") for line in kept if line.startswith("!")]
    assert {"pyproject.toml", "bpf", "pytracer", "exporters", "deploy"} <= set(names)
    assert all((DEPLOY.parent / name).exists() for name in names)
    run = re.search(r"PREFIX=/usr (\S+) ", RECIPE.read_text())
    assert run is not None and (DEPLOY.parent / run[1]).exists()
