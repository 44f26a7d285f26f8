"""The collector: what is exported of a reading, and how often the source is read."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text
from pytracer_exporter.buckets import evenly
from pytracer_exporter.collector import FRESH_NS, SourceCollector
from pytracer_exporter.exposition import Writer
from pytracer_exporter.families import ALL, Form
from pytracer_exporter.reading import ProgramCost, Stuck

from tests.exporter.scenes import Given, counts, reading


def _source(fd_type: bool = False) -> Given:
    slow = [900, 70_000, 2**37]
    files = counts("web", "read", [1_000_003], fd_type="file", cpu_ns=1)
    now = reading(
        [
            counts("web", "read", slow, {11: 1}, fd_type="socket" * fd_type, cpu_ns=40_000),
            *([files] if fd_type else []),
            counts('a "quoted\\\nname"', "futex", [5] * 1_300_000, {110: 2, 516: 3}),
        ],
        [Stuck("web", "accept4", 2, 3_500_000_000)],
        {("web", "SIGCHLD"): 11},
        ["web", 'a "quoted\\\nname"'],
    )
    now.programs = [ProgramCost("count_exit", 1_300_003, 90_000_001)]
    return Given(now)


def _collector(source: Given, fd_type: bool = False) -> SourceCollector:
    names = [each.name for each in source.now.targets]
    return SourceCollector(source, Form(evenly(28), fd_type), 10_000, names)


def _samples(families: Iterable[Metric]) -> dict[tuple[str, str, str], dict[object, float]]:
    return {
        (family.name, family.type, family.documentation): {
            (sample.name, *sorted(sample.labels.items())): sample.value for sample in family.samples
        }
        for family in families
    }


def _openmetrics(text: str) -> object:
    return _samples(read_openmetrics(text))  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("fd_type", [False, True])
def test_writes_what_prometheus_client_writes(fd_type: bool) -> None:
    collector = _collector(_source(fd_type), fd_type)
    registry = CollectorRegistry()
    registry.register(collector)
    writer = Writer()
    for _ in range(2):  # once more, from what was kept
        _, families = collector.current()
        theirs = generate_latest(registry).decode()
        assert _samples(read_text(writer.text(families))) == _samples(read_text(theirs))
        theirs = generate_openmetrics(registry).decode()  # type: ignore[no-untyped-call]
        ours = writer.openmetrics(families) + "# EOF\n"
        assert _openmetrics(ours) == _openmetrics(theirs)


def test_other_bounds_are_written_as_such() -> None:
    source = _source()
    collector = _collector(source)
    writer = Writer()
    writer.text(collector.current()[1])
    collector.change(Form(evenly(2)), 10_000, ["web"])
    text = writer.text(collector.current()[1])
    buckets = [line for line in text.splitlines() if "_bucket{" in line]
    assert len(buckets) == 3
    assert buckets[-1].endswith('le="+Inf"} 3')


def test_every_family_is_there() -> None:
    filled = _collector(_source()).current()[1]
    assert [each.family.name for each in filled] == [family.name for family in ALL]
    assert all(each.samples or each.histograms for each in filled)


def test_the_sum_of_buckets_is_the_count() -> None:
    writer = Writer()
    text = writer.text(_collector(_source()).current()[1])
    for family in read_text(text):
        if family.type == "histogram":
            whole = {
                tuple(sorted(s.labels.items())): s.value
                for s in family.samples
                if s.name.endswith("_count")
            }
            for sample in family.samples:
                if sample.labels.pop("le", "") == "+Inf":
                    assert whole.pop(tuple(sorted(sample.labels.items()))) == sample.value
            assert not whole


def test_a_target_is_there_from_the_start() -> None:
    text = Writer().text(_collector(Given(reading())).current()[1])
    assert 'pytracer_target_up{target="web"} 1\n' in text
    assert 'pytracer_events_lost_total{reason="map_full"} 0\n' in text
    assert "pytracer_series_folded_total 0\n" in text


def test_scrapes_in_a_row_share_a_reading() -> None:
    source, clock = _source(), [0]
    collector = SourceCollector(source, Form(evenly(28)), 10_000, ["web"], lambda: clock[0])
    first = collector.current()
    clock[0] = FRESH_NS
    assert collector.current() == first
    assert source.reads == 1
    clock[0] += 1
    assert collector.current()[0] > first[0]
    assert source.reads == 2


def test_registering_does_not_read() -> None:
    source = _source()
    CollectorRegistry().register(_collector(source))
    assert source.reads == 0


def test_tells_whether_the_configuration_is_in_use() -> None:
    collector = _collector(_source())
    collector.refused()
    assert "pytracer_config_last_reload_successful 0\n" in Writer().text(collector.current()[1])
    collector.change(Form(evenly(28)), 10_000, ["web"])
    assert "pytracer_config_last_reload_successful 1\n" in Writer().text(collector.current()[1])


@pytest.mark.needs_program("promtool")
def test_promtool_finds_nothing_to_say() -> None:
    promtool = shutil.which("promtool")
    assert promtool is not None
    text = Writer().text(_collector(_source(True), True).current()[1])
    done = subprocess.run(
        [promtool, "check", "metrics"], input=text, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
