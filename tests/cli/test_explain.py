"""--explain SYSCALL."""

from __future__ import annotations

import pytest

from pytracer.cli.explain import explain
from pytracer.cli.messages import Failure
from pytracer.decode.catalogue import describe, numbers
from pytracer.event.schema import Abi
from tests.cli.tracing import PYTRACER, run

NAMES = sorted({name for abi in Abi for name, _ in numbers(abi).values()})


def test_every_call_can_be_explained() -> None:
    for name in NAMES:
        text = explain(name)
        assert text.startswith(f"{name}(")
        assert text.endswith("\n")
        assert all(len(line) <= 120 for line in text.splitlines()), text
        assert "??" not in text
        assert "<" not in text, "no object of Python's shows"


def test_all_arguments_and_groups_are_told() -> None:
    text = explain("openat")
    entry = describe(Abi.X86_64, 257)
    for word in (*entry.args, *entry.classes, "257 (x86_64)", "295 (i386)", "O_CLOEXEC"):
        assert word in text
    assert "only where flags & " in text
    assert "pathname: a string of up to 4096 bytes" in text


def test_what_is_captured_when() -> None:
    entry, exit_ = "Captured at the entry", "Captured at the exit"
    assert exit_ in explain("read")
    assert entry not in explain("read")
    assert entry in explain("write")
    assert exit_ not in explain("write")
    assert "No memory is captured" in explain("getpid")
    assert "a netlink socket, up to 65536" in explain("recvfrom")
    assert "a netlink socket" not in explain("read")


def test_an_unknown_name_is_a_failure_with_a_hint() -> None:
    with pytest.raises(Failure, match=r"did you mean .*openat"):
        explain("opennat")
    with pytest.raises(Failure, match="no system call is called 'zzzzz'"):
        explain("zzzzz")


def test_on_the_command_line() -> None:
    ended = run(PYTRACER, "--explain", "read")
    assert (ended.status, ended.err) == (0, "")
    assert ended.out == explain("read")
    ended = run(PYTRACER, "--explain=nothing", "true")
    assert ended.status == 1
    assert ended.err.count("\n") == 1
