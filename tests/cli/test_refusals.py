"""Why a process cannot be attached."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from pytracer.backend.base import TargetError
from pytracer.cli.refusals import Refusals
from tests.cli.test_reading import Notes

CALL = "attach: ptrace(PTRACE_SEIZE, 7)"


def said(tmp_path: Path, number: int, files: dict[str, str]) -> list[str]:
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    notes = Notes()
    refusals = Refusals(notes, tmp_path)
    for _ in range(2):  # the second time is the error that ends the session
        refusals.tell(TargetError(7, number, CALL))
    return notes.notes


def test_no_such_process(tmp_path: Path) -> None:
    assert said(tmp_path, errno.ESRCH, {}) == [f"{CALL}: No such process"]


@pytest.mark.parametrize(
    ("files", "hint"),
    [
        (
            {"7/status": "Name:\tx\nTracerPid:\t8\n"},
            "Process 7 is already being traced by pid 8",
        ),
        (
            {"7/status": "TracerPid:\t0\n", "sys/kernel/yama/ptrace_scope": "1\n"},
            "attaching to process 7 may be restricted by /proc/sys/kernel/yama/ptrace_scope (1)",
        ),
        (
            {"7/status": "TracerPid:\t0\n", "sys/kernel/yama/ptrace_scope": "0\n"},
            "process 7 may be owned by a different user",
        ),
        ({}, "process 7 may be owned by a different user"),
    ],
)
def test_not_permitted(files: dict[str, str], hint: str, tmp_path: Path) -> None:
    assert said(tmp_path, errno.EPERM, files) == [f"{CALL}: Operation not permitted", hint]
