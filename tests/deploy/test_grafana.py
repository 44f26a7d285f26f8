"""Each panel of the dashboard has something to show of a service under load."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.deploy.conftest import DEPLOY
from tests.deploy.scraping import Prometheus, exporting, scraping
from tests.live.services import redis

DASHBOARD = json.loads((DEPLOY / "grafana" / "pytracer.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
VARIABLES: dict[str, Any] = {one["name"]: one for one in DASHBOARD["templating"]["list"]}
QUERIES = [
    pytest.param(target["expr"], id=f"{panel['title']} {target['refId']}")
    for panel in PANELS
    for target in panel["targets"]
]


def filled(expression: str, interval: str = "10s") -> str:
    """Put values for the variables, as Grafana does with All chosen."""
    for name, variable in VARIABLES.items():
        value = variable.get("allValue") or variable["query"]
        if isinstance(value, str):
            expression = expression.replace(f"${name}", value)
    expression = expression.replace("$__rate_interval", interval).replace("$__range", "30s")
    assert "$" not in expression, expression
    return expression


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """Has scraped an exporter beside a redis under load, for some rate intervals."""
    folder = tmp_path_factory.mktemp("grafana")
    (folder / "redis").mkdir()
    with (
        redis(folder / "redis") as service,
        exporting(folder, ["--pid", f"redis={service.pid}"]) as exporter,
        scraping(folder, exporter, "500ms") as scraper,
    ):
        load = subprocess.Popen(
            service.load(120), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            scraper.scraped_again(8)
            yield scraper
        finally:
            load.terminate()
            load.wait(60)


def test_the_dashboard_is_whole() -> None:
    """Ids are each its own, panels do not overlap, and each asks the chosen data source."""
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    places = [panel["gridPos"] for panel in DASHBOARD["panels"]]
    cells = [
        (x, y)
        for at in places
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert all(at["x"] + at["w"] <= 24 for at in places)
    for panel in PANELS:
        assert panel["datasource"]["uid"] == "${datasource}"
        assert panel["description"] is not None and panel["targets"]
    assert {"datasource", "instance", "target", "syscall"} <= set(VARIABLES)


def test_what_must_be_seen_has_a_panel() -> None:
    asked = " ".join(query.values[0] for query in QUERIES)  # type: ignore[misc]
    for metric in (
        *("syscalls_total", "syscall_errors_total", "syscall_duration_seconds_bucket"),
        *("syscall_cpu_seconds_total", "syscall_inflight", "syscall_inflight_oldest_seconds"),
        *(
            "signals_total",
            "processes",
            "target_up",
            "events_lost_total",
            "scrape_duration_seconds",
        ),
        *("backend_info", "build_info", "series_folded_total", "bpf_program_run_seconds_total"),
    ):
        assert f"pytracer_{metric}{{" in asked, metric
    assert any(panel["type"] == "heatmap" for panel in PANELS)


@pytest.mark.slow
@pytest.mark.needs_root
@pytest.mark.needs_ebpf
@pytest.mark.needs_program("prometheus", "redis-server", "redis-benchmark")
@pytest.mark.timeout(240)
class TestOnRedis:
    """What Grafana would ask of a Prometheus, and be answered."""

    @pytest.mark.parametrize("expression", QUERIES)
    def test_the_panel_is_not_empty(self, prometheus: Prometheus, expression: str) -> None:
        found = prometheus.query(filled(expression))
        assert found
        assert all(value == value for _, value in found), found

    @pytest.mark.parametrize("name", ["instance", "target", "syscall"])
    def test_the_variable_has_values(self, prometheus: Prometheus, name: str) -> None:
        query = VARIABLES[name]["query"]["query"]
        selector, label = query.removeprefix("label_values(").removesuffix(")").rsplit(", ", 1)
        values = {labels[label] for labels, _ in prometheus.query(filled(selector))}
        assert values
        if name == "target":
            assert values == {"redis"}
        if name == "syscall":
            assert {"read", "write", "epoll_wait"} <= values

    def test_latencies_leave_out_what_waits(self, prometheus: Prometheus) -> None:
        slowest = next(q.values[0] for q in QUERIES if q.id == "p99, by system call A")
        names = {labels["syscall"] for labels, _ in prometheus.query(filled(slowest))}  # type: ignore[arg-type]
        assert {"read", "write"} <= names
        assert not {"epoll_wait", "futex"} & names
