"""Whether what is seen and what is told to be lost are what was made, to the unit.

    python -m benchmarks.accounting [RUNS] [SEED]

Each run is a program that makes prime numbers of calls, in processes that fork, execute and have 1
to 64 threads, under the ebpf backend with rings so small that they overflow.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from os import fsencode

from pytracer.backend.ebpf.backend import EbpfBackend, Sizes
from pytracer.decode.plans import TablePlans
from pytracer.event.schema import Abi, Lost, SyscallEnter, SyscallExit, TaskExit, TaskNew
from pytracer.target.selection import Launch, Selection
from tests.programs.build import build

CLONE, EXECVE = 56, 59
# Made by each thread: getppid, getsid, pwritev, preadv, truncate, fchdir.
BY_THREAD = {110: 499, 124: 211, 296: 101, 295: 53, 76: 31, 81: 17}
WANTED = frozenset({*BY_THREAD, CLONE, EXECVE})


@dataclass(frozen=True, slots=True)
class Scene:
    """What one run is made of. Units: ``ring`` and ``spool`` in bytes."""

    threads: int
    processes: int
    execs: int
    ring: int
    spool: int

    def made(self) -> Counter[int]:
        """How many of each call the program makes."""
        runs = self.threads * self.processes * (self.execs + 1)
        made = Counter({nr: count * runs for nr, count in BY_THREAD.items()})
        made[CLONE] = self.processes
        made[EXECVE] = 1 + self.processes * self.execs
        return made


@dataclass(slots=True)
class Account:
    """What came of a run.

    ``seen``: calls, by number. ``lost``: calls that the kernel counted as lost. ``born`` and
    ``ended``: tasks.
    """

    seen: Counter[int]
    lost: int
    born: int
    ended: int

    def wrong(self, scene: Scene) -> str:
        """Say what does not fit; empty when everything does."""
        made = scene.made()
        if sum(self.seen.values()) + self.lost != made.total():
            return f"{self.seen.total()} seen + {self.lost} lost != {made.total()} made"
        more = {nr: n for nr, n in self.seen.items() if n > made[nr]}
        if more:
            return f"more seen than made: {more}"
        if self.born != self.ended:
            return f"{self.born} tasks began, {self.ended} ended"
        return ""


def run(scene: Scene) -> Account:
    """Run the program once."""
    program = fsencode(build("accounting.c"))
    words = (scene.threads, scene.processes, scene.execs)
    target = Launch(program, (program, *(b"%d" % word for word in words)), ())
    wanted = {abi: WANTED if abi is Abi.X86_64 else frozenset[int]() for abi in Abi}
    selection = Selection(syscalls=wanted, follow=True)
    plans = TablePlans(selection.string_bytes, selection.verbose, wanted)
    sizes = Sizes(ring=scene.ring, spool=scene.spool)
    account = Account(Counter(), 0, 0, 0)
    inside: dict[int, int] = {}
    with closing(EbpfBackend(target, selection, plans, sizes=sizes)) as backend:
        for event in backend.events():
            match event:
                case SyscallEnter(task=task):
                    inside[task.tid] = event.nr
                case SyscallExit(task=task):
                    account.seen[inside.pop(task.tid)] += 1
                case Lost(reason=reason) if not reason.startswith("the ring was full for"):
                    account.lost += event.count
                case TaskNew():
                    account.born += 1
                case TaskExit():
                    account.ended += 1
                case _:
                    pass
    return account


def scenes(runs: int, seed: int) -> list[Scene]:
    """Make up scenes; the same for the same seed."""
    chance = random.Random(seed)
    threads = (1, 2, 3, 5, 8, 13, 32, 64)
    return [
        Scene(
            threads[n % len(threads)],
            chance.choice((1, 2, 3)),
            chance.choice((0, 1, 2)),
            chance.choice((1 << 13, 1 << 15, 1 << 17, 1 << 19)),
            chance.choice((0, 1 << 16, 1 << 30)),
        )
        for n in range(runs)
    ]


def main() -> int:
    """Run many scenes and say what was wrong; the exit status is 1 if anything was."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    total = Account(Counter(), 0, 0, 0)
    bad = losing = 0
    for scene in scenes(runs, seed):
        account = run(scene)
        wrong = account.wrong(scene)
        if wrong:
            bad += 1
            print(f"{scene}: {wrong}")
        losing += account.lost > 0
        total.seen += account.seen
        total.lost += account.lost
    print(
        f"{runs} runs, {losing} of them losing: {total.seen.total()} seen + {total.lost} lost; "
        f"{bad} runs in which that is not what was made"
    )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
