"""Events made by hand, and the text made of them."""

from __future__ import annotations

from pytracer.decode.decoder import DecodeOptions, Decoder
from pytracer.event.memory import NO_MEMORY, Memory, Snapshot
from pytracer.event.schema import (
    Abi,
    Event,
    NewBy,
    SyscallEnter,
    SyscallExit,
    Task,
    TaskNew,
)
from pytracer.output.style import LineStyle, Style
from pytracer.output.text.lines import TextOutput

READ, CLOSE, WAIT4, GETPID, EXECVE, EXIT_GROUP = 0, 3, 61, 39, 59, 231


class Text:
    """A sink that keeps what it gets."""

    def __init__(self) -> None:
        self.text = ""
        self.writes = 0
        self.closed = False

    def write(self, text: str, /) -> None:
        self.text += text
        self.writes += 1

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        self.closed = True


class Tracing:
    """A decoder and an output; messages stand in the text behind a bar."""

    def __init__(
        self,
        style: Style | None = None,
        lines: LineStyle | None = None,
        options: DecodeOptions | None = None,
        separately: bool = False,
    ) -> None:
        self.sink = Text()
        self.files: dict[int, Text] = {}
        self.decoder = Decoder(options)
        self.now = 1_000_000_000
        self.output = TextOutput(
            self._file if separately else self.sink,
            style,
            lines,
            wall_offset_ns=1_700_000_000_000_000_000,
            message=lambda text: self.sink.write(f"|{text}\n"),
        )

    def _file(self, task: Task) -> Text:
        assert task.tid not in self.files or self.files[task.tid].closed
        return self.files.setdefault(task.tid, Text())

    def feed(self, *events: Event) -> Tracing:
        for event in events:
            self.output.handle(event, self.decoder.handle(event))
        return self

    def tick(self, ns: int) -> Tracing:
        self.now += ns
        return self

    @property
    def text(self) -> str:
        self.output.flush()
        return self.sink.text

    def launched(self, task: Task) -> Tracing:
        return self.feed(TaskNew(task, self.now, NewBy.LAUNCHED))

    def forked(self, task: Task, parent: Task) -> Tracing:
        return self.feed(TaskNew(task, self.now, NewBy.FORKED, parent))

    def enter(
        self,
        task: Task,
        nr: int,
        *args: int,
        abi: Abi = Abi.X86_64,
        memory: Memory = NO_MEMORY,
        ip: int | None = None,
    ) -> Tracing:
        six = (*args, *(0,) * (6 - len(args)))
        return self.feed(SyscallEnter(task, self.now, abi, nr, six, memory, ip))  # type: ignore[arg-type]

    def leave(self, task: Task, ret: int, memory: Memory = NO_MEMORY) -> Tracing:
        return self.feed(SyscallExit(task, self.now, ret, memory))

    def call(self, task: Task, nr: int, *args: int, ret: int = 0) -> Tracing:
        return self.enter(task, nr, *args).leave(task, ret)


def snapshot(*regions: tuple[int, bytes]) -> Snapshot:
    return Snapshot([(address, data, True) for address, data in regions])


def tasks(*ids: int) -> list[Task]:
    """Processes with one thread each."""
    return [Task(i, i, f"task{i}") for i in ids]
