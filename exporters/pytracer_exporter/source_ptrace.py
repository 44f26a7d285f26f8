"""Counts by ptrace, from the process that traces."""

from __future__ import annotations

import json
import pickle
import socket
import threading
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from pytracer.backend.base import BackendUnavailable
from pytracer_exporter.reading import Reading, Unwatchable, Watched
from pytracer_exporter.tracing import receive, send


class PtraceSource:
    """Asks the process that traces. ``asking``: the socket to it, its own from now on."""

    backend = "ptrace"

    def __init__(self, asking: socket.socket, targets: Sequence[Watched]) -> None:
        self._socket = asking
        self._lock = threading.Lock()
        self.watch(targets)

    def read(self) -> Reading:
        """What was counted until now.

        Errors: BackendUnavailable when the process that traces is gone.
        """
        reading = self._ask({"ask": "read"})
        assert isinstance(reading, Reading)
        return reading

    def watch(self, targets: Sequence[Watched]) -> None:
        """Watch these from now on instead; one of an unchanged name goes on being counted.

        Errors: Unwatchable, and all is as before, when one cannot be watched.
        """
        answer = self._ask({"ask": "watch", "targets": [asdict(each) for each in targets]})
        if isinstance(answer, Unwatchable):
            raise answer

    def _ask(self, question: dict[str, Any]) -> object:
        with self._lock:
            try:
                send(self._socket, json.dumps(question).encode())
                answer = receive(self._socket)
            except OSError:
                answer = None
            if answer is None:
                raise BackendUnavailable(
                    "ptrace", "the process that traces is gone", "start the exporter again"
                )
            told: object = pickle.loads(answer)
            return told

    def close(self) -> None:
        """Let go of everything. Idempotent."""
        self._socket.close()
