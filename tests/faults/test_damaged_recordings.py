"""Recordings in which anything may be wrong, with checksums that fit: nothing crashes or hangs."""

from __future__ import annotations

import random
from contextlib import suppress
from pathlib import Path

import pytest

from pytracer.backend.base import TargetError
from pytracer.backend.replay import ReplayBackend
from pytracer.decode.decoder import Decoder
from pytracer.decode.witness import RecordedSockets
from pytracer.event.recording import HEADER, MAGIC, Frames, frame
from pytracer.output.text.lines import TextOutput
from tests.cli.tracing import PYTRACER, run

pytestmark = [
    pytest.mark.needs_root,
    pytest.mark.needs_ebpf,
    pytest.mark.slow,
    pytest.mark.timeout(180),
]

ROUNDS = 11


class Nowhere:
    """Takes text."""

    def write(self, text: str, /) -> None: ...

    def flush(self) -> None: ...

    def close(self) -> None: ...


def damaged(path: Path, chance: random.Random) -> bytes:
    """The recording with some bytes changed, and checksums that say that they are right."""
    with path.open("rb") as file:
        frames = Frames(file)
        parts = [(HEADER, frames.header.encode()), *frames]
    data = MAGIC
    for kind, payload in parts:
        changed = bytearray(payload)
        if kind != HEADER and changed and chance.random() < 0.3:
            for _ in range(chance.choice((1, 1, 2, 5, 20))):
                at = chance.randrange(min(len(changed), chance.choice((64, 400, len(changed)))))
                changed[at] = chance.choice((0, 1, 255, chance.randrange(256)))
            if chance.random() < 0.1:
                del changed[chance.randrange(len(changed)) :]
        data += frame(kind, [bytes(changed)]) + changed
    return data


@pytest.mark.parametrize("backend", ["ebpf", "ptrace"])
def test_recordings_are_not_trusted(backend: str, tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    run(PYTRACER, f"--backend={backend}", "-f", "--record", str(whole), "sh", "-c", "ls / >&2; ls")
    chance = random.Random(7)
    for _ in range(ROUNDS):
        broken.write_bytes(damaged(whole, chance))
        replay = ReplayBackend(str(broken))
        decoder = Decoder(None, None, RecordedSockets(replay.known))
        text = TextOutput(Nowhere())
        with suppress(TargetError):
            for event in replay.events():
                if event is not None:
                    text.handle(event, decoder.handle(event))
        text.close()
        replay.close()
