"""The Python side of the wire against the C header, as a C compiler lays it out."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytracer.backend.ebpf import counts, members, namespace, plan, shared, targets, wire
from pytracer.backend.ebpf.shared import MARKS
from pytracer.backend.ebpf.source import source_folder
from pytracer.event import durations
from pytracer.event.files import FACTS, PIDFD, PSEUDO
from pytracer.spec.plan import Numbers

pytestmark = pytest.mark.needs_program("gcc")

_TYPES = """
#include <stdio.h>
#include <stddef.h>
typedef unsigned char u8; typedef unsigned short u16; typedef unsigned int u32;
typedef int s32; typedef long long s64; typedef unsigned long long u64;
#include "%s"
#define SAY(name, value) printf("%%s %%d\\n", name, (int)(value))
int main(void)
{
"""


def _durations() -> Iterator[int]:
    """The edges of all buckets, and what lies beyond them."""
    for lower in durations.LOWER_NS:
        yield from (max(lower - 1, 0), lower, lower + 1)
    yield from (1 << 40, (1 << 64) - 1)


_STREAM = {
    "sizeof(struct record)": wire.RECORD.size,
    "sizeof(struct region)": wire.REGION.size,
    "sizeof(struct event)": wire.EVENT.size,
    "sizeof(struct thread)": wire.THREAD_BYTES,
    "offsetof(struct thread, record)": wire.THREAD_HEAD.size,
    "offsetof(struct thread, left_ns)": wire.THREAD_HEAD.size - 16,
    "offsetof(struct record, ret)": wire.CALL_REST_AT,
    "offsetof(struct event, info)": wire.EVENT.size - 48,
    "offsetof(struct record, args)": wire.RECORD.size - 48,
    "sizeof(struct stats)": wire.STATS.size,
    "sizeof(struct facts)": FACTS.size,
    "offsetof(struct facts, address)": FACTS.size - 36,
    "offsetof(struct facts, name_bytes)": FACTS.size - 39,
    "FACTS_PSEUDO": PSEUDO,
    "FACTS_PIDFD": PIDFD,
    "REGION_DESCRIBES": wire.REGION_DESCRIBES,
    "STEP_DESCRIBE": plan._DESCRIBE,
    "STEP_REGISTERS": plan._REGISTERS,
    "REGION_REGISTERS": wire.REGION_REGISTERS,
    "PLACE_RESULT": plan._RESULT,
    "PLACE_STACK": plan._STACK,
    "NUMBERS_PASSED": plan._NUMBERS[Numbers.PASSED],
    "sizeof(struct step)": plan._STEP.size,
    "sizeof(struct call)": plan._CALL.size,
    "sizeof(struct shape)": plan._SHAPE.size,
    "sizeof(struct shape_key)": plan._SHAPE_KEY.size,
    "MAX_NR": wire.MAX_NR,
    "MARKS": MARKS,
    "MARK_SPARED": shared.SPARED[1],
    "sizeof(struct config)": namespace._CONFIG.size,
    "sizeof(struct choice)": members.CHOICE.size,
    "sizeof(struct group_key)": members.GROUP_KEY.size,
    "sizeof(struct group)": members.GROUP.size,
    "offsetof(struct group, node)": 8,
    "sizeof(struct edge)": members.EDGE.size,
    "JOIN_RUNNING": wire.JOIN_RUNNING,
    "RECORD_AGAIN": wire.RECORD_AGAIN,
    "CALL_DROP_FAST": wire.CALL_DROP_FAST,
    "RECORD_CALL": wire.RECORD_CALL,
    "RECORD_SIGNAL": wire.RECORD_SIGNAL,
    "STATE_ATTACHED": wire.STATE_ATTACHED,
    "STATE_CALL": wire.STATE_CALL,
    "STATE_LAUNCHING": wire.STATE_LAUNCHING,
    "STATE_GONE": wire.STATE_GONE,
    "WHY_NOBODYS": wire.WHY_NOBODYS,
    "WHY_LEAVING": wire.WHY_LEAVING,
    "CALL_CHUNK": wire.CALL_CHUNK,
    "CALL_NO_EXIT": wire.CALL_NO_EXIT,
    "CALL_UNSEEN": wire.CALL_UNSEEN,
    "CALL_FRAME": wire.CALL_FRAME,
    "CALL_SELECTS": wire.CALL_SELECTS,
    "REGION_SHORT": wire.REGION_SHORT,
    "REGION_MORE": wire.REGION_MORE,
    "SIGNAL_UNSEEN": wire.SIGNAL_UNSEEN,
    "SIGNAL_STOPS": wire.SIGNAL_STOPS,
}


_COUNT = {
    "sizeof(struct thread)": counts.THREAD.size,
    **{f"offsetof(struct thread, {name})": at for name, (_, at) in counts.FIELDS.items()},
    "sizeof(struct row_key)": counts.ROW_KEY.size,
    "offsetof(struct row_key, sub)": 8,
    "sizeof(struct counts)": counts.COUNTS.size,
    "offsetof(struct counts, buckets)": 8 * counts.BUCKETS_AT,
    "offsetof(struct counts, errnos)": 8 * counts.ERRNOS_AT,
    "sizeof(struct extremes)": 8 * counts._EXTREMES,
    "sizeof(struct counting)": counts.COUNTING.size,
    "sizeof(struct totals)": counts.TOTALS.size,
    "sizeof(struct birth)": counts.BIRTH.size,
    "USED_BUCKETS": durations.BUCKETS,
    "ERRNOS": counts._ERRNOS,
    "LAST_ERRNO": counts._LAST_ERRNO,
    "FIRST_RESTART": counts._FIRST_RESTART,
    "CALLS": counts.CALLS,
    "SLOT_UNWANTED": counts.SLOT_UNWANTED,
    "SLOT_ODD": counts.SLOT_ODD,
    "SLOT_MANY": counts.SLOT_MANY,
    "SLOT_MANY_LOW": counts.SLOT_MANY_LOW,
    "SLOT_STRANGE": counts.SLOT_STRANGE,
    "SLOT_FILE": counts.SLOT_FILE,
    "MOST_ROWS": counts.MOST_ROWS,
    "MOST_TARGETS": targets.MOST_TARGETS,
    "sizeof(struct ranking)": targets.RANKING.size,
    "sizeof(struct names)": targets.NAMES.size,
    "MOST_AUTOMATA": targets.MOST_AUTOMATA,
    "SIGNALS": counts.SIGNALS,
    "MARK_SPARED": shared.SPARED[2],
    "sizeof(struct marks)": 2 * MARKS,
    **{f"bucket_of({ns}ULL)": durations.bucket_of(ns) for ns in _durations()},
}


@pytest.mark.parametrize(("header", "expected"), [("stream.h", _STREAM), ("count.h", _COUNT)])
def test_layouts_and_constants_are_those_of_the_header(
    header: str, expected: dict[str, int], tmp_path: Path
) -> None:
    lines = "".join(f'SAY("{name}", {name});\n' for name in expected)
    source = tmp_path / "layout.c"
    source.write_text(f"{_TYPES % header}{lines}return 0;\n}}\n")
    program = tmp_path / "layout"
    command = ["gcc", f"-I{source_folder()}", "-o", str(program), str(source)]
    subprocess.run(command, check=True, timeout=60)
    said = subprocess.run([program], capture_output=True, text=True, check=True, timeout=60)
    found = {}
    for line in said.stdout.splitlines():
        name, _, value = line.rpartition(" ")
        found[name] = int(value)
    assert found == expected


def test_pieces_of_a_block_are_joined() -> None:
    def piece(address: int, data: bytes, flags: int) -> bytes:
        padded = data.ljust(-(-len(data) // 8) * 8, b"\0")
        return wire.REGION.pack(address, len(data), flags) + padded

    entry = wire.REGION_ENTRY
    data = (
        piece(0x1000, b"a" * 2040, entry | wire.REGION_MORE)
        + piece(0x1000 + 2040, b"b" * 7, entry | wire.REGION_SHORT)
        + piece(0x9000, b"out", 0)
        + piece(0x5000, b"", entry | wire.REGION_SHORT)
    )
    assert wire.regions(data, True) == [
        (0x1000, b"a" * 2040 + b"b" * 7, False),
        (0x5000, b"", False),
    ]
    assert wire.regions(data, False) == [(0x9000, b"out", True)]
