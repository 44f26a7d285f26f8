"""Shared by the comparisons: cases as parameters, and how a difference is told."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from _pytest.mark import ParameterSet

from tests.differential.cases import CASES, Case


def parameters(cases: Iterable[Case]) -> list[ParameterSet]:
    """Make one pytest parameter a case, with the marks for what it needs."""
    made = []
    for case in cases:
        marks: list[pytest.MarkDecorator] = [pytest.mark.timeout(case.timeout_s * 2 + 60)]
        if case.slow:
            marks.append(pytest.mark.slow)
        needs = (*case.needs, *(("gcc",) if case.source else ()))
        if needs:
            marks.append(pytest.mark.needs_program(*needs))
        made.append(pytest.param(case, id=case.name, marks=marks))
    return made


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give every test that asks for a ``case`` all of them that it can be about."""
    if "case" in metafunc.fixturenames:
        metafunc.parametrize("case", parameters(CASES))
    elif "repeatable" in metafunc.fixturenames:
        metafunc.parametrize("repeatable", parameters(case for case in CASES if case.attempts))
