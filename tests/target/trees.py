"""Made-up /proc and control group trees, as the versions and runtimes make them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pytracer.target.cgroups import Hierarchy, hierarchies

_V2 = "30 25 0:26 {root} {mount} rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
_V1 = "31 25 0:27 / {mount} rw,nosuid shared:5 - cgroup cgroup rw,{names}\n"


def made(
    top: Path,
    unified: Iterable[str] | None = None,
    systemd: Iterable[str] | None = None,
    memory: Iterable[str] | None = None,
) -> list[Hierarchy]:
    """Make hierarchies with these groups; what is None is not mounted."""
    mounts = ["25 1 0:24 / /sys rw - sysfs sysfs rw\n"]
    numbers = []
    mount = top / "cgroup" / "unified"
    if unified is not None:
        fill(mount, unified)
        mounts.append(_V2.format(root="/", mount=mount))
        numbers.append("0::/user.slice\n")
    for number, name, options, groups in (
        (9, "systemd", "xattr,name=systemd", systemd),
        (4, "memory", "memory", memory),
    ):
        if groups is not None:
            fill(top / "cgroup" / name, groups)
            mounts.append(_V1.format(mount=top / "cgroup" / name, names=options))
            numbers.append(f"{number}:{options.removeprefix('xattr,')}:/\n")
    folder = top / "proc" / "self"
    folder.mkdir(parents=True)
    (folder / "mountinfo").write_text("".join(reversed(mounts)))
    (folder / "cgroup").write_text("".join(numbers))
    return hierarchies(top / "proc")


def fill(mount: Path, groups: Iterable[str]) -> None:
    """Make directories below a mount."""
    mount.mkdir(parents=True)
    (mount / "cgroup.procs").touch()
    for group in groups:
        (mount / group.strip("/")).mkdir(parents=True, exist_ok=True)
