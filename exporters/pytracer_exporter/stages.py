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
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any, Final, NoReturn

from pytracer.backend.base import BackendUnavailable
from pytracer.backend.ebpf import bpf
from pytracer.backend.ebpf.loader import Handed, Loaded
from pytracer.backend.ebpf.ring import possible_cpus
from pytracer_exporter import privileges
from pytracer_exporter.counting import Counting
from pytracer_exporter.privileges import CannotDrop
from pytracer_exporter.reading import Source, Watched

_SEALS: Final = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


@dataclass(frozen=True, slots=True)
class Begun:
    """What the first stage has prepared, as it is handed over.

    ``settings``: whatever the second stage is to know besides. ``kernel``: programs and maps;
    None where another process traces, to which ``tracer`` is a socket. ``stats``: what has the
    kernel keep how long programs run.
    """

    settings: Any
    counting: Counting
    listening: tuple[int, ...]
    kernel: Handed | None = None
    stats: int | None = None
    tracer: int | None = None

    def descriptors(self) -> list[int]:
        """What is handed over besides the kernel's."""
        return [*self.listening, *(fd for fd in (self.stats, self.tracer) if fd is not None)]

    def sockets(self) -> list[socket.socket]:
        """What to listen on."""
        return [socket.socket(fileno=fd) for fd in self.listening]

    def open(self, targets: Sequence[Watched]) -> Source:
        """Begin to count.

        Errors: Unwatchable, BackendUnavailable.
        """
        if self.kernel is not None:
            from pytracer_exporter.source_ebpf import EbpfSource

            return EbpfSource(Loaded.take(self.kernel), self.counting, targets)
        from pytracer_exporter.source_ptrace import PtraceSource

        return PtraceSource(socket.socket(fileno=self.tracer), targets)


def begin(
    module: str,
    settings: object,
    counting: Counting,
    sockets: Sequence[socket.socket],
    *,
    user: str | None = None,
    backend: str = "auto",
    warn: Callable[[str], None],
) -> NoReturn:
    """Begin to count, give up all privileges, and execute a module as the second stage.

    It calls :func:`take` with its only argument. ``user``: whom to become; see
    privileges.account. ``backend``: ebpf, ptrace, or auto: ptrace where ebpf does not work, of
    which ``warn`` hears.
    Errors: BackendUnavailable; CannotDrop, and then nothing may be served.
    """
    become = privileges.account(user)
    if user is None and become is not None and (why := _cannot_serve(module, become)):
        # Without a capability, root is no more than the owner of its files.
        warn(f"going on as root, without capabilities: {why}")
        become = None
    listening = tuple(each.fileno() for each in sockets)
    begun = Begun(settings, counting, listening)
    keep: tuple[int, ...] = ()
    loaded = None if backend == "ptrace" else _load(counting, backend, warn)
    if loaded is None:
        begun = replace(begun, tracer=_fork_tracer(counting, become))
    else:
        stats = _keep_stats() if counting.program_costs else None
        if counting.program_costs and stats is None:
            warn("the kernel does not keep how long its programs run: that takes CAP_SYS_ADMIN")
        begun = replace(begun, kernel=loaded.hand_over(), stats=stats)
        if not _maps_are_open(loaded):
            keep = (privileges.CAP_BPF,)
            warn("CAP_BPF is kept: before 5.19 the kernel lets nobody else read maps")
    for fd in begun.descriptors():
        os.set_inheritable(fd, True)
    told = _sealed(pickle.dumps(begun))
    sys.stdout.flush()
    sys.stderr.flush()
    privileges.give_up(become, keep)
    _require_readable(module, become)
    try:
        os.execv(sys.executable, [sys.executable, "-P", "-m", module, str(told)])
    except OSError as error:
        raise CannotDrop(_unreadable(sys.executable, become)) from error


def _load(counting: Counting, backend: str, warn: Callable[[str], None]) -> Loaded | None:
    from pytracer_exporter.source_programs import load_programs

    try:
        return load_programs(counting)
    except BackendUnavailable as error:
        if backend != "auto":
            raise
        warn(
            f"counting with ptrace, which slows the targets down a lot: eBPF does not work here: "
            f"{error.reason}; {error.remedy}"
        )
        return None


def _keep_stats() -> int | None:
    """Have the kernel keep how long programs run; None where it does not allow that."""
    try:
        return bpf.enable_stats()
    except bpf.BpfError:
        return None


def _fork_tracer(counting: Counting, become: privileges.Account | None) -> int:
    """Begin a process that may trace others, and nothing else; the socket to it.

    It is nobody's child: who serves need not see to its end, which is when that one ends.
    """
    asking, asked = socket.socketpair()
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
        asked.close()
        return asking.detach()
    status = 1
    try:
        if not os.fork():
            asking.close()
            _trace(asked, counting, become)
        status = 0
    finally:
        os._exit(status)


def _trace(asked: socket.socket, counting: Counting, become: privileges.Account | None) -> None:
    from pytracer_exporter.tracing import Tracer

    os.closerange(3, asked.fileno())
    os.closerange(asked.fileno() + 1, os.sysconf("SC_OPEN_MAX"))
    able = privileges.has(privileges.CAP_SYS_PTRACE)
    privileges.give_up(become, (privileges.CAP_SYS_PTRACE,) if able else ())
    Tracer(asked, counting).run()


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


def _cannot_serve(module: str, become: privileges.Account) -> str:
    """Why a user could not execute the second stage; empty if it could."""
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            privileges.give_up(become)
            _require_readable(module, become)
        except CannotDrop as error:
            os.write(writing, str(error).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading) as told:  # noqa: PTH123 - a descriptor
        why = told.read()
    os.waitpid(pid, 0)
    return why


def _require_readable(module: str, become: privileges.Account | None) -> None:
    for path in (sys.executable, *map(_origin, ("json", "pytracer", module))):
        if not os.access(path, os.R_OK):
            raise CannotDrop(_unreadable(path, become))


def _origin(name: str) -> str:
    """The file of a module, as far as this user can find it."""
    try:
        spec = find_spec(name)
    except ImportError:
        spec = None
    return spec.origin if spec is not None and spec.origin else name


def _unreadable(path: str, become: privileges.Account | None) -> str:
    name = become.name if become is not None else f"user {os.geteuid()}"
    return (
        f"{name} may not read {path}, which serves without privileges: install pytracer where "
        "all users can read it, or name another user with --user"
    )
