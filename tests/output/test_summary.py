"""The table of -c, to the byte."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pytracer.event.durations import Times
from pytracer.event.schema import Abi
from pytracer.output.summary import (
    DEFAULT_COLUMNS,
    Column,
    Counts,
    Summary,
    render,
)

READ, GETPID, OPENAT = 0, 39, 257


def counted(*rows: tuple[int, int, int, tuple[int, ...]], abi: Abi = Abi.X86_64) -> Summary:
    """A summary of (number, calls, errors, durations in nanoseconds)."""
    summary = Summary()
    for nr, calls, errors, durations in rows:
        counts = summary.of(abi, nr)
        counts.calls, counts.errors = calls, errors
        for ns in durations:
            counts.time.add(ns)
            counts.wall.add(2 * ns)
    return summary


def test_the_default_table() -> None:
    summary = counted(
        (READ, 3, 0, (1_000_000, 2_000_000, 600)), (OPENAT, 2, 1, (500, 499)), (GETPID, 1, 0, (0,))
    )
    assert render(summary) == (
        "% time     seconds  usecs/call     calls    errors syscall\n"
        "------ ----------- ----------- --------- --------- ----------------\n"
        " 99.97    0.003001        1000         3           read\n"
        "  0.03    0.000001           0         2         1 openat\n"
        "  0.00    0.000000           0         1           getpid\n"
        "------ ----------- ----------- --------- --------- ----------------\n"
        "100.00    0.003002         500         6         1 total\n"
    )


def test_nothing_was_counted() -> None:
    assert render(Summary()) == ""


def test_numbers_without_a_name_are_rows_in_order_of_appearance() -> None:
    summary = counted((0x3E8, 1, 1, (0,)), (0x1D8, 1, 1, (0,)), (GETPID, 1, 0, (0,)))
    names = [line.split()[-1] for line in render(summary).splitlines()]
    assert names[2:5] == ["getpid", "syscall_0x3e8", "syscall_0x1d8"]


def test_wall_columns_stand_beside_the_others() -> None:
    summary = Summary()
    counts = summary.of(Abi.X86_64, GETPID)
    counts.calls = 2
    for ns in (7_100, 8_200):
        counts.time.add(0)
        counts.wall.add(ns)
    columns = (
        Column.PERCENT,
        Column.TOTAL,
        Column.WALL_TOTAL,
        Column.WALL_MIN,
        Column.WALL_MAX,
        Column.WALL_AVG,
        Column.CALLS,
        Column.ERRORS,
        Column.NAME,
    )
    assert render(summary, columns).splitlines()[:3] == [
        "% time     seconds  wall-total wall-min wall-max    wall-avg     calls    errors syscall",
        "------ ----------- ----------- -------- -------- ----------- --------- --------- "
        "----------------",
        "  0.00    0.000000    0.000015 0.000007 0.000008           7         2           getpid",
    ]


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        (Column.PERCENT, ["read", "openat", "getpid"]),
        (Column.MAX, ["read", "openat", "getpid"]),
        (Column.MIN, ["openat", "read", "getpid"]),
        (Column.CALLS, ["getpid", "read", "openat"]),
        (Column.ERRORS, ["openat", "read", "getpid"]),
        (Column.NAME, ["getpid", "openat", "read"]),
        (None, ["read", "getpid", "openat"]),
    ],
)
def test_orders(sort: Column | None, names: list[str]) -> None:
    summary = counted(
        (OPENAT, 2, 5, (300, 400)), (GETPID, 9, 0, (1, 2)), (READ, 3, 0, (200, 900_000))
    )
    lines = render(summary, DEFAULT_COLUMNS, sort).splitlines()
    assert [line.split()[-1] for line in lines[2:5]] == names


def test_columns_widen_and_the_name_is_padded_unless_it_is_last() -> None:
    summary = counted((READ, 12_345_678_901, 0, (123_456_789_000_000_000,)))
    assert render(summary, (Column.NAME, Column.CALLS, Column.MAX)) == (
        "syscall                calls          longest\n"
        "---------------- ----------- ----------------\n"
        "read             12345678901 123456789.000000\n"
        "---------------- ----------- ----------------\n"
        "total            12345678901 123456789.000000\n"
    )


def test_other_conventions_have_tables_of_their_own() -> None:
    summary = counted((READ, 1, 0, (0,)))
    other = summary.of(Abi.I386, 3)
    other.merge(Counts("read", Times(5, 5, 5), Times(), calls=1))
    text = render(summary)
    assert text.count("total\n") == 2
    assert "\nSystem call usage summary for 32 bit mode:\n% time" in text


def test_a_negative_duration_counts_as_none() -> None:
    times = Times()
    times.add(-5)
    times.add(7)
    assert (times.total_ns, times.min_ns, times.max_ns) == (7, 0, 7)


@pytest.mark.needs_root
@pytest.mark.needs_program("strace")
def test_straces_own_table_read_and_written_again(tmp_path: Path) -> None:
    """What strace printed, parsed and rendered, is what strace printed."""
    file = tmp_path / "table"
    columns = ("total-time", "min-time", "max-time", "calls", "errors", "name")
    subprocess.run(
        f"strace -c -w -o {file} -S calls -U {','.join(columns)} ls /usr".split(),
        check=True,
        timeout=30,
        stdout=subprocess.DEVNULL,
    )
    text = file.read_text()
    rows = text.splitlines()[2:-2]
    assert len(rows) > 5
    from pytracer.decode.catalogue import numbers

    by_name = {name: nr for nr, (name, _) in numbers(Abi.X86_64).items()}
    summary = Summary()
    for row in rows:
        total, least, most, calls, *errors, name = row.split()
        counts = summary.of(Abi.X86_64, by_name[name])
        counts.calls, counts.errors = int(calls), int(errors[0]) if errors else 0
        total_ns, min_ns, max_ns = (round(float(t) * 1e9) for t in (total, least, most))
        counts.time = Times(total_ns, min_ns, max_ns)
    ours = render(summary, tuple(map(Column, columns)), Column.CALLS).splitlines()
    theirs = text.splitlines()
    # The total of rounded times may differ in its last digit.
    assert ours[:-1] == theirs[:-1]
    assert ours[-1][11:] == theirs[-1][11:]
