"""Running workloads under tracers, in turns, and what that gives."""

from __future__ import annotations

import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.peers import Peer, seen

LIMIT_S = 300
# A tool whose runs take longer has so great an effect that a few of them tell it.
_LONG_S = 2.5
LONG_RUNS = 3
_SOURCES = Path(__file__).parent


def build(source: str, folder: Path) -> str:
    """Compile one of the C programs beside this file."""
    program = folder / Path(source).stem
    subprocess.run(
        ["gcc", "-O2", "-pthread", "-o", str(program), str(_SOURCES / source)],
        check=True,
        timeout=LIMIT_S,
    )
    return str(program)


@dataclass(slots=True)
class Figures:
    """What the runs of one tool gave: nanoseconds a call, seconds a run, calls made and seen."""

    ns_per_call: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    made: int = 0
    seen: int | None = None

    @property
    def call(self) -> float:
        """Median nanoseconds a call."""
        return statistics.median(self.ns_per_call)

    @property
    def run(self) -> float:
        """Median seconds a run."""
        return statistics.median(self.seconds)

    @property
    def lost(self) -> str:
        """Share of the calls that the trace lacks."""
        if self.seen is None:
            return ""
        missing = self.made - self.seen
        return (
            "0" if not missing else f"{missing} of {self.made} ({100 * missing / self.made:.1f} %)"
        )


def _trace(peer: Peer, command: list[str], loop: str) -> tuple[float, str, int]:
    """Run a loop once: seconds taken, what it printed, how many of its calls the trace has."""
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace"
        begin = time.monotonic()
        done = subprocess.run(
            peer.wrap(command, str(trace)), capture_output=True, timeout=LIMIT_S, text=True
        )
        taken = time.monotonic() - begin
        if not peer.events:
            return taken, done.stdout, 0
        if not trace.exists():
            raise RuntimeError(f"{peer.name} wrote no trace: {done.stderr[-500:]}")
        if peer.export is not None:
            lines = Path(folder) / "lines"
            subprocess.run(peer.export(str(trace), str(lines)), check=True, timeout=LIMIT_S)
            trace = lines
        return taken, done.stdout, seen(peer, loop, trace) or 0


def run_loop(
    program: str, loop: str, count: int, peers: Sequence[Peer], rounds: int
) -> dict[str, Figures]:
    """Run a self-timing loop under each tool, the tools taking turns; the slow ones less often."""
    figures = {peer.name: Figures() for peer in peers}
    # Calls of the same names that the program makes besides the loop's.
    others = {peer.name: _trace(peer, [program, loop, "0"], loop)[2] for peer in peers}
    for _ in range(rounds):
        for peer in peers:
            one = figures[peer.name]
            if len(one.seconds) >= LONG_RUNS and one.run > _LONG_S:
                continue
            taken, printed, found = _trace(peer, [program, loop, str(count)], loop)
            one.seconds.append(taken)
            # bpftrace -c mixes lines of its own into the program's output.
            for line in printed.splitlines():
                words = line.split()
                if len(words) == 2 and words[0].isdigit():
                    one.made += int(words[0])
                    one.ns_per_call.append(float(words[1]))
            if peer.events:
                one.seen = (one.seen or 0) + found - others[peer.name]
    return figures


def run_command(command: list[str], peers: Sequence[Peer], rounds: int) -> dict[str, Figures]:
    """Time a whole command under each tool, the tools taking turns."""
    figures = {peer.name: Figures() for peer in peers}
    for _ in range(rounds):
        for peer in peers:
            with tempfile.TemporaryDirectory() as folder:
                argv = peer.wrap(command, str(Path(folder) / "trace"))
                begin = time.monotonic()
                subprocess.run(
                    argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=LIMIT_S
                )
                figures[peer.name].seconds.append(time.monotonic() - begin)
    return figures


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)
