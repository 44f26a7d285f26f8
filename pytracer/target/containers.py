"""From the id of a container to its control group, whichever runtime made it.

Runtimes name the group after the container: ``docker-ID.scope``, ``cri-containerd-ID.scope``,
``crio-ID.scope``, ``libpod-ID.scope`` under systemd; just ``ID`` under ``/docker``, ``/kubepods``
and the like; ``machine-NAME.scope`` for systemd-nspawn, ``lxc.payload.NAME`` for LXC.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from pytracer.target.cgroups import Hierarchy, NoTarget, NotThere, matching, mounted
from pytracer.target.selection import Cgroup

# A runtime's name and an id, or an id alone. The id is that of a container, 64 digits: a shorter
# number may be anything.
_BY_ID: Final = re.compile(r"(?:(?P<runtime>[a-z][a-z-]*)-)?(?P<id>[0-9a-f]{64})(?:\.scope)?")
_BY_NAME: Final = re.compile(
    r"(?:machine-(?P<machine>.+)\.scope|lxc\.payload\.(?P<lxc>.+)|systemd-nspawn@(?P<nspawn>.+)"
    r"\.service)"
)
# Groups of the process that watches over a container, not of the container.
_WATCHERS: Final = ("conmon", "libpod-conmon", "crio-conmon")


def container_of(name: str) -> str | None:
    """The id, or name, of the container whose group is called so; None when it is none's."""
    found = _BY_ID.fullmatch(name)
    if found is not None:
        return None if found["runtime"] in _WATCHERS else found["id"]
    found = _BY_NAME.fullmatch(name)
    if found is None:
        return None
    text = found["machine"] or found["lxc"] or found["nspawn"]
    # systemd writes what is no letter or digit as \xNN.
    return re.sub(r"\\x([0-9a-f]{2})", lambda code: chr(int(code[1], 16)), text)


def by_container(wanted: str, trees: Sequence[Hierarchy]) -> Cgroup:
    """Find a container's group by its id, the beginning of its id, or its name.

    Errors: NoTarget.
    """
    if not wanted:
        raise NoTarget("an id is needed: docker ps, crictl ps or podman ps list them")
    mounted(trees)

    def fits(name: str) -> bool:
        container = container_of(name)
        if container is None:
            return False
        by_prefix = _BY_ID.fullmatch(name) is not None
        return container == wanted or (by_prefix and container.startswith(wanted))

    found = matching(fits, trees)
    ids = {container_of(group.path.rpartition("/")[2]): group for group in found}
    if wanted in ids:
        return ids[wanted]
    if len(ids) > 1:
        names = ", ".join(sorted(each[:12] for each in ids if each is not None))
        raise NoTarget(f"several containers' ids begin so: {names}; give more of the id")
    if not ids:
        raise NotThere(
            "no control group is that of such a container: is it running, and is this its id "
            "rather than its name? (docker ps, crictl ps, podman ps)"
        )
    return next(iter(ids.values()))
