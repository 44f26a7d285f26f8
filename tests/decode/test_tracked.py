"""Descriptors of processes that have moved on by the time their calls are decoded."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pytracer.decode.decoder import Decoder
from pytracer.decode.descriptors import Told
from pytracer.decode.tracked import TrackedDescriptors
from pytracer.event.memory import NO_MEMORY, Memory, Snapshot
from pytracer.event.schema import (
    Abi,
    NewBy,
    SyscallEnter,
    SyscallExit,
    Task,
    TaskExec,
    TaskExit,
    TaskNew,
)
from pytracer.output.text.render import Renderer
from pytracer.output.text.style import Style

OPENAT, READ, CLOSE, DUP2, SOCKET, CHDIR, FCHDIR = 257, 0, 3, 33, 41, 80, 81
HERE = 0xFFFFFF9C
TASK = Task(10, 10)


class Scene:
    """A decoder over a /proc that the test makes up."""

    def __init__(self, folder: Path) -> None:
        self.proc = folder / "proc"
        self.files = folder / "files"
        self.files.mkdir()
        self.decoder = Decoder(
            descriptors=TrackedDescriptors(frozenset({Told.PATH}), proc=str(self.proc))
        )
        self.renderer = Renderer(Style())

    def has(self, name: str) -> Path:
        path = self.files / name
        path.write_text("")
        return path

    def live(self, fd: int | str, target: Path | str, pid: int = 10) -> None:
        link = self.proc / str(pid) / ("cwd" if fd == "cwd" else f"fd/{fd}")
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(target)

    def attached(self, **targets: Path) -> None:
        for name, target in targets.items():
            self.live(name.removeprefix("fd"), target)
        self.decoder.handle(TaskNew(TASK, 0, NewBy.ATTACHED))

    def call(self, nr: int, *args: int, ret: int = 0, path: str = "", task: Task = TASK) -> str:
        memory: Memory = Snapshot([(0x100, path.encode() + b"\0", True)]) if path else NO_MEMORY
        six = (*args, *(0,) * (6 - len(args)))
        self.decoder.handle(SyscallEnter(task, 0, Abi.X86_64, nr, six, memory))  # type: ignore[arg-type]
        call = self.decoder.handle(SyscallExit(task, 0, ret, NO_MEMORY))
        assert call is not None
        assert call.result is not None
        shown = call.result.shown
        result = "?" if shown is None else self.renderer.write(shown)
        return f"{call.name}({self.renderer.arguments(call.values)}) = {result}"


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_a_file_that_is_closed_again(scene: Scene) -> None:
    path = scene.has("a")
    opened = scene.call(OPENAT, HERE, 0x100, ret=3, path=str(path))
    assert opened.endswith(f" = 3<{path}>")
    assert scene.call(CLOSE, 3) == f"close(3<{path}>) = 0"
    assert scene.call(CLOSE, 3, ret=-9) == "close(3) = -1"


def test_a_number_that_is_another_file_by_now(scene: Scene) -> None:
    path = scene.has("a")
    scene.live(3, scene.has("b"))
    assert scene.call(OPENAT, HERE, 0x100, ret=3, path=str(path)).endswith(f" = 3<{path}>")


def test_a_link_on_the_way(scene: Scene) -> None:
    path = scene.has("a")
    (scene.files / "link").symlink_to(path)
    name = str(scene.files / "link")
    assert scene.call(OPENAT, HERE, 0x100, ret=3, path=name).endswith(f" = 3<{path}>")


def test_a_name_from_a_folder(scene: Scene) -> None:
    path = scene.has("a")
    scene.attached(cwd=scene.files)
    assert scene.call(OPENAT, HERE, 0x100, ret=3, path="a") == (
        f'openat(AT_FDCWD<{scene.files}>, "a", O_RDONLY) = 3<{path}>'
    )
    scene.call(OPENAT, HERE, 0x100, ret=4, path=".")
    assert scene.call(OPENAT, 4, 0x100, ret=5, path="a").endswith(f" = 5<{path}>")


def test_moving(scene: Scene) -> None:
    inner = scene.files / "inner"
    inner.mkdir()
    scene.attached(cwd=scene.files)
    scene.call(OPENAT, HERE, 0x100, ret=4, path=str(scene.files))
    scene.call(CHDIR, 0x100, path="inner")
    assert scene.call(OPENAT, HERE, 0x100, ret=3, path="x").endswith(f" = 3<{inner}/x>")
    scene.call(FCHDIR, 4)
    assert scene.call(OPENAT, HERE, 0x100, ret=3, path="x").endswith(f" = 3<{scene.files}/x>")


def test_copies(scene: Scene) -> None:
    path = scene.has("a")
    scene.call(OPENAT, HERE, 0x100, ret=3, path=str(path))
    assert scene.call(DUP2, 3, 7, ret=7) == f"dup2(3<{path}>, 7) = 7<{path}>"


def test_children_and_new_programs(scene: Scene) -> None:
    path = scene.has("a")
    child = Task(11, 11)
    scene.call(OPENAT, HERE, 0x100, ret=3, path=str(path))
    scene.decoder.handle(TaskNew(child, 0, NewBy.FORKED, TASK))
    assert scene.call(CLOSE, 3, task=child) == f"close(3<{path}>) = 0"
    assert scene.call(READ, 3, task=TASK).startswith(f"read(3<{path}>")
    scene.decoder.handle(TaskExec(TASK, 0, 10))
    assert scene.call(READ, 3).startswith("read(3,")
    scene.decoder.handle(TaskExit(TASK, 0, 0))
    assert scene.call(READ, 3).startswith("read(3,")


def test_standard_descriptors_survive_a_new_program(scene: Scene) -> None:
    path = scene.has("a")
    scene.attached(fd1=path, fd5=path)
    scene.decoder.handle(TaskExec(TASK, 0, 10))
    assert scene.call(CLOSE, 1) == f"close(1<{path}>) = 0"
    assert scene.call(CLOSE, 5) == "close(5) = 0"


def test_what_was_there_before(scene: Scene) -> None:
    first, second = scene.has("a"), scene.has("b")
    scene.attached(fd0=first)
    scene.live(0, second)
    assert scene.call(READ, 0).startswith(f"read(0<{first}>")


def test_a_launched_program_has_ours(tmp_path: Path) -> None:
    tracked = TrackedDescriptors(frozenset({Told.PATH}))
    tracked.follow(TaskNew(TASK, 0, NewBy.LAUNCHED))
    assert tracked.directory(10) == os.fsencode(Path.cwd())
    assert tracked.target(10, 0) == os.fsencode(os.readlink("/proc/self/fd/0"))


def test_what_was_made_without_a_name_is_unknown(scene: Scene) -> None:
    scene.attached(fd3=scene.has("a"))
    scene.call(CLOSE, 3)
    scene.live(3, scene.has("b"))
    assert scene.call(SOCKET, 1, 1, 0, ret=3).endswith(" = 3")
    assert scene.call(READ, 3).startswith("read(3,")


def test_names_that_mean_something_else_to_everybody(scene: Scene) -> None:
    assert scene.call(OPENAT, HERE, 0x100, ret=3, path="/proc/self/fd/0").endswith(" = 3")
    assert scene.call(OPENAT, HERE, 0x100, ret=4, path="/dev/null").endswith(" = 4</dev/null>")
