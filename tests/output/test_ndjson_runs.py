"""Calls that come in runs are told in JSON as they are told one by one."""

from __future__ import annotations

import json

import pytest

from pytracer.decode.decoder import DecodeOptions, Decoder
from pytracer.event.memory import NO_MEMORY, Patched
from pytracer.event.schema import Abi, Run, WholeCall
from pytracer.output.ndjson.lines import NdjsonOutput, Start
from pytracer.output.style import LineStyle, Status, Style
from tests.output import accounts
from tests.output.scene import Text
from tests.output.test_runs import ONE, Names, Parts, run_of

START = Start("ebpf", "6.1", 1_700_000_000_000_000_000)


def told(
    run: Run,
    style: Style | None = None,
    lines: LineStyle | None = None,
    options: DecodeOptions | None = None,
    names: Names | None = None,
) -> str:
    """What is told of a run, which is the same at once and call by call."""
    found = []
    for at_once in (True, False):
        sink = Text()
        decoder = Decoder(options, None if names is None else Names())
        output = NdjsonOutput(sink, START, style, lines)
        if at_once:
            output.run(run, decoder)
        else:
            for event in run.events():
                output.handle(event, decoder.handle(event))
        output.close()
        found.append(sink.text)
    assert found[0] == found[1]
    accounts.validate(accounts.read(found[0]))
    return found[0]


@pytest.mark.parametrize(
    "lines",
    [
        LineStyle(),
        LineStyle(ip=True),
        LineStyle(statuses=frozenset({Status.FAILED})),
        LineStyle(statuses=frozenset({Status.FAILED, Status.SUCCESSFUL}), slower_than_ns=1_007),
    ],
    ids=["plain", "ip", "failed", "slow"],
)
def test_objects_are_those_of_single_calls(lines: LineStyle) -> None:
    assert '"EACCES"' in told(run_of(), lines=lines) or lines.slower_than_ns


def test_values_are_those_of_single_calls() -> None:
    assert '"statbuf":"0x4000"' in told(run_of(), Style(undecoded=frozenset({"fstat"})))
    assert "_more" not in told(run_of(), options=DecodeOptions(whole=True))


def test_calls_that_are_not_wanted_are_not_told() -> None:
    wanted = {abi: frozenset({0, 3}) for abi in Abi}
    assert "openat" not in told(run_of(), options=DecodeOptions(syscalls=wanted))


def test_what_the_target_calls_otherwise_is_decoded_so() -> None:
    assert '"abi":"x32"' in told(run_of(Abi.X32))


def test_descriptors_are_asked_about_each_time() -> None:
    assert '"path"' in told(run_of(), names=Names())


def test_a_call_that_was_told_is_not_decoded_again() -> None:
    opened: list[int] = []
    run = run_of(opened=opened)
    run.calls = [call for call in run.calls if call[0] is ONE and call[3] != b"11"]
    NdjsonOutput(Text(), START).run(run, Decoder())
    assert len(run.calls) == 2 * len(opened)


def test_what_was_filled_in_later_is_told_of_that_call_alone() -> None:
    asked = []

    def open_call(call: WholeCall) -> Parts:
        asked.append(call)
        memory = Patched([(0x3000, b"", False), (0x3000, b"abc"[: len(asked)], True)])
        return 1, (3, 0x3000, 1, 0, 0, 0), 1, 0, memory, NO_MEMORY

    run = Run(Abi.X86_64, [(ONE, 1, 2, b"same", None), (ONE, 3, 4, b"same", None)], open_call)
    told(run)
    assert len(asked) == 4


@pytest.mark.parametrize("cpu_ns", [None, 0, 7])
def test_the_cpu_time_of_each_call_is_told_where_it_is_known(cpu_ns: int | None) -> None:
    run = run_of()
    run.calls = [(*call[:4], cpu_ns) for call in run.calls]
    objects = [json.loads(line) for line in told(run).splitlines()]
    calls = [each for each in objects if each["type"] == "syscall"]
    assert [each.get("cpu_ns") for each in calls] == [cpu_ns] * len(run.calls)
    assert all("cpu_ns" in each for each in calls) is (cpu_ns is not None)
