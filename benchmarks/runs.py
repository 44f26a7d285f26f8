"""Whole runs under ptrace: pytracer's against strace's."""

from __future__ import annotations

from benchmarks.measure import run_command, table
from benchmarks.peers import BARE, PTRACE, STRACE


def report(program: str, rounds: int) -> str:
    """Whole-run times of the ptrace backend against strace's."""
    rows = []
    commands = {"20,000 getppid": [program, "getppid", "20000"], "ls -R /usr": ["ls", "-R", "/usr"]}
    for name, command in commands.items():
        figures = run_command(command, (BARE, STRACE, PTRACE), rounds)
        strace, ours = figures[STRACE.name], figures[PTRACE.name]
        ratios = sorted(b / a for a, b in zip(strace.seconds, ours.seconds, strict=True))
        rows.append(
            (
                name,
                f"{figures[BARE.name].run:.2f}",
                f"{strace.run:.2f}",
                f"{ours.run:.2f}",
                f"{ratios[len(ratios) // 2]:.2f}",
                f"{ratios[0]:.2f} to {ratios[-1]:.2f}",
            )
        )
    head = ("command", "bare s", "strace s", "pytracer s", "ratio of pairs, median", "range")
    return f"## ptrace: whole runs, {rounds} rounds\n\n" + table(head, rows)
