"""What the programs are told of members: paths that are waited for; programs that are needed."""

from __future__ import annotations

import ctypes
import os
import threading
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path

import pytest

from pytracer.backend.ebpf import wire
from pytracer.backend.ebpf.backend import EbpfBackend
from pytracer.backend.ebpf.bpf import Map, MapReader
from pytracer.backend.ebpf.members import Paths, programs_for
from pytracer.backend.ebpf.merge import Merger
from pytracer.backend.ebpf.tasks import Tasks
from pytracer.backend.ebpf.wire import EventRecord
from pytracer.event.schema import Abi, NewBy, TaskDetached, TaskNew
from pytracer.target.selection import Attach, Cgroup, Members, Selection

_PR_SET_NAME = 15
# Nobody else's name, not even in another run of this test.
_STORM = f"storm-{os.getpid()}"


def groups(mount: Path, *paths: str) -> tuple[tuple[Cgroup, int], ...]:
    return tuple((Cgroup(0, str(mount), path), 1) for path in paths)


def present(paths: Paths, mount: Path) -> dict[str, bool]:
    """The groups that are there and matter: whether each is chosen."""
    return {
        folder.removeprefix(str(mount)) or "/": bool(chosen)
        for _, folder, (chosen, _) in paths.present()
    }


def test_what_is_below_a_chosen_group_is_chosen(tmp_path: Path) -> None:
    for path in ("a/b/c", "a/x", "d"):
        (tmp_path / path).mkdir(parents=True)
    paths = Paths(groups(tmp_path, "/a/b"))
    assert present(paths, tmp_path) == {"/": False, "/a": False, "/a/b": True, "/a/b/c": True}


def test_a_path_that_is_not_there_is_waited_for_where_it_ends(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    paths = Paths(groups(tmp_path, "/a/b/c"))
    assert present(paths, tmp_path) == {"/": False, "/a": False}
    (top,) = paths.tops.values()
    _, a = paths.edges[top[1], "a"]
    _, b = paths.edges[a, "b"]
    assert paths.edges[b, "c"] == (1, 0)


@pytest.mark.parametrize("order", [("/a", "/a/b"), ("/a/b", "/a")])
def test_a_group_and_one_inside_of_it(order: tuple[str, str], tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    paths = Paths(groups(tmp_path, *order))
    assert present(paths, tmp_path) == {"/": False, "/a": True, "/a/b": True}


def test_paths_share_their_beginnings(tmp_path: Path) -> None:
    paths = Paths(groups(tmp_path, "/a/b", "/a/c", "/a/b"))
    assert len(paths.edges) == 3
    assert len(set(paths.edges)) == 3


def test_the_top_is_all(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    paths = Paths(groups(tmp_path, "/a", "/"))
    assert present(paths, tmp_path) == {"/": True, "/a": True}


def test_hierarchies_and_mounts_are_apart() -> None:
    paths = Paths(
        (Cgroup(hierarchy, mount, "/a"), 1)
        for hierarchy, mount in ((0, "/u"), (9, "/s"), (0, "/v"))
    )
    assert len(paths.tops) == 3 and len(paths.edges) == 3


def test_only_programs_that_matter_are_needed() -> None:
    assert programs_for(Attach((1,))) == frozenset()
    everyone = programs_for(Members(everyone=True))
    assert not any("cgroup" in name or "rename" in name for name in everyone)
    assert "members__task_rename" in programs_for(Members(comms=("a",)))
    assert "members__cgroup_mkdir" in programs_for(Members((Cgroup(0, "/u", "/a"),)))


def record(kind: int, tid: int, time_ns: int) -> EventRecord:
    return EventRecord(kind, 0, tid, tid, 0, time_ns, 0, 0, 0, b"it\0", b"")


def test_tasks_come_and_go() -> None:
    tasks = Tasks(Merger(False), None)
    (came,) = tasks.apply(record(wire.RECORD_JOIN, 7, 100))
    assert isinstance(came, TaskNew) and came.by is NewBy.ATTACHED
    assert (came.task.tid, came.task.comm, came.time_ns) == (7, "it", 100)
    assert list(tasks.apply(record(wire.RECORD_JOIN, 7, 101))) == []
    (went,) = tasks.apply(record(wire.RECORD_LEAVE, 7, 200))
    assert isinstance(went, TaskDetached) and went.task.tid == 7
    assert list(tasks.apply(record(wire.RECORD_LEAVE, 7, 201))) == []
    assert not tasks.alive
    assert not tasks.look_again
    assert list(tasks.apply(record(wire.RECORD_AGAIN, 0, 300))) == []
    assert tasks.look_again


def _entries(source: Map) -> list[int]:
    """Where the entries of a map are, one after the other."""
    found: list[int] = []
    MapReader(source).read(lambda values, at: found.append(at))
    return found


def _storm(children: int) -> None:
    """Take a name, have so many children make a call each, and give the name up."""
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_NAME, _STORM.encode(), 0, 0, 0)
    for started in range(1, children + 1):
        if not os.fork():
            os.getppid()
            os._exit(0)
        if not started % 8:
            for _ in range(8):
                os.wait()
    with suppress(ChildProcessError):
        while True:
            os.wait()
    libc.prctl(_PR_SET_NAME, b"over", 0, 0, 0)
    os.getppid()


@pytest.mark.needs_root
@pytest.mark.needs_ebpf
@pytest.mark.timeout(60)
def test_a_storm_of_members_is_seen_whole_and_leaves_nothing_behind() -> None:
    getppid = {Abi.X86_64: frozenset({110}), Abi.I386: frozenset(), Abi.X32: frozenset()}
    reading, writing = os.pipe()
    storm = os.fork()  # before the tracer spares what it starts
    if not storm:
        os.read(reading, 1)
        _storm(211)
        os._exit(0)
    backend = EbpfBackend(Members(comms=(_STORM,)), Selection(syscalls=getppid))
    timer = threading.Timer(40, backend.stop)
    timer.start()
    seen: Counter[str] = Counter()
    with closing(backend):
        for event in backend.events():
            if event is None:
                os.write(writing, b".")
                continue
            seen[type(event).__name__] += 1
            if isinstance(event, TaskDetached):
                backend.stop()
        for name in ("threads", "joining"):
            assert not _entries(backend._loaded.maps[name]), name
    timer.cancel()
    os.waitpid(storm, 0)
    for end in (reading, writing):
        os.close(end)
    assert seen["SyscallExit"] == seen["TaskExit"] == 211, seen
    assert seen["TaskNew"] == 212 and seen["TaskDetached"] == 1 and not seen["Lost"], seen
