"""Scenes with control groups: run in a mount namespace where a cgroup2 is mounted at argv[2]."""

from __future__ import annotations

import ctypes
import os
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.live.watching import Watch, calls, done, ended, forked

_SYS_CLONE3 = 435
_CLONE_INTO_CGROUP = 1 << 33
_SIGCHLD = 17


@contextmanager
def group(mount: Path, name: str) -> Iterator[Path]:
    """A control group, with all below it removed in the end."""
    folder = mount / f"pytracer-test-{os.getpid()}-{name}"
    folder.mkdir()
    try:
        yield folder
    finally:
        remove(folder)


def inside_of(folder: Path, count: int) -> None:
    """Enter a group and make calls there."""
    enter(folder)
    calls(count)


def remove(folder: Path) -> None:
    """Remove a group and those below it, once the processes in them are gone for good."""
    for inner in folder.iterdir() if folder.exists() else ():
        if inner.is_dir():
            remove(inner)
    for _ in range(500):
        try:
            folder.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.02)
        else:
            return


def enter(folder: Path, pid: int = 0) -> None:
    """Put a process into a group."""
    (folder / "cgroup.procs").write_text(str(pid))


def moves(mount: Path) -> None:
    """Who enters is traced, with what it starts; who leaves is not; outsiders never are."""
    with group(mount, "moves") as inside, group(mount, "outside") as outside:

        def work() -> None:
            calls(3)
            enter(inside)
            calls(7)
            done(forked(lambda: calls(5)))
            (inside / "sub").mkdir()
            enter(inside / "sub")
            calls(11)
            enter(outside)
            calls(13)

        with Watch("--cgroup", str(inside), canary=lambda: enter(inside)) as watch:
            worker = done(forked(work))
            done(forked(lambda: calls(17)))
            found = watch.end()
            assert found.pop(worker) == 7 + 11, (found, watch.said())
            assert list(found.values()) == [5], (found, watch.said())
            assert f"Process {worker} detached" in watch.said()


def follow(mount: Path) -> None:
    """With -f who was traced stays traced, and so do its children."""
    with group(mount, "follow") as inside, group(mount, "outside") as outside:

        def work() -> None:
            enter(inside)
            calls(2)
            enter(outside)
            calls(3)
            done(forked(lambda: calls(5)))

        with Watch("-f", "--cgroup", str(inside), canary=lambda: enter(inside)) as watch:
            worker = done(forked(work))
            found = watch.end()
            assert found.pop(worker) == 5 and list(found.values()) == [5], (found, watch.said())


def again(mount: Path) -> None:
    """A group that is removed and made again is the same target; so is one further up."""
    with group(mount, "again") as top:
        inside = top / "a.slice" / "a.service"
        inside.mkdir(parents=True)
        with Watch("--cgroup", str(inside), canary=lambda: enter(inside)) as watch:
            made = []
            for count in (2, 3, 5):
                remove(top / "a.slice")

                def work(count: int = count) -> None:
                    inside.mkdir(parents=True)
                    (top / "a.slice" / "b.service").mkdir()
                    enter(inside)
                    calls(count)

                made.append(done(forked(work)))
                done(forked(lambda: inside_of(top / "a.slice" / "b.service", 7)))
            found = watch.end()
            assert found == dict(zip(made, (2, 3, 5), strict=True)), (found, made, watch.said())


def born(mount: Path) -> None:
    """A child that is made in another group (CLONE_INTO_CGROUP) belongs to that one."""
    with group(mount, "in") as inside, group(mount, "out") as outside:

        def child_in(folder: Path, count: int) -> int:
            place = os.open(folder, os.O_RDONLY)
            # struct clone_args: flags, pidfd, child_tid, parent_tid, exit_signal, ..., cgroup
            words = [_CLONE_INTO_CGROUP, 0, 0, 0, _SIGCHLD, 0, 0, 0, 0, 0, place]
            arguments = struct.pack("<11Q", *words)
            libc = ctypes.CDLL(None)
            pid: int = libc.syscall(_SYS_CLONE3, arguments, len(arguments))
            if not pid:
                calls(count)
                os._exit(0)
            os.close(place)
            assert pid > 0
            return done(pid)

        with Watch("--cgroup", str(inside), canary=lambda: enter(inside)) as watch:
            into = child_in(inside, 7)

            def work() -> None:
                enter(inside)
                calls(3)
                child_in(outside, 11)

            worker = done(forked(work))
            found = watch.end()
            assert found == {into: 7, worker: 3}, (found, into, worker, watch.said())


