"""What one host's exporter brings to a Prometheus, and what that costs there.

    python -m benchmarks.fleet [--seconds N] [--hosts N] [--write]

Redis, nginx and PostgreSQL run under load beside one exporter that watches all three. A real
Prometheus scrapes it each second under the names of several hosts, and writes blocks, whose bytes
and samples are counted. --write puts the figures into docs/fleet.md.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.measure import LIMIT_S, table
from tests.deploy.scraping import Exporter, answers, exporting, get, wait_for
from tests.live.services import SERVICES, free_port

PAGE: Final = Path(__file__).parent.parent / "docs" / "fleet.md"
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"
RULES: Final = Path(__file__).parent.parent / "deploy" / "prometheus" / "rules" / "recording.yml"

_CONFIGURATION: Final = """
global: {{scrape_interval: 1s, evaluation_interval: 1m}}
rule_files: [{rules}]
scrape_configs:
  - job_name: pytracer
    file_sd_configs: [{{files: [{targets}], refresh_interval: 1s}}]
"""
# The fleet that is reckoned with: how many, for how long samples are kept, and how much time is in
# a block of Prometheus' own.
HOSTS: Final = 10_000
DAYS_S: Final = 15 * 86400
BLOCK_S: Final = 7200
# Blocks are written of what is older than one and a half of these.
_BLOCK_S: Final = 120


@dataclass(frozen=True, slots=True)
class Scrape:
    """What one scrape brings. ``targets``: samples by the target that they are of."""

    samples: int
    targets: dict[str, int]
    plain_bytes: int
    packed_bytes: int


@dataclass(frozen=True, slots=True)
class Store:
    """What a Prometheus made of its scrapes.

    ``sample_bytes``: of a block, a sample; ``index_bytes``: of a block besides, a series.
    ``head_bytes``: of its memory, a series. ``flat`` and ``growing``: series that the recording
    rules made, of the fleet and of each host.
    """

    hosts: int
    series: int
    flat: int
    growing: int
    sample_bytes: float
    index_bytes: float
    head_bytes: float


def scrape(exporter: Exporter) -> Scrape:
    """Ask once, and count."""
    text = exporter.metrics()
    lines = [line for line in text.split("\n") if line and not line.startswith("#")]
    targets = Counter(
        found[1] for line in lines if (found := re.search(r'\btarget="([^"]*)"', line))
    )
    return Scrape(len(lines), dict(targets), len(text), len(gzip.compress(text.encode(), 6)))


def _resident(pid: int) -> int:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


def store(exporter: Exporter, hosts: int, seconds: int, folder: Path) -> Store:
    """Scrape the exporter as so many hosts for some time, and weigh what is then there."""
    program = shutil.which("prometheus")
    assert program is not None, "apt-get install prometheus"
    port = free_port()
    targets, configuration = folder / "targets.json", folder / "prometheus.yml"
    targets.write_text("[]")
    configuration.write_text(_CONFIGURATION.format(rules=RULES, targets=targets))
    words = [
        *(program, f"--config.file={configuration}", f"--storage.tsdb.path={folder / 'data'}"),
        *(f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"),
        f"--storage.tsdb.min-block-duration={_BLOCK_S}s",
        f"--storage.tsdb.max-block-duration={_BLOCK_S}s",
    ]
    server = subprocess.Popen(words, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: answers(port, "/-/ready"), lambda: "Prometheus is not ready")
        heap_before = _heap(port)
        address = f"127.0.0.1:{exporter.port}"
        listed = [
            {"targets": [address], "labels": {"instance": f"host{number}"}}
            for number in range(hosts)
        ]
        targets.write_text(json.dumps(listed))
        time.sleep(seconds)
        series = _ask(port, 'count({instance=~"host.*",__name__!~".*:.*"})')
        growing = _ask(port, 'count({instance=~"host.*",__name__=~".*:.*"})')
        flat = _ask(port, 'count({instance="",__name__=~".*:.*"})')
        head = _own(port, "prometheus_tsdb_head_series")
        # While a rule is evaluated, samples are there twice: the least of some counts.
        heap = min(_heap(port) for _ in range(20)) - heap_before
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(LIMIT_S)
    samples = blocks = chunks = index = 0
    for meta in (folder / "data").glob("*/meta.json"):
        stats = json.loads(meta.read_text())["stats"]
        samples += stats["numSamples"]
        blocks += stats["numSeries"]
        chunks += sum(file.stat().st_size for file in (meta.parent / "chunks").iterdir())
        index += (meta.parent / "index").stat().st_size
    if not samples:
        raise SystemExit(f"no block was written: give more than --seconds {seconds}")
    return Store(
        hosts, int(series), int(flat), int(growing), chunks / samples, index / blocks, heap / head
    )


def _heap(port: int) -> float:
    """What Prometheus has in use, once its garbage is collected."""
    request = f"http://127.0.0.1:{port}/debug/pprof/heap?gc=1"
    with urllib.request.urlopen(request, timeout=LIMIT_S) as answer:
        answer.read()
    return _own(port, "go_memstats_alloc_bytes")


def _ask(port: int, expression: str) -> float:
    query = urllib.parse.quote(expression)
    data = json.loads(get(port, f"/api/v1/query?query={query}"))["data"]["result"]
    return float(data[0]["value"][1])


def _own(port: int, metric: str) -> float:
    found = re.search(rf"^{metric} (\S+)$", get(port, "/metrics"), re.M)
    assert found is not None, metric
    return float(found[1])


def own_cpu(exporter: Exporter, seconds: int) -> float:
    """How much of a core the exporter takes, scraped once a second."""
    ticks = os.sysconf("SC_CLK_TCK")

    def used() -> float:
        fields = Path(f"/proc/{exporter.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / ticks

    began, before = time.monotonic(), used()
    for _ in range(seconds):
        time.sleep(1)
        exporter.metrics()
    return (used() - before) / (time.monotonic() - began)


def report(seconds: int, hosts: int) -> str:
    """Measure, and write the tables."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        targets: list[str] = []
        for name, service in SERVICES.items():
            (folder / name).mkdir()
            running = stack.enter_context(service(folder / name))
            load = subprocess.Popen(
                running.load(3 * seconds + 120),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            stack.callback(load.wait, LIMIT_S)
            stack.callback(load.terminate)
            targets.append(f"--pid={name}={running.pid}")
        rows = []
        for title, options in (
            ("three services", []),
            ("three services, 12 bounds", ["--buckets=12"]),
            ("three services, files and network only", ["-e", "trace=%file,%network"]),
            ("three services and the rest of the host", ["--all=host"]),
        ):
            place = folder / f"exporter{len(rows)}"
            place.mkdir()
            with exporting(place, [*targets, *options]) as exporter:
                time.sleep(10)
                cpu = own_cpu(exporter, 10)
                found = scrape(exporter)
                rows.append(
                    [
                        *(title, f"{found.samples:,}"),
                        *(f"{found.plain_bytes / 1024:,.0f}", f"{found.packed_bytes / 1024:,.0f}"),
                        *(f"{100 * cpu:.1f} %", f"{_resident(exporter.process.pid) >> 20}"),
                    ]
                )
                if not options:
                    each = ", ".join(f"{name} {count}" for name, count in found.targets.items())
                    kept = store(exporter, hosts, seconds, folder)
    head = ("watched", "series", "KiB a scrape", "compressed", "exporter's CPU", "MiB resident")
    facts = [
        ["series by target", each],
        [f"series of {kept.hosts} hosts", f"{kept.series:,}"],
        ["series of the recording rules, of one host", f"{kept.growing / kept.hosts:,.0f}"],
        ["series of the recording rules, of all hosts together", f"{kept.flat:,}"],
        ["bytes on disk, a sample", f"{kept.sample_bytes:.2f}"],
        ["bytes on disk besides, a series and block", f"{kept.index_bytes:,.0f}"],
        ["bytes of memory, a series", f"{kept.head_bytes:,.0f}"],
    ]
    costs = [
        [title, every, *_costs(int(samples.replace(",", "")), interval_s, kept)]
        for title, samples, *_ in rows
        for every, interval_s in (("15 s", 15), ("60 s", 60))
    ]
    paper = ("watched on each", "scraped every", "series", "samples a second", "15 days on disk")
    return "\n\n".join(
        (
            table(head, rows),
            table(("a Prometheus that scrapes them", ""), facts),
            f"{HOSTS:,} hosts, on paper:",
            table((*paper, "memory"), costs),
        )
    )


def _costs(samples: int, interval_s: int, kept: Store) -> list[str]:
    """What a fleet costs of which each host brings so many samples, by what one has cost."""
    series = samples * HOSTS
    rate = series / interval_s
    block = kept.sample_bytes + kept.index_bytes * interval_s / BLOCK_S
    disk, memory = rate * DAYS_S * block, series * kept.head_bytes
    return [
        *(f"{series / 1e6:.1f} million", f"{rate:,.0f}"),
        *(f"{disk / 1e9:,.0f} GB", f"{memory / 1e9:,.0f} GB"),
    ]


def write(text: str) -> None:
    """Put the figures into the page."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run alone."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fleet")
    parser.add_argument("--seconds", type=int, default=240, help="that Prometheus scrapes")
    parser.add_argument("--hosts", type=int, default=20, help="that it takes the exporter for")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/fleet.md")
    options = parser.parse_args(arguments)
    text = report(options.seconds, options.hosts)
    print(text)
    if options.write:
        write(text)


if __name__ == "__main__":
    main()
