"""What pytracer says to a user, and exits with, is what strace says."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.differential.run import PYTRACER, STRACE, environment

pytestmark = pytest.mark.needs_program("strace")

# Bad input: one line, exit status 1.
REFUSED = (
    "",
    "--nonesuch true",
    "-j true",
    "-e trace=nonesuch true",
    "-e trace=%nonesuch true",
    "-e trace=/( true",
    "-e trace=write,nonesuch true",
    "-e nonesuch=1 true",
    "-e signal=SIGNONESUCH true",
    "-e status=nonesuch true",
    "-e quiet=nonesuch true",
    "-e raw=nonesuch true",
    "-e fault=nonesuch true",
    "-p 0",
    "-p x",
    "-p 99999999",
    "-p 1,x",
    "-s x true",
    "-s -1 true",
    "-a x true",
    "-I 9 true",
    "-X nonesuch true",
    "-S nonesuch -c true",
    "-U nonesuch -c true",
    "-O x -c true",
    "-b nonesuch true",
    "-u nonesuch true",
    "-o /nonexistent/folder/log true",
    "-c -C true",
    "-D -p 1",
    "-o",
    "--string-limit=x true",
    "--decode-fds=nonesuch true",
    "--syscall-times=nonesuch true",
    "--absolute-timestamps=nonesuch true",
    "--relative-timestamps=nonesuch true",
    "--follow-forks=1 true",
    "--interruptible=nonesuch true",
)

# strace 7.2 words these otherwise than 6.1: program and message, without the tracer's name.
REWORDED = (
    ("nonexistentprogram", "Cannot find executable 'nonexistentprogram'"),
    ("./absent", "Cannot stat './absent': No such file or directory"),
    ("/nonexistent/absent", "Cannot stat '/nonexistent/absent': No such file or directory"),
)


def _say(tracer: Sequence[str], words: Sequence[str], place: Path) -> tuple[int, list[str]]:
    done = subprocess.run(
        [*tracer, *words],
        cwd=place,
        env=environment(place, {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    name = re.escape(tracer[0])
    lines = [
        re.sub(rf"^{name}: |'{name} -h'", "TRACER ", line) for line in done.stderr.splitlines()
    ]
    return done.returncode, lines


@pytest.mark.parametrize("words", REFUSED)
def test_refuses_as_strace_does(words: str, tmp_path: Path) -> None:
    given = words.split()
    assert _say(PYTRACER, given, tmp_path) == _say(STRACE, given, tmp_path)


@pytest.mark.parametrize(("program", "message"), REWORDED)
def test_says_which_program_is_missing(program: str, message: str, tmp_path: Path) -> None:
    assert _say(STRACE, [program], tmp_path)[0] == 1
    assert _say(PYTRACER, [program], tmp_path) == (1, [f"TRACER {message}"])


def test_says_that_a_file_cannot_be_executed(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a program")
    (tmp_path / "garbage").write_text("not a program")
    (tmp_path / "garbage").chmod(0o755)
    for word in ("./data", "./garbage", "/", "."):
        ours, theirs = (_say(tracer, [word], tmp_path) for tracer in (PYTRACER, STRACE))
        if word == ".":
            assert ours == (1, ["TRACER Cannot find executable '.'"])
        else:
            assert _without_addresses(ours) == _without_addresses(theirs)


def _without_addresses(said: tuple[int, list[str]]) -> tuple[int, list[str]]:
    return said[0], [re.sub(r"0x[0-9a-f]+", "ADDRESS", line) for line in said[1]]


@pytest.mark.parametrize("backend", ["ptrace", "ebpf"])
@pytest.mark.parametrize("duration", ["0", "-1", "x", "nan", "inf", ""])
def test_refuses_a_duration_that_is_not_positive(
    backend: str, duration: str, tmp_path: Path
) -> None:
    status, lines = _say(
        PYTRACER, [f"--backend={backend}", f"--duration={duration}", "true"], tmp_path
    )
    assert status == 1
    assert len(lines) == 1
    assert "--duration" in lines[0]


def test_exits_as_the_program_does(tmp_path: Path) -> None:
    for script in ("exit 0", "exit 7", "exit 255", "kill -TERM $$", "kill -9 $$"):
        words = ["-o", "/dev/null", "sh", "-c", script]
        assert _say(PYTRACER, words, tmp_path) == _say(STRACE, words, tmp_path), script
