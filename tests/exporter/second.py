"""A second stage that answers questions of a test on its standard input, and a first one before it.

What it is told is a list of targets; it says ``ready`` once it watches them.
"""

from __future__ import annotations

import ctypes
import json
import sys
from dataclasses import asdict
from typing import Any

from pytracer_exporter import stages
from pytracer_exporter.counting import Counting
from pytracer_exporter.privileges import CannotDrop
from pytracer_exporter.reading import Reading, Watched

from pytracer.backend.base import BackendUnavailable


def first(told: dict[str, Any]) -> None:
    """Begin, as the exporter's command does."""
    try:
        stages.begin(
            __spec__.name,
            _targets(told["targets"]),
            Counting(**told["counting"]),
            (),
            user=told["user"],
            backend=told["backend"],
            warn=lambda text: print(text, file=sys.stderr),
        )
    except (CannotDrop, BackendUnavailable) as error:
        sys.exit(str(error))


def _targets(told: list[dict[str, Any]]) -> list[Watched]:
    return [
        Watched(each["name"], tuple(each.get("pids", ())), comms=tuple(each.get("comms", ())))
        for each in told
    ]


def second(told: str) -> None:
    """Answer until there are no more questions."""
    begun = stages.take(told)
    source = begun.open(begun.settings)
    print("ready", flush=True)
    for line in sys.stdin:
        question = json.loads(line)
        answer: object = None
        match question["ask"]:
            case "read":
                answer = _plain(source.read())
            case "watch":
                source.watch(_targets(question["of"]))
            case "libbcc":
                with open("/proc/self/maps") as maps:  # noqa: PTH123
                    answer = "libbcc" in maps.read()
            case "bpf":
                answer = ctypes.CDLL(None).syscall(321, 0, None, 0)
        print(json.dumps(answer), flush=True)
    source.close()


def _plain(reading: Reading) -> dict[str, Any]:
    return {
        "calls": {f"{c.target} {c.syscall}": c.calls for c in reading.calls},
        "stuck": [f"{s.target} {s.syscall}" for s in reading.stuck],
        "targets": {t.name: t.up for t in reading.targets},
        "signals": {" ".join(key): count for key, count in reading.signals.items()},
        "programs": [asdict(each) for each in reading.programs],
        "lost": dict(reading.lost),
    }


if __name__ == "__main__":
    if sys.argv[1].isdecimal():
        second(sys.argv[1])
    else:
        first(json.loads(sys.argv[1]))
