"""--color on the command line."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.tracing import PYTRACER, TIMEOUT_S, run

TRACE = (PYTRACER, "--backend=ptrace", "-e", "trace=write")
ESCAPE = "\033["


def on_a_terminal(*options: str, **environment: str) -> str:
    """What a terminal on standard error gets."""
    ours, theirs = os.openpty()
    try:
        env = {**os.environ, "TERM": "xterm", **environment}
        for name in [name for name in ("NO_COLOR",) if name not in environment]:
            env.pop(name, None)
        done = subprocess.run(
            [*TRACE, *options, "echo", "said"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=theirs,
            env=env,
            timeout=TIMEOUT_S,
            check=False,
        )
        assert done.returncode == 0
        os.set_blocking(ours, False)
        return os.read(ours, 1 << 16).decode()
    finally:
        os.close(ours)
        os.close(theirs)


def test_a_terminal_has_colours() -> None:
    text = on_a_terminal()
    assert ESCAPE in text
    assert "write" in text
    assert ESCAPE in on_a_terminal("--color")


@pytest.mark.parametrize(
    ("options", "environment"),
    [((), {"NO_COLOR": "1"}), ((), {"TERM": "dumb"}), (("--color=never",), {})],
)
def test_not_where_they_are_not_wanted(
    options: tuple[str, ...], environment: dict[str, str]
) -> None:
    assert ESCAPE not in on_a_terminal(*options, **environment)


def test_a_file_has_none_but_always(tmp_path: Path) -> None:
    for options, colored in (((), False), (("--color=auto",), False), (("--color=always",), True)):
        run(*TRACE, *options, "-o", "log", "echo", "said", cwd=tmp_path)
        assert (ESCAPE in (tmp_path / "log").read_text()) is colored
    run(*TRACE, "--color=always", "-ff", "-o", "each", "echo", "said", cwd=tmp_path)
    (file,) = tmp_path.glob("each.*")
    assert ESCAPE in file.read_text()


def test_bad_words_and_json() -> None:
    ended = run(*TRACE, "--color=bogus", "true")
    assert (ended.status, ended.err.splitlines()[0]) == (
        1,
        f"{PYTRACER}: invalid --color argument: 'bogus'",
    )
    ended = run(*TRACE, "--color=always", "--json", "true")
    assert ended.status == 1
    assert ended.err.count("\n") == 1
