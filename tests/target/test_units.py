"""Units, by what systemd says or by their directory, on made-up trees."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytracer.target.cgroups import NoTarget
from pytracer.target.units import by_unit, escaped, full_name, slice_path
from tests.target.trees import made


def silent(unit: str) -> None:
    """There is no systemd."""


def told(**properties: str) -> object:
    """A systemd that knows one unit."""
    return lambda unit: {"LoadState": "loaded", "ControlGroup": "", "Slice": "", **properties}


def test_names_are_completed_as_by_systemctl() -> None:
    assert full_name("nginx") == "nginx.service"
    assert full_name("foo@bar.baz") == "foo@bar.baz.service"
    assert full_name("session-1.scope") == "session-1.scope"


def test_slices_are_levels() -> None:
    assert slice_path("system.slice") == "/system.slice"
    assert slice_path("system-getty.slice") == "/system.slice/system-getty.slice"
    assert slice_path("-.slice") == ""


def test_names_that_the_kernel_would_misunderstand() -> None:
    assert escaped("nginx.service", ["cpu"]) == "nginx.service"
    assert escaped("cpu.service", ["cpu"]) == "_cpu.service"
    assert escaped("cgroup.service", []) == "_cgroup.service"
    assert escaped("_x.service", []) == "__x.service"


def test_a_running_unit_is_where_systemd_says(tmp_path: Path) -> None:
    trees = made(tmp_path, unified=["system.slice/a.service"])
    ask = told(Id="a.service", ControlGroup="/system.slice/a.service")
    group = by_unit("alias", trees, ask)  # type: ignore[arg-type]
    assert (group.hierarchy, group.path) == (0, "/system.slice/a.service")


def test_a_unit_that_is_not_running_is_waited_for_where_it_will_be(tmp_path: Path) -> None:
    trees = made(tmp_path, unified=["system.slice"])
    ask = told(Id="a@b.service", Slice="system-a.slice")
    group = by_unit("a@b", trees, ask)  # type: ignore[arg-type]
    assert group.path == "/system.slice/system-a.slice/a@b.service"
    ask = told(Id="a.slice")
    assert by_unit("a.slice", trees, ask).path == "/a.slice"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("mounted", "hierarchy"),
    [
        ({"unified": ["s/a.service"], "systemd": ["s/a.service"]}, 0),
        ({"unified": [], "systemd": ["s/a.service"]}, 9),
        ({"systemd": ["s/a.service"], "memory": []}, 9),
        # Not running: systemd's own hierarchy is the one in which it will be for certain.
        ({"unified": ["init.scope"], "systemd": ["init.scope"]}, 9),
        ({"unified": ["init.scope"], "systemd": []}, 0),
        ({"unified": []}, 0),
    ],
)
def test_versions_and_hybrids(
    tmp_path: Path, mounted: dict[str, list[str]], hierarchy: int
) -> None:
    trees = made(tmp_path, **mounted)
    ask = told(Id="a.service", ControlGroup="/s/a.service")
    assert by_unit("a", trees, ask).hierarchy == hierarchy  # type: ignore[arg-type]


def test_the_hierarchy_in_which_a_unit_has_processes_comes_first(tmp_path: Path) -> None:
    trees = made(tmp_path, unified=["s/a.service"], systemd=["s/a.service"])
    (tmp_path / "cgroup" / "systemd" / "s" / "a.service" / "cgroup.procs").write_text("7\n")
    ask = told(Id="a.service", ControlGroup="/s/a.service")
    assert by_unit("a", trees, ask).hierarchy == 9  # type: ignore[arg-type]


def test_without_systemd_the_directory_is_looked_for(tmp_path: Path) -> None:
    trees = made(tmp_path, systemd=["system.slice/a.service/payload"], unified=[])
    assert by_unit("a", trees, silent).path == "/system.slice/a.service"


def test_a_users_unit_that_the_systems_systemd_does_not_know(tmp_path: Path) -> None:
    path = "user.slice/user-1.slice/user@1.service/app.slice/a.service"
    trees = made(tmp_path, unified=[path])
    ask = told(Id="a.service", LoadState="not-found")
    assert by_unit("a", trees, ask).path == f"/{path}"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("unit", "ask", "why"),
    [
        ("a", silent, "not running, and there is no systemd"),
        ("a", told(Id="a.service", LoadState="not-found"), "systemd knows no such unit"),
        ("a@", silent, "that is a template"),
        ("a@.service", silent, "that is a template"),
        ("a/b", silent, "no unit's name"),
        ("twice", silent, "several units have that name.*/x/twice.service, /y/twice.service"),
    ],
)
def test_refusals(tmp_path: Path, unit: str, ask: object, why: str) -> None:
    trees = made(tmp_path, unified=["x/twice.service", "y/twice.service"])
    with pytest.raises(NoTarget, match=why):
        by_unit(unit, trees, ask)  # type: ignore[arg-type]
