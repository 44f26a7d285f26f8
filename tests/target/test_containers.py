"""Containers of all runtimes, on made-up trees."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytracer.target.cgroups import NoTarget
from pytracer.target.containers import by_container, container_of
from tests.target.trees import made

ID = "3f1c" + "0123456789ab" * 5
OTHER = "3f1d" + "ba9876543210" * 5
POD = "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice"


@pytest.mark.parametrize(
    "path",
    [
        f"system.slice/docker-{ID}.scope",
        f"docker/{ID}",
        f"{POD}/cri-containerd-{ID}.scope",
        f"{POD}/crio-{ID}.scope",
        f"kubepods/besteffort/pod1/{ID}",
        f"machine.slice/libpod-{ID}.scope",
        f"user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{ID}.scope",
        f"libpod_parent/libpod-{ID}",
        f"default/{ID}",
    ],
)
def test_runtimes(tmp_path: Path, path: str) -> None:
    beside = [f"machine.slice/libpod-conmon-{ID}.scope", f"{POD}/crio-conmon-{ID}.scope"]
    trees = made(tmp_path, unified=[path, f"{path}/inner", f"docker/{OTHER}", *beside])
    for wanted in (ID, ID[:12], "3f1c"):
        assert by_container(wanted, trees).path == f"/{path}"


def test_names_of_machines(tmp_path: Path) -> None:
    paths = ["machine.slice/machine-my\\x2dbox.scope", "lxc.payload.web", "lxc.monitor.web"]
    trees = made(tmp_path, unified=paths)
    assert by_container("my-box", trees).path == f"/{paths[0]}"
    assert by_container("web", trees).path == "/lxc.payload.web"
    with pytest.raises(NoTarget, match="no control group is that of such a container"):
        by_container("my", trees)


def test_version_1_is_looked_into_too(tmp_path: Path) -> None:
    trees = made(tmp_path, unified=[], systemd=[f"docker/{ID}"], memory=[f"docker/{ID}"])
    assert by_container("3f", trees).hierarchy == 9


def test_the_hierarchy_in_which_it_has_processes_comes_first(tmp_path: Path) -> None:
    trees = made(tmp_path, unified=[f"docker/{ID}"], systemd=[], memory=[f"docker/{ID}"])
    assert by_container("3f", trees).hierarchy == 0
    (tmp_path / "cgroup" / "memory" / "docker" / ID / "cgroup.procs").write_text("7\n")
    assert by_container("3f", trees).hierarchy == 4


def test_an_ambiguous_beginning_is_refused(tmp_path: Path) -> None:
    trees = made(tmp_path, unified=[f"docker/{ID}", f"docker/{OTHER}"])
    with pytest.raises(NoTarget, match=f"begin so: {ID[:12]}, {OTHER[:12]}; give more"):
        by_container("3f1", trees)
    assert by_container("3f1d", trees).path == f"/docker/{OTHER}"


@pytest.mark.parametrize("name", ["", "docker", "a" * 63, "system.slice", f"x_{ID}", "pod" + ID])
def test_other_groups_are_no_containers(name: str) -> None:
    assert container_of(name) is None


def test_refusals(tmp_path: Path) -> None:
    trees = made(tmp_path, unified=["docker"])
    with pytest.raises(NoTarget, match="an id is needed"):
        by_container("", trees)
    with pytest.raises(NoTarget, match="is it running"):
        by_container("web", trees)
