"""The program's file and its environment."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from pytracer.target.program import NoProgram, environment, find, inherited_environment


@pytest.fixture
def folders(tmp_path: Path) -> tuple[bytes, bytes]:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        (folder / "tool").write_text("#!/bin/sh\n")
    (second / "tool").chmod(0o755)
    (first / "folder").mkdir()
    (second / "folder").write_text("#!/bin/sh\n")
    (second / "folder").chmod(0o755)
    return os.fsencode(first), os.fsencode(second)


def test_finds_the_first_file_that_can_be_executed(folders: tuple[bytes, bytes]) -> None:
    path = b":".join(folders)
    assert find(b"tool", path) == folders[1] + b"/tool"
    assert find(b"folder", path) == folders[1] + b"/folder"


def test_an_empty_part_is_the_working_directory(
    folders: tuple[bytes, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(os.fsdecode(folders[1]))
    assert find(b"tool", b"/nonexistent:") == folders[1] + b"/tool"


@pytest.mark.parametrize("path", [None, b"", b"/nonexistent"])
def test_not_in_path(path: bytes | None) -> None:
    with pytest.raises(NoProgram) as caught:
        find(b"tool", path)
    assert caught.value.errno == 0


def test_a_name_with_a_slash_is_taken_as_it_is(folders: tuple[bytes, bytes]) -> None:
    assert find(folders[0] + b"/tool", None) == folders[0] + b"/tool"
    with pytest.raises(NoProgram) as caught:
        find(folders[0] + b"/absent", None)
    assert caught.value.errno == errno.ENOENT


def test_changes_of_the_environment() -> None:
    before = [b"A=1", b"B=2", b"A=3", b"odd"]
    assert environment(before, [b"B=x", b"C=y"]) == (b"A=1", b"B=x", b"A=3", b"odd", b"C=y")
    assert environment(before, [b"A"]) == (b"B=2", b"odd")
    assert environment(before, [b"A", b"A=z"]) == (b"B=2", b"odd", b"A=z")
    assert environment(before, []) == tuple(before)


def test_the_inherited_environment_is_that_of_the_start() -> None:
    inherited = inherited_environment()
    assert any(entry.startswith(b"PATH=") for entry in inherited)
    assert all(b"=" in entry for entry in inherited)
