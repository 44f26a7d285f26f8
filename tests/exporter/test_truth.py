"""What Prometheus is told of a redis under load is what a recording of the same run says."""

from __future__ import annotations

import contextlib
import json
import math
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pytracer_exporter.buckets import DEFAULT

from tests.deploy.scraping import Exporter, Prometheus, exporting, scraping
from tests.live.services import redis

pytestmark = [
    pytest.mark.needs_root,
    pytest.mark.needs_ebpf,
    pytest.mark.needs_program("redis-server", "redis-benchmark", "prometheus"),
    pytest.mark.slow,
    pytest.mark.timeout(300),
]

PYTRACER = str(Path(sys.executable).with_name("pytracer"))
LIMIT_S = 120
# Made for its clients alone: redis writes nothing while nobody asks.
CALL = "write"


@dataclass(frozen=True, slots=True)
class Run:
    """A run that was recorded and scraped: how long each call took, in nanoseconds."""

    durations_ns: list[int]
    exporter: Exporter
    prometheus: Prometheus


@contextlib.contextmanager
def _recording(pid: int, folder: Path) -> Iterator[Path]:
    recorded, said = folder / "recorded", folder / "recording.log"
    with said.open("wb") as log:
        process = subprocess.Popen(
            [
                *(PYTRACER, "--backend=ebpf", "-f", "-p", str(pid), "-e", f"trace={CALL}"),
                *("--record", str(recorded), "--ring-size=32M"),
            ],
            stderr=log,
        )
    try:
        deadline = time.monotonic() + LIMIT_S
        while b"attached" not in said.read_bytes():
            assert process.poll() is None and time.monotonic() < deadline, said.read_text()
            time.sleep(0.05)
        yield recorded
        process.send_signal(signal.SIGINT)
        process.wait(LIMIT_S)
        assert "lost" not in said.read_text()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(LIMIT_S)


def _durations(recorded: Path, folder: Path) -> list[int]:
    shown = folder / "shown"
    subprocess.run(
        [PYTRACER, "--replay", str(recorded), "--json", "-o", str(shown)],
        check=True,
        timeout=LIMIT_S,
        stderr=subprocess.DEVNULL,
    )
    with shown.open() as lines:
        objects = map(json.loads, lines)
        return [each["duration_ns"] for each in objects if each.get("syscall") == CALL]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A redis that has answered for a while, and is quiet again."""
    folder = tmp_path_factory.mktemp("truth")
    (folder / "redis").mkdir()
    with (
        redis(folder / "redis") as service,
        exporting(folder, ["--pid", f"redis={service.pid}"]) as exporter,
        scraping(folder, exporter, "500ms") as prometheus,
    ):
        with _recording(service.pid, folder) as recorded:
            subprocess.run(
                service.load(1), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60
            )
            prometheus.scraped_again()
        yield Run(_durations(recorded, folder), exporter, prometheus)


def _of(family: str, more: str = "") -> str:
    return f'pytracer_{family}{{target="redis",syscall="{CALL}"{more}}}'


def test_every_call_is_counted(run: Run) -> None:
    assert len(run.durations_ns) > 1000
    assert run.prometheus.value(_of("syscalls_total")) == len(run.durations_ns)
    assert run.prometheus.value(_of("syscall_duration_seconds_count")) == len(run.durations_ns)
    assert run.prometheus.value(_of("syscall_duration_seconds_bucket", ',le="+Inf"')) == len(
        run.durations_ns
    )


def test_the_rate_is_what_was_counted(run: Run) -> None:
    (series,) = run.prometheus.samples(_of("syscalls_total") + "[2m]")
    (begun, first), (ended, last) = series.samples[0], series.samples[-1]
    # Between two scrapes rate() takes the difference as it is, and extrapolates to the window's
    # ends, which are put at those scrapes.
    window = math.ceil((ended - begun) * 1000)
    rate = run.prometheus.value(f"rate({_of('syscalls_total')}[{window}ms])", at=ended)
    assert rate == pytest.approx((last - first) / (ended - begun), rel=0.1)


def test_the_sum_is_the_time_that_calls_took(run: Run) -> None:
    # Each of two programs sees the other's work within the call, or does not: some hundred ns.
    seconds = run.prometheus.value(_of("syscall_duration_seconds_sum"))
    assert seconds == pytest.approx(sum(run.durations_ns) / 1e9, rel=0.25)


@pytest.mark.parametrize("quantile", [0.5, 0.9, 0.99])
def test_a_quantile_is_within_its_bucket_of_the_true_one(run: Run, quantile: float) -> None:
    ordered = sorted(run.durations_ns)
    true_ns = ordered[math.ceil(quantile * len(ordered)) - 1]
    expression = f"histogram_quantile({quantile}, {_of('syscall_duration_seconds_bucket')})"
    told_ns = run.prometheus.value(expression) * 1e9
    bounds = (0, *DEFAULT.bounds_ns)
    above = next(at for at, bound in enumerate(bounds) if told_ns <= bound)
    # The bucket's ends, and what the one program measures of the other.
    assert bounds[above - 1] * 0.75 <= true_ns <= bounds[above] * 1.25


def test_no_scrape_took_long(run: Run) -> None:
    (series,) = run.prometheus.samples("scrape_duration_seconds[5m]")
    (reading,) = run.prometheus.samples("pytracer_scrape_duration_seconds[5m]")
    assert len(reading.samples) > 5
    assert min(value for _, value in series.samples) < 0.05
