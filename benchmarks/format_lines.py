"""What a line of text costs, from events that are ready in memory: nanoseconds by stage.

    python -m benchmarks.format_lines [ROUNDS]

Twelve calls as ordinary programs make them, each an entry and an exit with captured memory.
"""

from __future__ import annotations

import struct
import sys
import time
from collections.abc import Callable

from pytracer.decode.call import Call
from pytracer.decode.decoder import Decoder
from pytracer.event.memory import NO_MEMORY, Memory, Snapshot
from pytracer.event.schema import Abi, SyscallEnter, SyscallExit, Task
from pytracer.output.text.lines import TextOutput

TASK = Task(1234, 1234, "bench")
PATH = Snapshot([(0x1000, b"/usr/lib/x86_64-linux-gnu/libc.so.6\0", True)])
BUFFER = Snapshot([(0x2000, b"\x7fELF\2\1\1\3" + bytes(8) + b"the quick brown fox jumps", True)])
TEXT = Snapshot([(0x3000, b"HTTP/1.1 200 OK\r\nServer: bench\r\nDate: today", True)])
STAT = Snapshot(
    [
        (
            0x4000,
            struct.pack("<QQQIIIxxxxQqqq6q24x", 8, 9, 1, 0o100644, 0, 0, 0, 5, 6, 7, *range(6)),
            True,
        )
    ]
)
ACTION = Snapshot([(0x5000, struct.pack("<QQQQ", 1, 0x4000000, 0x7F0000001000, 0), True)])

Recorded = tuple[int, tuple[int, ...], Memory, int, Memory]

# number, registers, memory at entry, result, memory at exit
CALLS: tuple[Recorded, ...] = (
    (257, (0xFFFFFF9C, 0x1000, 0x80000), PATH, 3, NO_MEMORY),  # openat
    (0, (3, 0x2000, 832), NO_MEMORY, 41, BUFFER),  # read
    (5, (3, 0x4000), NO_MEMORY, 0, STAT),  # fstat
    (9, (0, 8192, 3, 0x22, 0xFFFFFFFF, 0), NO_MEMORY, 0x7F1122334000, NO_MEMORY),  # mmap
    (10, (0x7F1122334000, 4096, 1), NO_MEMORY, 0, NO_MEMORY),  # mprotect
    (1, (4, 0x3000, 43), TEXT, 43, NO_MEMORY),  # write
    (3, (3,), NO_MEMORY, 0, NO_MEMORY),  # close
    (21, (0x1000, 4), PATH, -2, NO_MEMORY),  # access
    (12, (0,), NO_MEMORY, 0x55AA00000000, NO_MEMORY),  # brk
    (13, (11, 0x5000, 0, 8), ACTION, 0, NO_MEMORY),  # rt_sigaction
    (8, (3, 0, 0), NO_MEMORY, 0, NO_MEMORY),  # lseek
    (39, (), NO_MEMORY, 1234, NO_MEMORY),  # getpid
)


class Discard:
    """A sink that counts."""

    def __init__(self) -> None:
        self.written = 0

    def write(self, text: str, /) -> None:
        self.written += len(text.encode())

    def flush(self) -> None:
        """Nothing is kept."""

    close = flush


def events() -> list[tuple[SyscallEnter, SyscallExit]]:
    """The pairs of one round."""
    made = []
    for nr, args, before, ret, after in CALLS:
        six = (*args, *(0,) * (6 - len(args)))
        enter = SyscallEnter(TASK, 1_000, Abi.X86_64, nr, six, before)  # type: ignore[arg-type]
        made.append((enter, SyscallExit(TASK, 2_000, ret, after)))
    return made


def measure(name: str, rounds: int, one: Callable[[], object]) -> float:
    """Run a stage and print its price a line."""
    one()
    best = min(_run(rounds // 5 or 1, one) for _ in range(5))
    ns = best * 1e9 / len(CALLS)
    print(f"{name:24} {ns:8.0f} ns a line  {1e9 / ns:10.0f} lines a second")
    return ns


def _run(rounds: int, one: Callable[[], object]) -> float:
    start = time.process_time()
    for _ in range(rounds):
        one()
    return (time.process_time() - start) / rounds


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    decoder = Decoder()
    sink = Discard()
    output = TextOutput(sink)
    pairs = events()

    def decode() -> list[Call | None]:
        done = []
        for enter, leave in pairs:
            decoder.entered(enter)
            done.append(decoder.exited(leave))
        return done

    calls = decode()

    def render() -> None:
        for (enter, leave), call in zip(pairs, calls, strict=True):
            assert call is not None
            # What the exit added is in the call already: the whole arguments are written at once.
            output.entered(enter, call)
            output.exited(leave, call)

    def everything() -> None:
        for enter, leave in events():
            output.handle(enter, decoder.handle(enter))
            output.handle(leave, decoder.handle(leave))

    measure("events", rounds, events)
    measure("decode", rounds, decode)
    measure("render", rounds, render)
    measure("events, decode, render", rounds, everything)


if __name__ == "__main__":
    main()
