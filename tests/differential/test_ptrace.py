"""The ptrace backend against strace: two runs without address randomisation."""

from __future__ import annotations

import pytest

from tests.differential.cases import Case
from tests.differential.compare import compare
from tests.differential.run import trace_twice

pytestmark = pytest.mark.needs_program("strace", "setarch")


def test_says_what_strace_says(repeatable: Case) -> None:
    case = repeatable
    options = ["-f"] if case.follow else []
    report = None
    for _ in range(case.attempts):
        pair = trace_twice(case.program(), options)
        found = compare(*pair, rewrite=True, column=40 - (6 if case.follow else 0))
        if report is None or len(found.mismatches) < len(report.mismatches):
            report = found
        if report:
            return
    assert report is not None
    pytest.fail(report.text(), pytrace=False)
