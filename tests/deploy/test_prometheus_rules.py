"""What Prometheus is given: it reads it, and each rule does what it is there for."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.needs_program("promtool")
PROMETHEUS = Path(__file__).resolve().parents[2] / "deploy" / "prometheus"
RULES = PROMETHEUS / "rules"
TESTS = PROMETHEUS / "tests"


def promtool(*words: str) -> str:
    ran = subprocess.run(
        ["promtool", *words],
        cwd=PROMETHEUS,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr


def rules(kind: str) -> list[dict[str, Any]]:
    """All rules of a kind: ``alert`` or ``record``."""
    files = [yaml.safe_load(file.read_text()) for file in sorted(RULES.iterdir())]
    groups = [group for file in files for group in file["groups"]]
    return [rule for group in groups for rule in group["rules"] if kind in rule]


def cases() -> list[dict[str, Any]]:
    """What the unit tests ask, each with the alerts or series it expects."""
    files = [yaml.safe_load(file.read_text()) for file in sorted(TESTS.iterdir())]
    tests = [test for file in files for test in file["tests"]]
    return [case for test in tests for case in test["promql_expr_test"]]


def test_prometheus_takes_the_configuration() -> None:
    assert "2 rule files found" in promtool("check", "config", "prometheus.yml")
    linted = promtool("check", "rules", "--lint=all", "--lint-fatal", *map(str, RULES.iterdir()))
    assert "SUCCESS" in linted


@pytest.mark.parametrize("name", ["recording_test.yml", "alerts_test.yml"])
def test_the_rules_pass_their_unit_tests(name: str) -> None:
    assert "SUCCESS" in promtool("test", "rules", f"tests/{name}")


def test_each_rule_has_a_unit_test() -> None:
    """Each alert is expected to fire; that none does otherwise is asked of all at once."""
    fired = [sample["labels"] for case in cases() for sample in case["exp_samples"]]
    asked = [case["expr"] for case in cases()]
    assert {rule["alert"] for rule in rules("alert")} == {
        labels.split('alertname="')[1].split('"')[0] for labels in fired if "alertname" in labels
    }
    for rule in rules("record"):
        assert any(rule["record"] in expr for expr in asked), rule["record"]
    assert sum(case["expr"] == "ALERTS" and not case["exp_samples"] for case in cases()) >= 5


def test_each_alert_says_what_it_means_and_what_to_do() -> None:
    for rule in rules("alert"):
        assert rule["labels"]["severity"] in {"page", "ticket"}, rule
        assert set(rule["annotations"]) == {"summary", "description", "runbook"}, rule
