"""What the kernel calls the threads that the user knows by the numbers of a pid namespace."""

from __future__ import annotations

import os
import struct
from typing import Final

from pytracer.backend.base import BackendUnavailable
from pytracer.backend.ebpf import bpf
from pytracer.backend.ebpf.loader import Loaded, unavailable
from pytracer.target.selection import Selection

_INITIAL: Final = 0xEFFFFFFC  # PROC_PID_INIT_INO, include/linux/proc_ns.h
_NUMBER: Final = struct.Struct("<II")
_CONFIG: Final = struct.Struct("<IIQQQQ")
_ALL: Final = (1 << 64) - 1
_ZERO: Final = bytes(4)


class Namespace:
    """The user's pid namespace. ``nested``: it is not the initial one."""

    def __init__(self) -> None:
        self._inode = os.stat("/proc/self/ns/pid").st_ino
        self.nested = self._inode != _INITIAL
        self._loaded: Loaded | None = None

    def enter(self, loaded: Loaded, selection: Selection) -> None:
        """Tell the programs of it, and what they need to know of the selection.

        Errors: BackendUnavailable when the kernel does not say how deep the namespace lies.
        """
        self._loaded = loaded
        config = loaded.maps["config"]
        wanted = selection.signals
        signals = _ALL if wanted is None else sum(1 << (signo - 1) for signo in wanted)
        leave = selection.leave_at_execve
        rest = (self._inode, selection.slower_than_ns, signals & _ALL, leave)
        config.update(_ZERO, _CONFIG.pack(selection.follow, 0, *rest))
        if self.nested:
            me = self._look_up(os.getpid())
            if me is None:
                raise BackendUnavailable(
                    "ebpf",
                    "the kernel does not tell what it calls this process",
                    "run in the initial pid namespace, or use --backend=ptrace",
                )
            config.update(_ZERO, _CONFIG.pack(selection.follow, me[1], *rest))

    def key(self, tid: int) -> bytes | None:
        """The key of a thread in the map of threads; None when there is no such thread."""
        if not self.nested:
            return struct.pack("<I", tid)
        found = self._look_up(tid)
        return None if found is None else struct.pack("<I", found[0])

    def _look_up(self, tid: int) -> tuple[int, int] | None:
        assert self._loaded is not None
        numbers = self._loaded.maps["numbers"]
        key = struct.pack("<I", tid)
        try:
            value = numbers.lookup(key)
            if value is None:
                bpf.run_iterator(self._loaded.programs["iter__task"])
                value = numbers.lookup(key)
        except bpf.BpfError as error:
            raise unavailable(error) from error
        if value is None:
            return None
        number, level = _NUMBER.unpack(value)
        return number, level
