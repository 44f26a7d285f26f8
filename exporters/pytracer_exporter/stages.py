"""Two stages: the first has privileges and loads the programs, the second serves and has none.

The first executes Python anew for the second: what it has read and loaded to do its work is gone,
and what the second may touch is what it was given: descriptors, and a sealed file that says
which is which. It stays the same process, as a service manager expects.
"""

from __future__ import annotations

import fcntl
import os
import pickle
import socket
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Final, NoReturn

from pytracer.backend.ebpf.loader import Handed, Loaded
from pytracer.backend.ebpf.ring import possible_cpus
from pytracer_exporter import privileges
from pytracer_exporter.counting import Counting
from pytracer_exporter.privileges import CannotDrop
from pytracer_exporter.reading import Source, Watched
from pytracer_exporter.source_ebpf import EbpfSource

_SEALS: Final = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


@dataclass(frozen=True, slots=True)
class Begun:
    """What the first stage has prepared, as it is handed over.

    ``settings``: whatever the second stage is to know besides.
    """

    settings: Any
    counting: Counting
    kernel: Handed
    listening: tuple[int, ...]
    stats: int | None

    def descriptors(self) -> list[int]:
        """What is handed over besides the kernel's."""
        return [*self.listening, *(() if self.stats is None else (self.stats,))]

    def sockets(self) -> list[socket.socket]:
        """What to listen on."""
        return [socket.socket(fileno=fd) for fd in self.listening]

    def open(self, targets: Sequence[Watched]) -> Source:
        """Begin to count.

        Errors: Unwatchable, BackendUnavailable.
        """
        return EbpfSource(Loaded.take(self.kernel), self.counting, targets)


def begin(
    module: str,
    settings: object,
    counting: Counting,
    sockets: Sequence[socket.socket],
    user: str | None,
) -> NoReturn:
    """Load the programs, give up all privileges, and execute a module as the second stage.

    It calls :func:`take` with its only argument. ``sockets``: bound, and not listening yet.
    ``user``: whom to become; see privileges.account.
    Errors: BackendUnavailable; CannotDrop, and then nothing may be served.
    """
    from pytracer_exporter.source_programs import keep_stats, load_programs

    become = privileges.account(user)
    loaded = load_programs(counting)
    stats = keep_stats() if counting.program_costs else None
    listening = tuple(each.fileno() for each in sockets)
    begun = Begun(settings, counting, loaded.hand_over(), listening, stats)
    for fd in begun.descriptors():
        os.set_inheritable(fd, True)
    told = _sealed(pickle.dumps(begun))
    keep = () if _maps_are_open(loaded) else (privileges.CAP_BPF,)
    sys.stdout.flush()
    sys.stderr.flush()
    privileges.give_up(become, keep)
    _require_readable(("json", "pytracer", module), become)
    try:
        os.execv(sys.executable, [sys.executable, "-P", "-m", module, str(told)])
    except OSError as error:
        raise CannotDrop(_unreadable(sys.executable, become)) from error


def take(told: str) -> Begun:
    """Read what the first stage has prepared, by the descriptor that it gave."""
    with open(int(told), "rb") as file:  # noqa: PTH123 - a descriptor
        # Sealed by whoever started us, who could have executed anything in our place.
        begun: Begun = pickle.load(file)
    for fd in begun.descriptors():
        os.set_inheritable(fd, False)
    return begun


def _sealed(data: bytes) -> int:
    fd = os.memfd_create("pytracer-exporter", os.MFD_ALLOW_SEALING)
    os.write(fd, data)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, _SEALS)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def _maps_are_open(loaded: Loaded) -> bool:
    """Whether maps can be read and written by their descriptors without a capability.

    They can since 5.19, and before where kernel.unprivileged_bpf_disabled is 0.
    """
    pid = os.fork()
    if not pid:
        status = 1
        try:
            privileges.give_up(None)
            loaded.maps["totals"].lookup(bytes(4), possible_cpus())
            status = 0
        finally:
            os._exit(status)
    _, ended = os.waitpid(pid, 0)
    return not ended


def _require_readable(modules: Iterable[str], become: privileges.Account | None) -> None:
    for name in modules:
        spec = find_spec(name)
        if spec is None or spec.origin is None or not os.access(spec.origin, os.R_OK):
            raise CannotDrop(_unreadable(spec.origin if spec and spec.origin else name, become))


def _unreadable(path: str, become: privileges.Account | None) -> str:
    name = become.name if become is not None else f"user {os.geteuid()}"
    return (
        f"{name} may not read {path}, which serves without privileges: install pytracer where "
        "all users can read it, or name another user with --user"
    )
