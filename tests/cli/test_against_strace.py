"""Command lines made at random: what is wrong with them is what strace finds wrong with them."""

from __future__ import annotations

import random
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytracer.cli.grammar import LONG, SHORT, Takes
from pytracer.cli.messages import Failure, Messages
from pytracer.cli.reading import Reader
from tests.cli.tracing import STRACE

pytestmark = [pytest.mark.needs_program(STRACE), pytest.mark.slow]

LINES = 307
PROGRAM = "/nonexistent/program"
# What 6.1 does not know, what we refuse, and what prints something of its own.
LEFT_OUT = {
    "argv0", "stack-trace", "stack-trace-frame-limit", "syscall-limit", "kill-on-exit", "N",
    "always-show-pid", "color", "trace-fds", "namespace", "k", "read", "write", "fault", "inject",
    "kvm", "tips", "secontext", "pidns-translation", "h", "V", "d",
}  # fmt: skip
VALUES = (
    "", "0", "1", "7", "-1", "x", "3", "4", "5", "9", "1,2", "99999999999", "1.5ms", "2s",
    "all", "none", "!all", "read", "!read,write", "?x", "%file", "/^open", "nonesuch", "read@64",
    "s", "ms", "ns", "us", "unix", "format:time", "precision:ms", "path", "raw", "verbose",
    "abbrev", "execve", "calls", "name,calls", "min-time", "exit", "attach", "failed", "pgroup",
    "session", "int", "SIGTERM", "non-ascii", "trace=read", "t=x", "s=int", "q=exit", "v=none",
    "a=read", "status=failed", "decode-fds=path", "abbrev=none", "raw=all", "signal=!int",
)  # fmt: skip
LETTERS = [letter for letter in SHORT if letter not in LEFT_OUT] + ["J"]
NAMES = [option for option in LONG if option.key not in LEFT_OUT]
# Said by 6.1 once the options are read; 7.2 words some of them anew.
LATER = (
    "Can't stat",
    "Cannot find user",
    "Can't fopen",
    "Requested path",
    "Seccomp filter",
    "sh: ",
)


def an_option(source: random.Random) -> list[str]:
    if source.random() < 0.4:
        option = source.choice(NAMES)
        name = option.name
        if source.random() < 0.3:
            name = name[: source.randint(2, len(name))]
        if source.random() < 0.5:
            return [f"--{name}={source.choice(VALUES)}"]
        if option.takes is Takes.ARGUMENT:
            return [f"--{name}", source.choice(VALUES)]
        return [f"--{name}"]
    cluster = "-"
    for _ in range(source.randint(1, 3)):
        letter = source.choice(LETTERS)
        cluster += letter
        if SHORT.get(letter) is Takes.ARGUMENT:
            value = source.choice(VALUES)
            return [cluster + value] if value and source.random() < 0.5 else [cluster, value]
    return [cluster]


@dataclass
class Said(Messages):
    """Keeps what would be written."""

    program: str = STRACE
    text: str = ""

    def write(self, text: str) -> None:
        self.text += text


def ours(words: list[str]) -> list[str]:
    said = Said()
    try:
        Reader(said, -1).read(words)
    except Failure as failure:
        said.fail(failure)
    return said.text.splitlines()


def theirs(words: list[str], place: Path) -> list[str] | None:
    """What strace says about the options; None when it has got further than that."""
    done = subprocess.run(
        [STRACE, *words],
        cwd=place,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    if not done.returncode or any(
        word in done.stderr for word in ("exec: ", "attach: ", "+++ exited", "execve(")
    ):
        return None
    return [line for line in done.stderr.splitlines() if not any(late in line for late in LATER)]


@pytest.mark.parametrize("seed", [2, 3, 5])
def test_finds_wrong_what_strace_finds_wrong(seed: int, tmp_path: Path) -> None:
    source = random.Random(seed)
    compared = 0
    for _ in range(LINES):
        words = [word for _ in range(source.randint(1, 4)) for word in an_option(source)]
        if source.random() < 0.9:
            words.append(PROGRAM)
        expected, found = theirs(words, tmp_path), ours(words)
        # 7.2 has more names than 6.1, and so other abbreviations are ambiguous.
        if expected is not None and "ambiguous" not in "".join(expected + found):
            compared += 1
            assert found == expected, words
    assert compared > LINES // 2
