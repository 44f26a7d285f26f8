"""Sets of calls, signals, statuses and descriptors."""

from __future__ import annotations

import re

import pytest

from pytracer.cli.expressions import (
    calls,
    descriptors,
    signals,
    words,
)
from pytracer.cli.messages import Failure
from pytracer.cli.numerals import time_ns, unsigned
from pytracer.decode.callsets import CLASSES, CallSet
from pytracer.decode.catalogue import numbers
from pytracer.event.schema import Abi
from pytracer.output.style import Status

STATUSES = {status.value: status for status in Status}


def names(found: CallSet, abi: Abi = Abi.X86_64) -> set[str]:
    return {name for nr, (name, _) in numbers(abi).items() if (abi, nr) in found}


def every(abi: Abi = Abi.X86_64) -> set[str]:
    return {name for name, _ in numbers(abi).values()}


def test_names_mean_every_abi() -> None:
    found = calls("read,stat64")
    assert names(found) == {"read"}
    assert names(found, Abi.I386) == {"read", "stat64"}
    assert names(found, Abi.X32) == {"read"}


def test_negations_cancel_out() -> None:
    assert names(calls("!read")) == every() - {"read"}
    assert names(calls("!!read")) == {"read"}
    assert names(calls("!!!read")) == every() - {"read"}


@pytest.mark.parametrize(("text", "whole"), [("all", True), ("none", False), ("!none", True)])
def test_all_and_none(text: str, whole: bool) -> None:
    found = calls(text)
    assert found.everything is whole
    assert found.empty is not whole


def test_designators_limit_to_an_abi() -> None:
    found = calls("read@64,write@32,open@x32")
    assert names(found) == {"read"}
    assert names(found, Abi.I386) == {"write"}
    assert names(found, Abi.X32) == {"open"}


def test_numbers() -> None:
    assert names(calls("0@64")) == {"read"}
    assert names(calls("1@32"), Abi.I386) == {"exit"}


def test_expressions_are_those_of_posix() -> None:
    assert names(calls("/^p?read(64|v2?)$")) == {
        name for name in every() if re.fullmatch("p?read(64|v2?)", name)
    }
    assert names(calls("/^[[:alpha:]]{4}$")) == {
        name for name in every() if len(name) == 4 and name.isalpha()
    }


def test_question_marks_make_a_token_optional() -> None:
    assert names(calls("?nonesuch,read")) == {"read"}
    assert names(calls("?nonesuch")) == set()
    assert names(calls("??read")) == {"read"}


@pytest.mark.parametrize("name", CLASSES)
def test_classes_hold_something(name: str) -> None:
    assert names(calls(name)) or names(calls(name), Abi.I386)


def test_classes_join_and_negate() -> None:
    both = names(calls("%network,%file"))
    assert both == names(calls("%net")) | names(calls("file"))
    assert {"openat", "connect"} <= both
    assert names(calls("!%network,%file")) == every() - both


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nonesuch", "invalid system call 'nonesuch'"),
        ("read,nonesuch", "invalid system call 'nonesuch'"),
        ("", "invalid system call ''"),
        ("!", "invalid system call '!'"),
        (",", "invalid system call ','"),
        ("%FILE", "invalid system call '%FILE'"),
        ("999999", "invalid system call '999999'"),
        ("1a", "invalid system call '1a'"),
        ("/nonesuch", "invalid system call '/nonesuch'"),
        ("/(", "regcomp: (: Unmatched ( or \\("),
        (
            "read@99",
            "incorrect personality designator '99' in qualification 'read@99'",
        ),
    ],
)
def test_what_is_no_call(text: str, message: str) -> None:
    with pytest.raises(Failure) as caught:
        calls(text)
    assert caught.value.text == message


def test_signals() -> None:
    found = signals("int,SIGTERM,sigchld,32,RT_1")
    assert found.among(range(1, 65)) == {2, 15, 17, 32, 33}
    assert signals("!SIGIO").among(range(1, 32)) == set(range(1, 32)) - {29}
    for wrong in ("SIGNONE", "256", "SIGRT_0", "-1"):
        with pytest.raises(Failure, match=r"^invalid signal"):
            signals(wrong)


def test_statuses() -> None:
    assert words("failed,DETACHED", "status", STATUSES) == {Status.FAILED, Status.DETACHED}
    assert words("!failed", "status", STATUSES) == frozenset(Status) - {Status.FAILED}
    assert words("all", "status", STATUSES) == frozenset(Status)
    with pytest.raises(Failure, match=r"^invalid status 'x'$"):
        words("x", "status", STATUSES)


def test_descriptors() -> None:
    assert 3 in descriptors("3,5")
    assert 4 not in descriptors("3,5")
    assert 4 in descriptors("!3")
    for wrong in ("zz", "1-2", "", "!x"):
        with pytest.raises(Failure, match=r"^invalid descriptor"):
            descriptors(wrong)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7),
        (" 7", 7),
        ("+7", 7),
        ("-0", 0),
        ("-1", None),
        ("7x", None),
        ("", None),
        ("99999999999", None),
    ],
)
def test_whole_numbers(text: str, value: int | None) -> None:
    assert unsigned(text) == value


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("5", 5_000),
        ("2.5ms", 2_500_000),
        ("1e3ns", 1_000),
        ("1s", 1_000_000_000),
        ("-1", None),
        ("1MS", None),
        ("x", None),
        ("", None),
    ],
)
def test_times(text: str, ns: int | None) -> None:
    assert time_ns(text) == ns
