"""How much memory pytracer takes while a program makes calls as fast as it can."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.measure import LIMIT_S, table
from benchmarks.peers import PYTRACER

_EVERY_S = 0.02
_LOOP = ["dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count="]
_RUNS = {
    "ptrace": ["--backend=ptrace"],
    "ebpf": ["--backend=ebpf"],
    "ebpf, -yy": ["--backend=ebpf", "-yy"],
    "ebpf, --json": ["--backend=ebpf", "--json"],
    "ebpf, -c": ["--backend=ebpf", "-c"],
    "ebpf, --record": ["--backend=ebpf", "--record", "recording"],
}


def _ours(pid: int) -> list[int]:
    """A process and those of its descendants that run pytracer."""
    found = [pid]
    for each in found:
        try:
            children = Path(f"/proc/{each}/task/{each}/children").read_text().split()
        except OSError:
            continue
        found += map(int, children)
    return [each for each in found if _value(f"/proc/{each}/status", "Name") != "dd"]


def _value(path: str, name: str) -> str:
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return ""
    return next((line.split()[1] for line in lines if line.startswith(f"{name}:")), "")


def peak(options: list[str], count: int) -> tuple[float, float]:
    """MiB that the greatest process took, and all together: pages they share counted once."""
    greatest = together = 0
    with tempfile.TemporaryDirectory() as folder:
        words = [PYTRACER, *options, "-o", os.devnull, *_LOOP[:-1], f"{_LOOP[-1]}{count}"]
        tracer = subprocess.Popen(words, cwd=folder, stderr=subprocess.DEVNULL)
        begin = time.monotonic()
        while tracer.poll() is None:
            if time.monotonic() - begin > LIMIT_S:
                tracer.kill()
            pids = _ours(tracer.pid)
            for pid in pids:
                greatest = max(greatest, int(_value(f"/proc/{pid}/status", "VmHWM") or 0))
            shares = (int(_value(f"/proc/{pid}/smaps_rollup", "Pss") or 0) for pid in pids)
            together = max(together, sum(shares))
            time.sleep(_EVERY_S)
    return greatest / 1024, together / 1024


def report(count: int) -> str:
    """Measure, and write the table."""
    rows = []
    for name, options in _RUNS.items():
        peak(options, 1)  # what is compiled is compiled
        greatest, together = peak(options, count // 10 if name == "ptrace" else count)
        rows.append((name, f"{greatest:.0f}", f"{together:.0f}"))
    return "## Peak resident memory, MiB\n\n" + table(
        ("backend and options", "of the greatest process", "of all processes, shared pages once"),
        rows,
    )
