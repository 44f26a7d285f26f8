"""Hierarchies and paths in them, on made-up trees."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytracer.target.cgroups import NoTarget, by_path, hierarchies, processes
from pytracer.target.selection import Cgroup
from tests.target.trees import fill, made


def test_the_unified_hierarchy_alone(tmp_path: Path) -> None:
    (tree,) = made(tmp_path, unified=["a/b"])
    assert tree.number == 0
    assert list(tree.groups()) == ["/", "/a", "/a/b"]


def test_a_hybrid_lists_the_unified_one_first_and_then_systemds_own(tmp_path: Path) -> None:
    trees = made(tmp_path, unified=[], systemd=[], memory=[])
    assert [tree.number for tree in trees] == [0, 9, 4]
    assert trees[1].names == {"name=systemd"}
    assert trees[2].names == {"memory"}


def test_a_mount_that_shows_all_comes_before_one_that_shows_a_part(tmp_path: Path) -> None:
    folder = tmp_path / "proc" / "self"
    folder.mkdir(parents=True)
    line = "30 25 0:26 {} {} rw - cgroup2 none rw\n"
    part, whole = tmp_path / "part", tmp_path / "whole one"
    hidden = tmp_path / "something else is mounted over it"
    (folder / "mountinfo").write_text(
        line.format("/docker/x", part)
        + line.format("/", hidden)
        + line.format("/", str(whole).replace(" ", "\\040"))
    )
    (folder / "cgroup").write_text("0::/\n")
    fill(part, [])
    fill(whole, [])
    assert [tree.mount for tree in hierarchies(tmp_path / "proc")] == [whole, part]


def test_nothing_is_mounted(tmp_path: Path) -> None:
    assert hierarchies(tmp_path / "proc") == []
    with pytest.raises(NoTarget, match="no control groups are mounted"):
        by_path("/a", [])


def test_a_group_by_its_directory_and_by_its_path(tmp_path: Path) -> None:
    trees = made(tmp_path, unified=["a/b"], memory=["a/m"])
    mount = str(tmp_path / "cgroup" / "unified")
    b = Cgroup(0, mount, "/a/b")
    for text in (f"{mount}/a/b", f"{mount}/a/b/", f"{mount}/a/../a/b", "/a/b", "a/b"):
        assert by_path(text, trees) == b, text
    m = Cgroup(4, str(tmp_path / "cgroup" / "memory"), "/a/m")
    assert by_path("a/m", trees) == by_path(m.folder, trees) == m
    assert by_path("/", trees) == by_path(mount, trees) == Cgroup(0, mount, "/")


def test_a_group_that_is_not_there_is_refused(tmp_path: Path) -> None:
    trees = made(tmp_path, unified=["a"])
    for text in ("a/b", "/etc", str(tmp_path / "cgroup")):
        with pytest.raises(NoTarget, match="no such control group"):
            by_path(text, trees)


def test_a_link_to_a_group_is_followed(tmp_path: Path) -> None:
    trees = made(tmp_path, unified=["a"])
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "cgroup" / "unified" / "a")
    assert by_path(str(link), trees).path == "/a"


def test_processes_are_those_of_all_groups_below(tmp_path: Path) -> None:
    mount = tmp_path / "m"
    fill(mount, ["a/b/c", "d"])
    for group, text in (("a", "7\n5\n"), ("a/b/c", "3\n0\n"), ("d", "2\n")):
        (mount / group / "cgroup.procs").write_text(text)
    assert processes(Cgroup(0, str(mount), "/a")) == [3, 5, 7]
