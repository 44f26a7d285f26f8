"""An exporter in two stages, as a process, that answers questions."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class Exporter:
    """A running one, and what it answers."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.pid = process.pid

    def ask(self, question: str, **more: object) -> Any:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps({"ask": question, **more}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def environment(installed: Path) -> dict[str, str]:
    own = {"PYTHONPATH": str(installed), "XDG_CACHE_HOME": str(installed / "cache")}
    return {**os.environ, **own}


@contextmanager
def exporter(
    installed: Path,
    *targets: Mapping[str, object],
    before: tuple[str, ...] = (),
    user: str | None = None,
    backend: str = "ebpf",
    **counting: object,
) -> Iterator[Exporter]:
    told = json.dumps({"targets": targets, "counting": counting, "user": user, "backend": backend})
    with subprocess.Popen(
        [*before, "/usr/bin/python3", "-P", "-m", "tests.exporter.second", told],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd="/",
        env=environment(installed),
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield Exporter(process)
        finally:
            process.kill()