def threads(mount: Path) -> None:
    """A process that is moved is moved with all of its threads, however many."""
    for many in (5, 150):
        with group(mount, f"threads{many}") as inside, group(mount, f"o{many}") as outside:
            moved, finished = os.pipe(), os.pipe()
            with Watch("--cgroup", str(inside), canary=lambda: enter(inside)) as watch:
                worker = forked(_two_steps(many, moved[0], finished[1]))
                os.read(finished[0], 1)
                enter(inside, worker)
                os.write(moved[1], b".")
                os.read(finished[0], 1)
                enter(outside, worker)
                os.write(moved[1], b".")
                done(worker)
                found = watch.end()
                assert sorted(found.values()) == [3] * many, (many, found, watch.said())


def _two_steps(many: int, moved: int, finished: int) -> Callable[[], None]:
    """Work in so many threads: three calls after one word, two after another."""

    def work() -> None:
        barrier = threading.Barrier(many + 1)

        def thread() -> None:
            for count in (3, 2):
                barrier.wait()
                calls(count)
                barrier.wait()

        started = [threading.Thread(target=thread) for _ in range(many)]
        for each in started:
            each.start()
        for _ in (3, 2):
            os.write(finished, b".")
            os.read(moved, 1)
            barrier.wait()
            barrier.wait()
        for each in started:
            each.join()

    return work


def several(mount: Path) -> None:
    """Several groups and a process go together."""
    with group(mount, "one") as one, group(mount, "two") as two:
        reading, writing = os.pipe()
        named = forked(lambda: calls(5 * len(os.read(reading, 1))))
        options = ("--cgroup", str(one), "--cgroup", str(two), "-p", str(named))
        with Watch(*options, canary=lambda: enter(one)) as watch:
            workers = [
                done(forked(lambda: inside_of(one, 2))),
                done(forked(lambda: inside_of(two, 3))),
            ]
            os.write(writing, b".")
            done(named)
            found = watch.end()
            assert found == {workers[0]: 2, workers[1]: 3, named: 5}, (found, watch.said())


def counted(mount: Path) -> None:
    """What is counted in the kernel is what was made while it belonged to the target."""
    with group(mount, "counted") as inside, group(mount, "outside") as outside:

        def groups(count: int) -> None:
            for _ in range(count):
                os.getpgid(0)

        def work() -> None:
            groups(3)
            enter(inside)
            groups(7)
            done(forked(lambda: groups(5)))
            enter(outside)
            groups(11)

        options = ("-c", "-w", "-U", "calls,name", "--cgroup", str(inside))
        with Watch(*options, canary=lambda: enter(inside), trace="getpgid") as watch:
            done(forked(work))
            done(forked(lambda: groups(13)))
            watch.end()
            assert ["12", "getpgid"] in map(str.split, watch.text().splitlines()), watch.text()


def container(mount: Path) -> None:
    """A container by the beginning of its id; its watcher is none of it."""
    digits = f"{os.getpid():x}".rjust(8, "f").ljust(64, "0")
    with group(mount, "runtime") as runtime:
        inside, watcher = (runtime / f"{name}-{digits}.scope" for name in ("docker", "conmon"))
        inside.mkdir()
        watcher.mkdir()
        with Watch("--container", digits[:40], canary=lambda: enter(inside)) as watch:
            worker = done(forked(lambda: inside_of(inside, 7)))
            done(forked(lambda: inside_of(watcher, 5)))
            assert watch.end() == {worker: 7}, watch.said()


def ptrace(mount: Path) -> None:
    """ptrace attaches to those that are there, and says that this is all."""
    with group(mount, "ptrace") as inside:
        reading, writing = os.pipe()

        def work() -> None:
            enter(inside)
            os.read(reading, 1)
            calls(3)
            done(forked(lambda: calls(5)))

        worker = forked(work)
        try:
            with Watch("--backend=ptrace", "--cgroup", str(inside)) as watch:
                for _ in range(1000):
                    if f"Process {worker} attached" in watch.said():
                        break
                    time.sleep(0.02)
                os.write(writing, b".")
                done(worker)
                found = watch.end()
                assert found.pop(worker) == 3 and list(found.values()) == [5], watch.said()
                assert "only the processes that are there now" in watch.said()
            with Watch("--backend=ptrace", "--cgroup", str(inside)) as watch:
                assert watch.over() == 1
                assert "no process is there, and ptrace cannot wait for one" in watch.said()
        finally:
            ended(worker)


if __name__ == "__main__":
    globals()[sys.argv[1]](Path(sys.argv[2]))
    print("fine")
