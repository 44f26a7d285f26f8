"""Colours are put into text, and nothing else is done to it."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytracer.output.text.color import ColorSink
from tests.output.scene import Text

NAMES = {33: "y", 35: "m", 34: "b", 39: "d", 36: "c", 32: "g", 31: "r"}
LINES = (
    'openat(AT_FDCWD, "/etc/passwd", O_RDONLY|O_CLOEXEC) = 3</etc/passwd> <0.000012>\n',
    'openat(AT_FDCWD, "absent \\"(\\" ", O_RDONLY) = -1 ENOENT (No such file or directory)\n',
    "[pid  4711] wait4(-1,  <unfinished ...>\n",
    "[pid  4711] <... wait4 resumed>[{WIFEXITED(s) && WEXITSTATUS(s) == 0}], 0, NULL) = 7\n",
    "17:00:00.123456 fstat(3, {st_mode=S_IFREG|0644, st_dev=makedev(0x8, 0x1), ...}) = 0\n",
    "--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED} ---\n",
    "[pid 18918] +++ exited with 7 +++\n",
    "poll([{fd=3, events=POLLIN}], 1, -1) = 1 ([{fd=3, revents=POLLIN}])\n",
    "exit_group(0)                           = ?\n",
    "read(3</tmp/a)b>, 0x7ffc /* 3 vars */, 5) = ? ERESTARTSYS (To be restarted)\n",
    " > /usr/lib/libc.so.6(__read+0x11) [0x10]\n",
    "[ Process PID=7 runs in 32 bit mode. ]\n",
)


def painted(*pieces: str) -> str:
    sink = Text()
    output = ColorSink(sink)
    for piece in pieces:
        output.write(piece)
    return sink.text


def plain(text: str) -> str:
    return re.sub(r"\033\[\d+m", "", text)


def marked(text: str) -> str:
    """Colours as letters, for reading: m{...}."""
    named = re.sub(r"\033\[(\d\d)m", lambda match: f"{NAMES[int(match[1])]}«", text)
    return named.replace("\033[0m", "»")


@pytest.mark.parametrize(
    ("line", "looks"),
    [
        (
            LINES[0],
            'y«openat»(b«AT_FDCWD», m«"/etc/passwd"», b«O_RDONLY|O_CLOEXEC») = '
            "g«3</etc/passwd>» <0.000012>\n",
        ),
        (
            LINES[1],
            'y«openat»(b«AT_FDCWD», m«"absent \\"(\\" "», b«O_RDONLY») = '
            "g«-1»r« ENOENT (No such file or directory)»\n",
        ),
        (LINES[2], "[m«pid  4711»] y«wait4»(m«-1», » <unfinished ...>\n".replace("», » ", "»,  ")),
        (LINES[6], "[m«pid 18918»] m«+++ exited with 7 +++»\n"),
        (LINES[8], "y«exit_group»(m«0»)                           = g«?»\n"),
        (
            LINES[9],
            "y«read»(m«3</tmp/a)b>», m«0x7ffc» c«/* 3 vars */», m«5») = "
            "g«?»r« ERESTARTSYS (To be restarted)»\n",
        ),
        (LINES[10], LINES[10]),
        (LINES[11], LINES[11]),
    ],
)
def test_looks(line: str, looks: str) -> None:
    assert marked(painted(line)) == looks


def test_only_colours_are_added() -> None:
    assert plain(painted("".join(LINES))) == "".join(LINES)


def test_a_line_may_come_in_pieces() -> None:
    whole = painted(LINES[0])
    assert painted('openat(AT_FDCWD, "/etc/passwd"', *LINES[0].split('"/etc/passwd"')[1:]) == whole
    # The next line begins anew, whatever the one before was.
    for line in LINES:
        assert painted(line, LINES[0]).endswith(whole)


@given(st.lists(st.text(alphabet='abAB_=<>(){}[]|"\\/*, \n.0?+-#>', max_size=40), max_size=4))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_nothing_is_lost_of_any_text(pieces: list[str]) -> None:
    assert plain(painted(*pieces)) == "".join(pieces)
