"""A real Prometheus that scrapes a real exporter; and what it then knows."""

from __future__ import annotations

import contextlib
import http.client
import json
import shutil
import signal
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.live.services import free_port

LIMIT_S = 60
RULES = Path(__file__).resolve().parents[2] / "deploy" / "prometheus" / "rules"
EXPORTER = str(Path(sys.executable).with_name("pytracer-exporter"))

Labels = dict[str, str]
_CONFIGURATION = """
global: {{scrape_interval: {interval}, evaluation_interval: 1s}}
rule_files: ["{rules}/*.yml"]
scrape_configs:
  - job_name: pytracer
    static_configs:
      - targets: ["127.0.0.1:{port}"]
"""


def wait_for(ready: Callable[[], bool], what: Callable[[], str]) -> None:
    """Wait until something holds, for a bounded time."""
    deadline = time.monotonic() + LIMIT_S
    while not ready():
        assert time.monotonic() < deadline, what()
        time.sleep(0.05)


def get(port: int, path: str) -> str:
    """What a server here answers; it has to answer well."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT_S)
    with contextlib.closing(connection):
        connection.request("GET", path)
        answer = connection.getresponse()
        text = answer.read().decode()
    assert answer.status == 200, f"{path}: {answer.status} {text}"
    return text


def answers(port: int, path: str) -> bool:
    """Whether a server here answers well by now."""
    try:
        get(port, path)
    except (OSError, AssertionError, http.client.HTTPException):
        return False
    return True


@dataclass(frozen=True, slots=True)
class Exporter:
    """A running exporter. ``said``: the file with what it logs."""

    port: int
    process: subprocess.Popen[bytes]
    said: Path

    def metrics(self) -> str:
        """What a scrape brings."""
        return get(self.port, "/metrics")


@dataclass(frozen=True, slots=True)
class Series:
    """The samples of a series: seconds since the epoch, and values."""

    labels: Labels
    samples: list[tuple[float, float]]


class Prometheus:
    """A running Prometheus."""

    def __init__(self, port: int) -> None:
        self.port = port

    def _ask(self, path: str, **parameters: str) -> Any:
        answer = json.loads(get(self.port, f"{path}?{urllib.parse.urlencode(parameters)}"))
        assert answer["status"] == "success", answer
        return answer["data"]

    def query(self, expression: str, at: float | None = None) -> list[tuple[Labels, float]]:
        """What an expression gives, now or at a time."""
        when = {} if at is None else {"time": f"{at:.3f}"}
        data = self._ask("/api/v1/query", query=expression, **when)
        if data["resultType"] == "scalar":
            return [({}, float(data["result"][1]))]
        return [(one["metric"], float(one["value"][1])) for one in data["result"]]

    def value(self, expression: str, at: float | None = None) -> float:
        """What an expression gives that gives one value."""
        ((_, value),) = self.query(expression, at)
        return value

    def samples(self, selector: str) -> list[Series]:
        """What was scraped, as it was scraped. The selector is one of a range."""
        data = self._ask("/api/v1/query", query=selector)
        return [
            Series(one["metric"], [(when, float(value)) for when, value in one["values"]])
            for one in data["result"]
        ]

    def scrapes(self) -> int:
        """How often the exporter has been scraped, and answered in time."""
        counted = self.query('sum_over_time(up{job="pytracer"}[1h])')
        return int(counted[0][1]) if counted else 0

    def scraped_again(self, times: int = 2) -> None:
        """Wait until it was scraped, from the beginning to the end, since now."""
        before = self.scrapes()
        wait_for(lambda: self.scrapes() >= before + times, lambda: "Prometheus does not scrape")

    def rules(self) -> list[Any]:
        """All rules, and how their last evaluation went."""
        groups = self._ask("/api/v1/rules")["groups"]
        return [rule for group in groups for rule in group["rules"]]

    def alerts(self) -> list[Any]:
        """All alerts that are pending or firing."""
        found: list[Any] = self._ask("/api/v1/alerts")["alerts"]
        return found


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(20)


@contextlib.contextmanager
def exporting(folder: Path, options: Sequence[str]) -> Iterator[Exporter]:
    """Run an exporter until it is ready, and then for as long as it is wanted."""
    port = free_port()
    said = folder / "exporter.log"
    with said.open("wb") as log:
        process = subprocess.Popen(
            [EXPORTER, *options, "--listen", f"127.0.0.1:{port}"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        wait_for(
            lambda: process.poll() is not None or answers(port, "/-/ready"),
            lambda: f"the exporter is not ready: {said.read_text()}",
        )
        assert process.poll() is None, said.read_text()
        yield Exporter(port, process, said)
    finally:
        _end(process)


@contextlib.contextmanager
def scraping(folder: Path, exporter: Exporter, interval: str = "1s") -> Iterator[Prometheus]:
    """Run a Prometheus that scrapes the exporter, with the rules of deploy/prometheus."""
    program = shutil.which("prometheus")
    assert program is not None
    port = free_port()
    configuration = folder / "prometheus.yml"
    configuration.write_text(
        _CONFIGURATION.format(interval=interval, rules=RULES, port=exporter.port)
    )
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [
                program,
                f"--config.file={configuration}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        wait_for(
            lambda: process.poll() is not None or answers(port, "/-/ready"),
            lambda: f"Prometheus is not ready: {(folder / 'prometheus.log').read_text()}",
        )
        assert process.poll() is None, (folder / "prometheus.log").read_text()
        prometheus = Prometheus(port)
        prometheus.scraped_again()
        yield prometheus
    finally:
        _end(process)
