"""Processes that cannot be attached, and why."""

from __future__ import annotations

import errno
from pathlib import Path

from pytracer.backend.base import TargetError
from pytracer.cli.messages import Messages
from pytracer.cli.session import explain


class Refusals:
    """Says each refusal once, with what stands in the way where that can be told."""

    def __init__(self, messages: Messages, proc: Path = Path("/proc")) -> None:
        self._messages = messages
        self._proc = proc
        self._told: set[int] = set()

    def tell(self, error: TargetError) -> None:
        """Say that a process cannot be attached."""
        if error.pid in self._told:
            return
        self._told.add(error.pid)
        self._messages.note(explain(error))
        if error.errno == errno.EPERM:
            self._messages.note(self._hint(error.pid))

    def _hint(self, pid: int) -> str:
        tracer = self._field(self._proc / str(pid) / "status", "TracerPid:")
        if tracer not in ("", "0"):
            return f"Process {pid} is already being traced by pid {tracer}"
        scope = self._read(self._proc / "sys/kernel/yama/ptrace_scope").strip()
        if scope not in ("", "0"):
            return (
                f"attaching to process {pid} may be restricted by "
                f"/proc/sys/kernel/yama/ptrace_scope ({scope})"
            )
        return f"process {pid} may be owned by a different user"

    def _field(self, path: Path, name: str) -> str:
        for line in self._read(path).splitlines():
            if line.startswith(name):
                return line.removeprefix(name).strip()
        return ""

    @staticmethod
    def _read(path: Path) -> str:
        try:
            return path.read_text()
        except OSError:
            return ""
