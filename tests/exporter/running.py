"""The command, run as a user runs it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

COMMAND = str(Path(sys.executable).parent / "pytracer-exporter")
LIMIT_S = 60
_URL = re.compile(r"listening on (https?://\S+)")


def ended(
    *words: str,
    command: Sequence[str] = (COMMAND,),
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run the command until it ends by itself."""
    return subprocess.run(
        [*command, *words],
        env={**os.environ, **(environment or {})},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


@dataclass(slots=True)
class Exporter:
    """A running exporter. ``pid``: of the process that serves."""

    process: subprocess.Popen[bytes]
    log: Path
    url: str

    @property
    def pid(self) -> int:
        """Its process."""
        return self.process.pid

    def said(self) -> str:
        """All that it has logged."""
        return self.log.read_text()

    def text(self) -> str:
        """Scrape, once what another scrape has read is not handed out any more."""
        time.sleep(0.11)
        with urllib.request.urlopen(self.url, timeout=LIMIT_S) as answer:
            text: str = answer.read().decode()
            return text

    def samples(self) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
        """All samples of a scrape, by name and labels."""
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(self.text())
            for sample in family.samples
        }

    def value(self, name: str, **labels: str) -> float:
        """One sample; 0 when there is none such."""
        return self.samples().get((name, frozenset(labels.items())), 0.0)

    def wait_for(self, name: str, least: float, **labels: str) -> float:
        """Wait until a sample is at least so great."""
        deadline = time.monotonic() + LIMIT_S
        while (value := self.value(name, **labels)) < least:
            assert time.monotonic() < deadline, f"{name} {labels} is {value}; {self.said()}"
        return value

    def wait_to_say(self, text: str, times: int = 1) -> None:
        """Wait until something was logged, so many times."""
        deadline = time.monotonic() + LIMIT_S
        while self.said().count(text) < times:
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.02)

    def reload(self) -> None:
        """Have the configuration read again."""
        self.process.send_signal(signal.SIGHUP)


@contextlib.contextmanager
def exporter(
    folder: Path,
    *words: str,
    environment: Mapping[str, str] | None = None,
    listen: Sequence[str] = ("--listen", "127.0.0.1:0"),
    command: Sequence[str] = (COMMAND,),
) -> Iterator[Exporter]:
    """Run an exporter that has to end well when it is told to."""
    log = folder / "exporter.log"
    with log.open("wb") as opened:
        process = subprocess.Popen(
            [*command, *words, *listen],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=opened,
            stderr=opened,
            env={**os.environ, **(environment or {})},
        )
    running = Exporter(process, log, "")
    try:
        running.wait_to_say(" counts with ")
        found = _URL.search(running.said())
        assert found is not None, running.said()
        running.url = found[1]
        yield running
        assert process.poll() is None, running.said()
        process.send_signal(signal.SIGTERM)
        assert process.wait(LIMIT_S) == 0, running.said()
        assert "internal error" not in running.said(), running.said()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(LIMIT_S)
