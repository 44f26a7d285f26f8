"""Programs are checked by the kernel in threads: meanwhile others work."""

from __future__ import annotations

import errno
import os
import signal
import struct
from collections.abc import Sequence
from threading import Thread

from pytracer.backend.ebpf import bpf
from pytracer.backend.ebpf.compiler import Program

TRACEPOINT = "raw_tracepoint__"


class Check:
    """One program, as the kernel is to check it. ``program``: its name."""

    def __init__(self, program: Program, maps: dict[str, bpf.Map], iterates: int | None) -> None:
        self.program = program.name
        code = bytearray(program.instructions)
        for at, name in program.relocations:
            struct.pack_into("<i", code, at * 8 + 4, maps[name].fd)
        self.code = bytes(code)
        self._iterates = iterates
        self._found: int | bpf.BpfError | None = None

    def make(self) -> None:
        """Have it checked, and keep the kernel's answer."""
        try:
            self._found = self._load(0)
        except bpf.BpfError as error:
            self._found = error

    def answer(self) -> int:
        """Give the program's descriptor.

        Errors: BpfError, with the verifier's words.
        """
        found, self._found = self._found, None
        match found:
            case int():
                return found
            case bpf.BpfError(errno=errno.EPERM | errno.ENOSYS):
                raise found
        # Once more, to hear why.
        return self._load(1 << 22)

    def forget(self) -> None:
        """Let go of the program, if there is one."""
        if isinstance(self._found, int):
            os.close(self._found)
        self._found = None

    def _load(self, log_bytes: int) -> int:
        name = self.program.removeprefix(TRACEPOINT)
        return bpf.load_program(name, self.code, log_bytes, self._iterates)


class Checks:
    """Programs that the kernel checks while the caller does something else.

    It takes longer over the longest than over all others: that one has a thread of its own.
    """

    def __init__(self, checks: Sequence[Check]) -> None:
        self._checks = checks
        self._threads = []
        longest_first = sorted(checks, key=lambda check: -len(check.code))
        for part in (longest_first[:1], longest_first[1:]):
            thread = Thread(target=_make, args=(part,), name="checks", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # there can be no thread
                _make(part)
            else:
                self._threads.append(thread)

    def wait(self) -> Sequence[Check]:
        """Wait for all answers."""
        while self._threads:
            self._threads.pop().join()
        return self._checks


def _make(checks: Sequence[Check]) -> None:
    # Signals are for the main thread; here they would only interrupt the kernel.
    before = signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())
    try:
        for check in checks:
            check.make()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
