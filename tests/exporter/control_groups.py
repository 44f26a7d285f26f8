"""Scenes with control groups as targets, in a mount namespace that has them at argv[2]."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pytracer_exporter.reading import Reading, Source, Unwatchable, Watched

from tests.exporter.doing import Doer, doer, eventually
from tests.exporter.opening import opened
from tests.live.control_groups import enter, group, remove

_ID = "4f" * 32


@contextmanager
def counting(*targets: Watched) -> Iterator[Source]:
    with opened(targets) as source:
        yield source


def calls(reading: Reading) -> dict[str, int]:
    return {c.target: c.calls for c in reading.calls if c.syscall == "getppid"}


def up(reading: Reading) -> dict[str, bool]:
    return {state.name: state.up for state in reading.targets}


def nested(mount: Path, one: Doer, two: Doer) -> None:
    """A group and one inside of it are two targets, in either order."""
    with group(mount, "outer") as outer:
        inner = outer / "inner"
        inner.mkdir()
        enter(inner, one.pid)
        enter(outer, two.pid)
        inside, all_of_it = (
            Watched("in", cgroups=(str(inner),)),
            Watched("out", cgroups=(str(outer),)),
        )
        with counting(inside, all_of_it) as source:
            one.do("call 1009")
            two.do("call 503")
            assert calls(source.read()) == {"in": 1009, "out": 503}
            source.watch((all_of_it, inside))
            one.do("call 7")
            assert calls(source.read()) == {"in": 1009, "out": 510}
            source.watch((inside,))
            one.do("call 11")
            two.do("call 13")
            assert calls(source.read()) == {"in": 1020}
            assert up(source.read()) == {"in": True}
            enter(outer, one.pid)
            assert up(source.read()) == {"in": False}
            one.do("call 17")
            assert calls(source.read()) == {"in": 1020}
        enter(mount, one.pid)
        enter(mount, two.pid)


def again(mount: Path, one: Doer, two: Doer) -> None:
    """A group that is removed and made again is the same target: a service that restarts."""
    with group(mount, "service") as folder:
        folder.rmdir()
        other = Watched("other", cgroups=(str(mount / "other"),))
        with counting(Watched("it", cgroups=(str(folder),)), other) as source:
            assert up(source.read()) == {"it": False, "other": False}
            total = 0
            for each in (101, 211, 307):
                folder.mkdir()
                inner = folder / "worker"
                inner.mkdir()
                enter(inner, one.pid)
                one.do(f"fork {each}")
                one.do("call 2")
                total += each + 2
                assert calls(source.read()) == {"it": total}
                assert up(source.read()) == {"it": True, "other": False}
                enter(mount, one.pid)
                remove(folder)
                assert up(source.read()) == {"it": False, "other": False}
            folder.mkdir()


def container(mount: Path, one: Doer, two: Doer) -> None:
    """A container that does not exist yet is found by its id, wherever it comes to be."""
    with counting(Watched("it", containers=(_ID[:12],)), Watched("two", pids=(two.pid,))) as source:
        assert up(source.read()) == {"it": False, "two": True}
        with group(mount, "pods") as pods:
            folder = pods / f"cri-containerd-{_ID}.scope"
            folder.mkdir()
            enter(folder, one.pid)
            eventually(lambda: up(source.read())["it"])
            one.do("call 499")
            two.do("call 3")
            assert calls(source.read()) == {"it": 499, "two": 3}
            # From now on it is known by its path.
            enter(mount, one.pid)
            remove(folder)
            folder.mkdir()
            enter(folder, one.pid)
            one.do("call 7")
            assert calls(source.read()) == {"it": 506, "two": 3}
            enter(mount, one.pid)


def unit(mount: Path, one: Doer, two: Doer) -> None:
    """Without a systemd to ask, a unit is found by its name, wherever it comes to be."""
    name = f"pytracer-late-{os.getpid()}.service"
    if Path("/run/systemd").is_dir():  # in our own mount namespace
        subprocess.run(["mount", "-t", "tmpfs", "none", "/run/systemd"], check=True, timeout=30)
    with (
        group(mount, "own.slice") as folder,
        counting(Watched("it", units=(name,)), Watched("rest", pids=(two.pid,))) as source,
    ):
        (folder / name).mkdir()
        enter(folder / name, one.pid)
        eventually(lambda: up(source.read())["it"])
        one.do("fork 41")
        two.do("call 43")
        assert calls(source.read()) == {"it": 41, "rest": 43}
        with raises(Unwatchable, "unit a@.service: that is a template"):
            source.watch((Watched("new", units=("a@.service",)),))
        with raises(Unwatchable, "several containers"):
            for first in ("a", "b"):
                (folder / f"docker-{first * 64}.scope").mkdir()
            (folder / f"docker-{'a' * 63}b.scope").mkdir()
            source.watch((Watched("new", containers=("aaa",)),))
        one.do("call 2")
        assert calls(source.read()) == {"it": 43, "rest": 43}
        enter(mount, one.pid)


@contextmanager
def raises(kind: type[Exception], words: str) -> Iterator[None]:
    try:
        yield
    except kind as error:
        assert words in str(error), error
    else:
        raise AssertionError(f"nobody said: {words}")


def main() -> None:
    scene, mount = sys.argv[1:]
    with ExitStack() as stack:
        one, two = stack.enter_context(doer("one")), stack.enter_context(doer("two"))
        {each.__name__: each for each in (nested, again, container, unit)}[scene](
            Path(mount), one, two
        )
    print("fine")


if __name__ == "__main__":
    main()
