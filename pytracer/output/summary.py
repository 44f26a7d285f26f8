"""The summary of a trace (-c): calls counted and timed, and the table made of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from pytracer.decode.call import Call
from pytracer.decode.catalogue import name_of, numbers
from pytracer.decode.decoder import failure
from pytracer.event.durations import CallCounts, Histogram, Times
from pytracer.event.schema import Abi


@dataclass(slots=True)
class Counts:
    """What is known of all calls of one name. ``time`` is what -c is about: CPU time or, with -w,
    wall-clock time, which ``wall`` is always and ``histogram`` is of. ``errnos``: failed calls by
    errno.
    """

    name: str
    time: Times
    wall: Times
    calls: int = 0
    errors: int = 0
    errnos: dict[int, int] = field(default_factory=dict)
    histogram: Histogram = field(default_factory=Histogram)

    def fail(self, errno: int, calls: int = 1) -> None:
        """Count calls that failed."""
        self.errors += calls
        self.errnos[errno] = self.errnos.get(errno, 0) + calls

    def merge(self, other: Counts) -> None:
        """Count what another has counted."""
        self.calls += other.calls
        self.time.merge(other.time)
        self.wall.merge(other.wall)
        self.histogram.merge(other.histogram)
        self.errors += other.errors
        for errno, calls in other.errnos.items():
            self.errnos[errno] = self.errnos.get(errno, 0) + calls


# Number and name: a multiplexer counts as the calls that it stands for.
Key: TypeAlias = tuple[int, str]


class Summary:
    """Counts calls by ABI and number.

    ``wall``: whether times are those between entry and exit (-w) instead of the system CPU time
    spent. ``overhead_ns`` is taken off each of them (-O).
    """

    def __init__(self, wall: bool = False, overhead_ns: int = 0) -> None:
        self.wall = wall
        self.overhead_ns = overhead_ns
        self.counts: dict[Abi, dict[Key, Counts]] = {}

    def of(self, abi: Abi, nr: int, name: str | None = None) -> Counts:
        """The counts of one call, to be added to. ``name``: what a multiplexer stands for."""
        known = self.counts.setdefault(abi, {})
        key = nr, name or name_of(abi, nr)
        counts = known.get(key)
        if counts is None:
            counts = known[key] = Counts(key[1], Times(), Times())
        return counts

    def add(self, call: Call) -> None:
        """Count a call that has returned."""
        counts = self.of(call.entry.abi, call.entry.nr, call.compiled.name)
        counts.calls += 1
        if call.failed:
            counts.fail(-call.ret)
        wall = call.duration_ns - self.overhead_ns
        counts.wall.add(wall)
        counts.histogram.add(wall)
        counts.time.add(wall if self.wall else (call.cpu_ns or 0) - self.overhead_ns)

    def take(self, counted: CallCounts, name: str | None = None) -> None:
        """Add what was counted elsewhere, where ``overhead_ns`` was taken off."""
        counts = self.of(Abi(counted.abi), counted.nr, name)
        counts.calls += counted.calls
        counts.wall.merge(counted.wall)
        counts.time.merge(counted.wall if self.wall else counted.cpu)
        counts.histogram.merge(counted.histogram)
        for errno, calls in counted.errnos.items():
            counts.fail(errno, calls)

    def merge(self, other: Summary) -> None:
        """Count what another has counted."""
        for abi, known in other.counts.items():
            for (nr, name), counts in known.items():
                self.of(abi, nr, name).merge(counts)


class Column(Enum):
    """A column of the table (-U), or what it is sorted by (-S)."""

    PERCENT = "time-percent"
    TOTAL = "total-time"
    MIN = "min-time"
    MAX = "max-time"
    AVG = "avg-time"
    WALL_TOTAL = "wall-total"
    WALL_MIN = "wall-min"
    WALL_MAX = "wall-max"
    WALL_AVG = "wall-avg"
    CALLS = "calls"
    ERRORS = "errors"
    NAME = "name"
    # Ours: percentiles of the wall-clock time, and errors by errno.
    P50 = "p50"
    P90 = "p90"
    P99 = "p99"
    P99_9 = "p99.9"
    ERRNOS = "errnos"


_PERCENTS = {Column.P50: 50.0, Column.P90: 90.0, Column.P99: 99.0, Column.P99_9: 99.9}
_LEFT = (Column.NAME, Column.ERRNOS)


DEFAULT_COLUMNS = (
    Column.PERCENT,
    Column.TOTAL,
    Column.AVG,
    Column.CALLS,
    Column.ERRORS,
    Column.NAME,
)

_HEADINGS = {
    Column.PERCENT: ("% time", 6),
    Column.TOTAL: ("seconds", 11),
    Column.MIN: ("shortest", 8),
    Column.MAX: ("longest", 8),
    Column.AVG: ("usecs/call", 11),
    Column.WALL_TOTAL: ("wall-total", 11),
    Column.WALL_MIN: ("wall-min", 8),
    Column.WALL_MAX: ("wall-max", 8),
    Column.WALL_AVG: ("wall-avg", 11),
    Column.CALLS: ("calls", 9),
    Column.ERRORS: ("errors", 9),
    Column.NAME: ("syscall", 16),
    Column.P50: ("p50 usecs", 11),
    Column.P90: ("p90 usecs", 11),
    Column.P99: ("p99 usecs", 11),
    Column.P99_9: ("p99.9 usecs", 11),
    Column.ERRNOS: ("errnos", 16),
}


def _average_ns(times: Times, calls: int) -> int:
    return (times.total_ns + calls // 2) // calls


def _float(ns: int) -> float:
    # Seconds and their fraction apart, as struct timespec has them: the last digit depends on it.
    whole, rest = divmod(ns, 1_000_000_000)
    return whole + rest / 1e9


def _seconds(ns: int) -> str:
    return f"{_float(ns):.6f}"


def _microseconds(ns: int) -> str:
    return str(int(_float(ns) * 1e6))


def _percentile_ns(percent: float) -> Callable[[Counts], int]:
    return lambda counts: counts.histogram.percentile(percent, counts.wall)


def _percentile(percent: float) -> Callable[[Counts], str]:
    find = _percentile_ns(percent)
    # To the nanosecond: those of most calls are not many.
    return lambda counts: "{}.{:03}".format(*divmod(find(counts), 1000))


def _errnos(counts: Counts) -> str:
    """The errors by name, the most frequent first."""
    found = sorted(counts.errnos.items(), key=lambda each: (-each[1], each[0]))
    return ",".join(f"{failure(-errno).error or 'other'}:{calls}" for errno, calls in found)


_OURS: dict[Column, Callable[[Counts], str]] = {
    Column.ERRNOS: _errnos,
    **{column: _percentile(percent) for column, percent in _PERCENTS.items()},
}

_ORDERS: dict[Column, Callable[[Counts], int]] = {
    Column.PERCENT: lambda c: c.time.total_ns,
    Column.TOTAL: lambda c: c.time.total_ns,
    Column.MIN: lambda c: c.time.min_ns,
    Column.MAX: lambda c: c.time.max_ns,
    Column.AVG: lambda c: _average_ns(c.time, c.calls),
    Column.WALL_TOTAL: lambda c: c.wall.total_ns,
    Column.WALL_MIN: lambda c: c.wall.min_ns,
    Column.WALL_MAX: lambda c: c.wall.max_ns,
    Column.WALL_AVG: lambda c: _average_ns(c.wall, c.calls),
    Column.CALLS: lambda c: c.calls,
    Column.ERRORS: lambda c: c.errors,
    **{column: _percentile_ns(percent) for column, percent in _PERCENTS.items()},
}


def _sorted(abi: Abi, counted: dict[Key, Counts], by: Column | None) -> list[Counts]:
    # Numbers that no table has follow the others, in the order in which they were first seen.
    known = numbers(abi)
    rows = [counted[key] for key in sorted(key for key in counted if key[0] in known)]
    rows += [counts for key, counts in counted.items() if key[0] not in known]
    if by is Column.NAME:
        rows.sort(key=lambda c: c.name.encode())
    elif by is not None:
        order = _ORDERS[by]
        rows.sort(key=lambda c: -order(c))
    return rows


def rows(summary: Summary, abi: Abi, by: Column | None) -> list[Counts]:
    """What was counted by one ABI, sorted; None leaves the order of numbers."""
    counted = {key: c for key, c in summary.counts.get(abi, {}).items() if c.calls}
    return _sorted(abi, counted, by)


def _total(rows: list[Counts]) -> Counts:
    total = Counts("total", Times(), Times())
    for row in rows:
        total.merge(row)
    return total


def _cells(counts: Counts, total: Counts, columns: tuple[Column, ...]) -> dict[Column, str]:
    time, wall = counts.time, counts.wall
    share = 100.0 * _float(time.total_ns)
    if share:
        share /= _float(total.time.total_ns)
    if counts is total:
        share = 100.0
        average = str(int(_float(time.total_ns) / counts.calls * 1e6))
        wall_average = str(int(_float(wall.total_ns) / counts.calls * 1e6))
    else:
        average = _microseconds(_average_ns(time, counts.calls))
        wall_average = _microseconds(_average_ns(wall, counts.calls))
    return {
        Column.PERCENT: f"{share:.2f}",
        Column.TOTAL: _seconds(time.total_ns),
        Column.MIN: _seconds(time.min_ns),
        Column.MAX: _seconds(time.max_ns),
        Column.AVG: average,
        Column.WALL_TOTAL: _seconds(wall.total_ns),
        Column.WALL_MIN: _seconds(wall.min_ns),
        Column.WALL_MAX: _seconds(wall.max_ns),
        Column.WALL_AVG: wall_average,
        Column.CALLS: str(counts.calls),
        Column.ERRORS: str(counts.errors) if counts.errors else "",
        Column.NAME: counts.name,
        **{column: write(counts) for column, write in _OURS.items() if column in columns},
    }


def _widths(rows: list[Counts], total: Counts, columns: tuple[Column, ...]) -> dict[Column, int]:
    """Widths of the columns: those of the headings, unless something is longer."""

    def whole_seconds(ns: int) -> int:
        return len(f"{ns // 1_000_000_000}.000000")

    widest = {
        Column.PERCENT: len("100.00"),
        Column.CALLS: len(str(total.calls)),
        Column.ERRORS: len(str(total.errors)),
        Column.NAME: max(len(row.name) for row in rows) + 1,
        **{
            column: max(len(write(row)) for row in (*rows, total))
            for column, write in _OURS.items()
            if column in columns
        },
    }
    for times, (of_total, of_min, of_max, of_avg) in (
        ([row.time for row in rows], (Column.TOTAL, Column.MIN, Column.MAX, Column.AVG)),
        (
            [row.wall for row in rows],
            (Column.WALL_TOTAL, Column.WALL_MIN, Column.WALL_MAX, Column.WALL_AVG),
        ),
    ):
        averages = [_average_ns(t, row.calls) for t, row in zip(times, rows, strict=True)]
        widest[of_total] = len(_seconds(sum(t.total_ns for t in times)))
        widest[of_min] = whole_seconds(max(t.min_ns for t in times))
        widest[of_max] = whole_seconds(max(t.max_ns for t in times))
        widest[of_avg] = len(_microseconds(max(averages)))
    return {column: max(_HEADINGS[column][1], width) for column, width in widest.items()}


def _table(rows: list[Counts], columns: tuple[Column, ...]) -> str:
    total = _total(rows)
    widths = _widths(rows, total, columns)

    def line(cells: dict[Column, str]) -> str:
        written = []
        for i, column in enumerate(columns):
            text = cells[column]
            if column not in _LEFT:
                text = text.rjust(widths[column])
            elif i < len(columns) - 1:
                text = text.ljust(widths[column])
            written.append(text)
        return " ".join(written) + "\n"

    rule = " ".join("-" * widths[column] for column in columns) + "\n"
    body = "".join(line(_cells(row, total, columns)) for row in rows)
    heading = line({column: text for column, (text, _) in _HEADINGS.items()})
    return heading + rule + body + rule + line(_cells(total, total, columns))


_MODES = {Abi.I386: "32 bit", Abi.X32: "x32"}


def render(
    summary: Summary,
    columns: tuple[Column, ...] = DEFAULT_COLUMNS,
    sort: Column | None = Column.PERCENT,
) -> str:
    """Write the tables, one for each ABI by which calls were made.

    Shape: ``columns`` ends where the caller says; ``sort`` None leaves the order of numbers.
    """
    text = ""
    for abi in Abi:
        found = rows(summary, abi, sort)
        if not found:
            continue
        if abi in _MODES:
            text += f"System call usage summary for {_MODES[abi]} mode:\n"
        text += _table(found, columns)
    return text
