"""-h names every option that is served, and none that is not."""

from __future__ import annotations

import re

import pytest

from pytracer.cli.grammar import LONG, OWN, Given, Option
from pytracer.cli.help import usage, version
from pytracer.cli.messages import Failure
from pytracer.cli.refusing import refuse

TEXT = usage("pytracer")
# Spellings of what stands there under another name.
ALIASES = {
    "daemonised",
    "daemonized",
    "silent",
    "silence",
    "timestamps",
    "failing-only",
    "signals",
    "stack-traces",
    "pidns-translation",
}


def served(option: Option) -> bool:
    try:
        refuse(Given(option.key, f"--{option.name}", "read"))
    except Failure:
        return False
    return True


@pytest.mark.parametrize("option", [*LONG, *OWN], ids=lambda option: option.name)
def test_options_are_named_when_they_are_served(option: Option) -> None:
    named = re.search(rf"--{option.name}(?![a-z-])", TEXT) is not None
    if option.name in ALIASES:
        return
    assert named is served(option)


def test_the_text_is_plain() -> None:
    assert max(map(len, TEXT.splitlines())) <= 88
    assert "{" not in TEXT.replace("{ -p PID", "").replace("{SYSCALL", "")
    assert usage("./x").startswith("Usage: ./x [-")


def test_version() -> None:
    assert re.match(r"pytracer -- version \d+\.\d+\.\d+\n", version())
