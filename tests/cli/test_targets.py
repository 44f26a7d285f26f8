"""Targets that are selected by what they belong to: what is taken, and what refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytracer.cli import choosing, targeting
from pytracer.cli.messages import Failure, Messages
from pytracer.cli.options import Backend, Options
from pytracer.cli.reading import Reader
from pytracer.event.units import duration_ns
from pytracer.target.selection import Cgroup, Members


def options(line: str) -> Options:
    found = Reader(Messages("pytracer"), 0).read(line.split())
    assert isinstance(found, Options)
    return found


def refusal(line: str) -> str:
    with pytest.raises(Failure) as caught:
        asked = options(line)
        choosing.choose(asked)
        targeting.target(asked)
    return caught.value.text


def test_several_targets_go_together() -> None:
    asked = options("--comm nginx --comm=red* -p 1,2 --all")
    assert choosing.choose(asked) is Backend.EBPF
    assert targeting.target(asked) == Members((), ("nginx", "red*"), True, (1, 2))
    assert options("--unit a --unit=b --cgroup c --container d").units == ("a", "b")


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("--comm x true", "--comm cannot be given together with PROG"),
        ("--unit x true", "--unit cannot be given together with PROG"),
        ("--all --kill-on-exit", "--kill-on-exit and --all are mutually exclusive options"),
        ("--backend=ptrace --all", "--all cannot be served by --backend=ptrace: use --backend"),
        ("--backend=ptrace --comm x", "--comm cannot be served by --backend=ptrace"),
        ("--all -b execve", "-b/--detach-on needs --backend=ptrace, which cannot serve --all"),
        ("--comm nginx-worker-process", "--comm: 'nginx-worker-process' can match nothing"),
        ("--cgroup /etc", "--cgroup /etc: there is no such control group"),
        ("--unit a/b", "--unit a/b: that is no unit's name"),
        ("--container nosuch", "--container nosuch: no control group is that of such a container"),
        ("--slower-than 10 -p 1", "--slower-than must be a time with a unit such as 10ms"),
        ("--slower-than 0ms -p 1", "--slower-than must be a time with a unit"),
    ],
)
def test_refusals(line: str, text: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from pytracer.target import cgroups

    tree = cgroups.Hierarchy(0, tmp_path)
    monkeypatch.setattr(cgroups, "hierarchies", lambda: [tree])
    assert refusal(line).startswith(text)


def test_without_control_groups_it_is_said_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    from pytracer.target import cgroups

    monkeypatch.setattr(cgroups, "hierarchies", list)
    assert refusal("--cgroup x") == (
        "--cgroup x: no control groups are mounted: mount -t cgroup2 none /sys/fs/cgroup"
    )


def test_a_group_is_found_by_its_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from pytracer.target import cgroups

    tree = cgroups.Hierarchy(0, tmp_path)
    (tmp_path / "a").mkdir()
    monkeypatch.setattr(cgroups, "hierarchies", lambda: [tree])
    asked = options("--cgroup a --cgroup /a/ -p 3")
    assert targeting.target(asked) == Members((Cgroup(0, str(tmp_path), "/a"),), (), False, (3,))


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("10ms", 10_000_000),
        ("1.5s", 1_500_000_000),
        ("250us", 250_000),
        ("7ns", 7),
        ("2m", 120_000_000_000),
        (".5s", 500_000_000),
        ("10", None),
        ("ms", None),
        ("-1s", None),
        ("1e3s", None),
        ("10 ms", None),
        ("9" * 30 + "s", None),
    ],
)
def test_lengths_of_time(text: str, ns: int | None) -> None:
    assert duration_ns(text) == ns
