"""The ebpf backend against strace, on the same run: equal to the byte."""

from __future__ import annotations

import pytest

from tests.differential.cases import Case
from tests.differential.compare import compare_same_run
from tests.differential.run import trace_together

pytestmark = [
    pytest.mark.needs_root,
    pytest.mark.needs_ebpf,
    pytest.mark.needs_program("strace"),
]


def test_says_what_strace_says(case: Case) -> None:
    pair = trace_together(case.program(), [])
    report = compare_same_run(*pair, rewrite=True)
    if not report:
        pytest.fail(f"{report.text()}\n{pair[1].stderr[-1500:]}", pytrace=False)
