"""The names of processes (-Y), as /proc tells while they exist."""

from __future__ import annotations

from pathlib import Path


class LiveProcesses:
    """Looks names up at the moment of decoding. ``proc`` is where procfs is mounted."""

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self.proc = proc

    def comm(self, pid: int) -> str | None:
        """The name of a task; None when there is none of this id, or no longer."""
        if pid <= 0:
            return None
        try:
            raw = (self.proc / str(pid) / "comm").read_bytes()
        except OSError:
            return None
        return raw.removesuffix(b"\n").decode("utf-8", "surrogateescape")
