"""From the name of a systemd unit to its control group, which need not be there yet.

Source: systemd.unit(5), systemd.resource-control(5); for the names of directories, cg_escape() of
systemd's src/basic/cgroup-util.c.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from pytracer.target.cgroups import Hierarchy, NoTarget, NotThere, inhabited, matching, mounted
from pytracer.target.selection import Cgroup

_TYPES: Final = ("service", "scope", "slice", "socket", "mount", "swap")
_PROPERTIES: Final = ("Id", "LoadState", "ControlGroup", "Slice")
_ANSWER_S: Final = 10
# Where the system's systemd puts itself.
_INIT: Final = "/init.scope"
# Names of the files that the kernel itself puts into a group's directory.
_RESERVED: Final = ("notify_on_release", "release_agent", "tasks")

# What systemd says of a unit, by property; None when there is none to ask.
Ask: TypeAlias = Callable[[str], Mapping[str, str] | None]


def ask_systemd(unit: str) -> Mapping[str, str] | None:
    """Ask the system's systemd about a unit; None when it does not answer, or is not there."""
    if not Path("/run/systemd/system").is_dir():  # sd_booted(3)
        return None
    command = ["systemctl", "show", f"--property={','.join(_PROPERTIES)}", "--", unit]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_ANSWER_S
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    return found if done.returncode == 0 and "Id" in found else None


def full_name(unit: str) -> str:
    """Complete a unit's name as systemctl does: a service, unless it says otherwise."""
    return unit if unit.rpartition(".")[2] in _TYPES and "." in unit else f"{unit}.service"


def slice_path(name: str) -> str:
    """The path of a slice: each dash in its name is a level."""
    if name in ("-.slice", ""):
        return ""
    parts = name.removesuffix(".slice").split("-")
    return "".join(
        f"/{escaped('-'.join(parts[:count]) + '.slice', ())}" for count in range(1, len(parts) + 1)
    )


def escaped(name: str, controllers: Sequence[str]) -> str:
    """The directory of a unit: its name, with an underscore before what would be misunderstood."""
    first = name.partition(".")[0]
    ambiguous = name[:1] in "_." or name in _RESERVED or first in ("cgroup", *controllers)
    return f"_{name}" if ambiguous else name


def by_unit(unit: str, trees: Sequence[Hierarchy], ask: Ask = ask_systemd) -> Cgroup:
    """Find a unit's control group: where it is, or where systemd will make it.

    Errors: NoTarget.
    """
    if "/" in unit or not unit:
        raise NoTarget("that is no unit's name: use --cgroup for the path of a control group")
    mounted(trees)
    name = full_name(unit)
    if name.rpartition(".")[0].endswith("@"):
        raise NoTarget("that is a template: name an instance of it, as in foo@bar.service")
    told = ask(name)
    if told is not None and told.get("LoadState") != "not-found":
        return _told(told, trees)
    controllers = sorted(set().union(*(tree.names for tree in trees)))
    found = matching(escaped(name, controllers).__eq__, trees)
    if len(found) > 1:
        paths = ", ".join(group.path for group in found)
        raise NoTarget(f"several units have that name: choose one with --cgroup: {paths}")
    if found:
        return found[0]
    if told is not None:
        raise NoTarget("systemd knows no such unit: list them with systemctl list-units --all")
    raise NotThere(
        "it is not running, and there is no systemd here to say where it would: "
        "start it first, or use --cgroup"
    )


def _told(told: Mapping[str, str], trees: Sequence[Hierarchy]) -> Cgroup:
    """The group that systemd tells of, or will make."""
    path = told.get("ControlGroup", "")
    if not path:
        name = told["Id"]
        if name.endswith(".slice"):
            path = slice_path(name)
        else:
            controllers = sorted(set().union(*(tree.names for tree in trees)))
            path = f"{slice_path(told.get('Slice', ''))}/{escaped(name, controllers)}"
    there = [tree.group(path) for tree in trees if tree.folder(path).is_dir()]
    if there:
        return inhabited(there)
    # It will be made in the hierarchy that systemd itself lives in: of two, in its own for certain.
    homes = [tree for tree in trees if tree.folder(_INIT).is_dir()] or trees
    own = (tree for tree in homes if "name=systemd" in tree.names)
    return next(own, homes[0]).group(path)
