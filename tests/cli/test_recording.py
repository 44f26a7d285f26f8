"""--record and --replay as a user meets them."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path

import pytest

from pytracer.backend.ebpf import wire
from pytracer.event.recording import HEADER, MAGIC, Header, frame
from tests.cli.tracing import PYTRACER, kill, run, sleeper
from tests.programs.build import build

pytestmark = [pytest.mark.needs_ebpf, pytest.mark.slow]

BACKENDS = ("ebpf", "ptrace")
SCRIPT = "ls -l / >/dev/null; cat /etc/hostname; (exit 3); kill -USR1 $$"
STYLES = (
    (),
    ("-v", "-s", "199", "-x"),
    ("-T", "-ttt", "-i", "-n", "-C", "-w"),
    ("-C", "-U", "name,calls,errors,total-time,min-time,max-time,wall-total,p99"),
    ("-Z", "-N", "-e", "signal=none", "-a", "60"),
    ("-Y", "-e", "trace=kill,wait4,getpid"),
    ("-e", "trace=%file,close", "-e", "trace-fds=1", "-X", "raw", "-r"),
)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("style", STYLES, ids=" ".join)
def test_a_replay_gives_the_text_of_the_live_run(
    backend: str, style: tuple[str, ...], tmp_path: Path
) -> None:
    record, live, again = tmp_path / "record", tmp_path / "live", tmp_path / "again"
    words = ("-f", *style, "-o", str(live), "--record", str(record))
    first = run(PYTRACER, f"--backend={backend}", *words, "sh", "-c", SCRIPT)
    second = run(PYTRACER, "--replay", str(record), "-f", *style, "-o", str(again))
    assert first.status == -10 and second.status == 0, first.err + second.err
    assert live.read_text() == again.read_text()
    assert len(live.read_text()) > 100
    assert second.err == first.err


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_is_recorded_without_text_can_be_shown_in_any_style(
    backend: str, tmp_path: Path
) -> None:
    record = tmp_path / "record"
    first = run(PYTRACER, f"--backend={backend}", "-f", "--record", str(record), "sh", "-c", SCRIPT)
    assert (first.status, first.err) == (-10, "")
    assert stat.S_IMODE(record.stat().st_mode) == 0o600
    for style in (("-e", "trace=execve"), ("-c", "-w"), ("-e", "trace=execve", "-T", "-ff")):
        again = run(PYTRACER, "--replay", str(record), *style)
        assert again.status == 0
        assert "execve" in again.err
        assert "rt_sigaction" in again.err or "-e" in style
    one_file_each = tmp_path / "out"
    run(PYTRACER, "--replay", str(record), "-ff", "-o", str(one_file_each))
    assert len(list(tmp_path.glob("out.*"))) == 4  # sh, ls, cat, (exit 3)


@pytest.mark.parametrize("backend", BACKENDS)
def test_json_of_a_recording_is_that_of_the_live_run(backend: str, tmp_path: Path) -> None:
    record, live = tmp_path / "record", tmp_path / "live"
    words = ("--json", "-o", str(live), "--record", str(record), "ls", "/")
    assert run(PYTRACER, f"--backend={backend}", *words).status == 0
    again = run(PYTRACER, "--replay", str(record), "--json")
    assert again.out == live.read_text() and len(again.out.splitlines()) > 50
    calls = [each for each in map(json.loads, again.out.splitlines()) if "exit_ns" in each]
    assert calls and all("cpu_ns" in each for each in calls)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_recording_is_summed_up_as_the_live_run(backend: str, tmp_path: Path) -> None:
    record, live = tmp_path / "record", tmp_path / "live"
    chosen = ("-P", "/etc/hostname") if backend == "ebpf" else ()
    words = ("-C", "-f", *chosen, "-o", str(live), "--record", str(record), "sh", "-c", SCRIPT)
    run(PYTRACER, f"--backend={backend}", *words)
    again = run(PYTRACER, "--replay", str(record), "-c", *chosen)
    table = again.err[again.err.index("% time") :]
    assert again.status == 0 and "openat" in table
    assert live.read_text().endswith(table)


@pytest.mark.parametrize("backend", BACKENDS)
def test_json_of_a_summary_is_that_of_the_live_run(backend: str, tmp_path: Path) -> None:
    record, live, again = tmp_path / "record", tmp_path / "live", tmp_path / "again"
    words = ("--json", "-C", "-o", str(live), "--record", str(record), "ls", "/")
    assert run(PYTRACER, f"--backend={backend}", *words).status == 0
    run(PYTRACER, "--replay", str(record), "--json", "-C", "-o", str(again))
    told, replayed = ([*map(json.loads, f.read_text().splitlines())] for f in (live, again))
    assert told[-1]["calls"] == replayed[-1]["calls"]
    assert all("cpu" in each for each in told[-1]["calls"])
    assert told[:-1] == replayed[:-1]


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_attached_process_is_recorded(backend: str, tmp_path: Path) -> None:
    record = tmp_path / "record"
    target = sleeper()
    try:
        words = ("--duration=0.5", "-p", str(target.pid), "--record", str(record))
        first = run(PYTRACER, f"--backend={backend}", *words)
        again = run(PYTRACER, "--replay", str(record))
    finally:
        kill(target)
    told = [f"{PYTRACER}: Process {target.pid} {what}\n" for what in ("attached", "detached")]
    assert (first.status, first.err) == (0, "".join(told))
    assert again.status == 0
    text = again.err
    assert text.startswith(told[0])
    assert "clock_nanosleep(CLOCK_REALTIME, 0, {tv_sec=30" in text or backend == "ptrace"
    assert told[1] in text


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A recording of each backend."""
    found = {}
    for backend in BACKENDS:
        record = tmp_path_factory.mktemp("record") / backend
        words = ("-f", "--record", str(record), "sh", "-c", "ls /; ls /")
        assert run(PYTRACER, f"--backend={backend}", *words).status == 0
        found[backend] = record.read_bytes()
    return found


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("part", [0.5, 0.99])
def test_a_recording_that_is_cut_off(
    backend: str, part: float, recorded: dict[str, bytes], tmp_path: Path
) -> None:
    record, whole = tmp_path / "record", tmp_path / "whole"
    whole.write_bytes(recorded[backend])
    record.write_bytes(recorded[backend][: int(len(recorded[backend]) * part)])
    for file in (whole, record):
        words = ("--replay", str(file), "-o", f"{file}.txt", "-s", "999")
        ended = run(PYTRACER, *words)
        assert ended.status == (file is record)
    last = ended.err.splitlines()[-1]
    why = "it ends too early: shown is what can be read of it"
    assert last == f"{PYTRACER}: {record}: {why}"
    expected = Path(f"{whole}.txt").read_text().splitlines()
    found = Path(f"{record}.txt").read_text().splitlines()
    assert [line for line in found if line not in expected and "<detached ...>" not in line] == []


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_recording_that_is_damaged(
    backend: str, recorded: dict[str, bytes], tmp_path: Path
) -> None:
    record = tmp_path / "record"
    data = bytearray(recorded[backend])
    data[len(data) * 2 // 3] ^= 0x40
    record.write_bytes(data)
    ended = run(PYTRACER, "--replay", str(record), "-o", str(tmp_path / "text"))
    assert ended.status == 1
    assert "a part of it is damaged: shown is what can be read of it" in ended.err
    assert "Traceback" not in ended.err and "internal error" not in ended.err
    if backend == "ebpf":
        assert "events lost: the recording is damaged" in ended.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--replay", "/etc/passwd"), "cannot be replayed: it is not a recording of pytracer"),
        (("--replay", "/nowhere"), "Can't open '/nowhere': No such file or directory"),
        (("--replay", "/etc"), "Can't open '/etc': Is a directory"),
        (("--replay", "r", "ls"), "--replay takes no PROG, but 'ls' was given"),
        (("--replay", "r", "-p", "1"), "-p/--attach cannot be used with --replay"),
        (("--replay", "r", "--duration=1"), "--duration cannot be used with --replay"),
        (("--replay", "r", "--record", "s"), "--record cannot be used with --replay"),
        (("--record", "/dev/full", "ls"), "'/dev/full' is not a regular file"),
        (("--record", "/nowhere/r", "ls"), "Can't open '/nowhere/r' for --record: No such file"),
        (("--record", "r", "-c", "ls"), "-c/--summary-only has no effect with --record"),
        (("--spool-size", "many", "ls"), "--spool-size must be a number of bytes"),
    ],
)
def test_what_does_not_go_together_is_said_in_one_line(
    words: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    ended = run(PYTRACER, *words, cwd=tmp_path)
    assert ended.status == 1
    assert said in ended.err
    assert len(ended.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("layout", "words", "said"),
    [
        (wire.LAYOUT ^ 1, (), "another version of pytracer made it, with other slices"),
        (
            wire.LAYOUT,
            ("-c",),
            "the recording tells no CPU time: use -w with -c or -C, or record again",
        ),
        (
            wire.LAYOUT,
            ("-C",),
            "the recording tells no CPU time: use -w with -c or -C, or record again",
        ),
        (wire.LAYOUT, ("-c", "-w"), "it ends too early"),
    ],
)
def test_what_an_older_recording_cannot_tell_is_refused(
    layout: int, words: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    header = Header("slices", 0, layout, counters=wire.Stats._fields)
    record = tmp_path / "record"
    text = header.encode()
    record.write_bytes(MAGIC + frame(HEADER, [text]) + text)
    ended = run(PYTRACER, "--replay", str(record), *words)
    assert ended.status == 1
    assert said in ended.err and len(ended.err.splitlines()) <= 2


def test_no_link_of_somebody_else_is_followed(tmp_path: Path) -> None:
    folder, victim = tmp_path / "open", tmp_path / "victim"
    folder.mkdir()
    folder.chmod(0o777)
    victim.write_text("precious")
    (folder / "record").symlink_to(victim)
    os.lchown(folder / "record", 65534, 65534)
    ended = run(PYTRACER, "--record", str(folder / "record"), "true")
    assert ended.status == 1 and "Too many levels of symbolic links" in ended.err
    assert victim.read_text() == "precious"
    theirs = folder / "theirs"
    theirs.touch()
    os.chown(theirs, 65534, 65534)
    ended = run(PYTRACER, "--record", str(theirs), "true")
    assert ended.status == 1 and "belongs to somebody else" in ended.err


def test_what_the_recording_cannot_tell_is_said(recorded: dict[str, bytes], tmp_path: Path) -> None:
    record = tmp_path / "record"
    record.write_bytes(recorded["ebpf"])
    ended = run(PYTRACER, "--replay", str(record), "-o", "/dev/null", "-s", "99", "-v")
    assert ended.status == 0
    assert "-s/--string-limit: 32 bytes of each string were recorded" in ended.err
    assert "-v/--no-abbrev: it was not given when recording" in ended.err
    start = recorded["ebpf"].index(b'{"events"')
    tables = json.loads(recorded["ebpf"][start:].partition(b"\n")[0])["tables"]
    assert len(tables) == 16


def test_what_has_to_be_looked_up_is_looked_up_when_recording(tmp_path: Path) -> None:
    record = tmp_path / "record"
    words = ("--backend=ebpf", "--record", str(record), str(build("cold_write.c")))
    assert run(PYTRACER, *words).status == 0
    again = run(PYTRACER, "--replay", str(record), "-e", "trace=write")
    assert 'write(4, "nobody reads this", 17)' in again.err


def test_the_end_of_a_program_with_full_rings_is_heard_of(tmp_path: Path) -> None:
    # Its end may be sent at the moment at which the rings are emptied for all those calls.
    record = tmp_path / "record"
    script = "import os\nfor _ in range(59_999): os.getppid()"
    for _ in range(19):
        words = ("--backend=ebpf", "--record", str(record), sys.executable, "-Sc", script)
        assert run(PYTRACER, *words).status == 0
        record.unlink()
