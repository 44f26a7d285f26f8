"""The command, from its options to its end."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytracer import __version__
from tests.exporter.running import COMMAND, LIMIT_S, Exporter, ended, exporter


def test_tells_its_version() -> None:
    done = ended("--version")
    assert (done.returncode, done.stdout) == (0, f"pytracer-exporter {__version__}\n")


def test_tells_its_options() -> None:
    done = ended("--help")
    assert done.returncode == 0
    assert "--unit [NAME=]UNIT" in done.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "there is nothing to watch: give --unit"),
        (["--nonsense"], "No such option: --nonsense"),
        (["word", "--all"], "extra argument"),
        (["--unit"], "requires an argument"),
        (["--unit", "a b"], "--unit a b: 'a b' is no unit's name"),
        (["--pid", "self"], "--pid self: self is no whole number"),
        (["--all", "--max-series", "7"], "--max-series 7 is too few"),
        (["--all", "--buckets", "soon"], "--buckets: 'soon' is no time"),
        (["--all", "-e", "trace=opn"], "--trace: invalid system call 'opn'"),
        (["--all", "--listen", "nowhere"], "--listen: 'nowhere' is no HOST:PORT"),
        (["--all", "--config", "/nonexistent"], "/nonexistent: No such file or directory"),
        (["--all", "--web-config", "/nonexistent"], "/nonexistent: No such file or directory"),
        (["--all", "--listen", "192.0.2.1:80"], "--listen 192.0.2.1:80: Cannot assign requested"),
        (["--all", "--listen", "\a:80"], "--listen: '\\x07:80' is no HOST:PORT"),
    ],
)
def test_what_is_wrong_is_told_in_a_line(words: list[str], told: str) -> None:
    done = ended(*words)
    assert (done.returncode, done.stdout) == (1, "")
    assert told in done.stderr
    assert done.stderr.startswith("pytracer-exporter: ")
    assert done.stderr.count("\n") == 1


def test_a_port_that_is_taken_is_told_of() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = ended("--all", "--listen", f"127.0.0.1:{taken.getsockname()[1]}")
    assert done.returncode == 1
    assert re.fullmatch(
        r"pytracer-exporter: --listen 127\.0\.0\.1:\d+: Address already in use: choose .*\n",
        done.stderr,
    )


def test_checks_a_configuration_without_counting(tmp_path: Path) -> None:
    path = tmp_path / "exporter.toml"
    path.write_text('[target.web]\nunit = "nginx"\n')
    done = ended("--config", str(path), "--all", "--check-config")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "the configuration can be used; counted would be: web, all\n"


def _spinning(call: str) -> subprocess.Popen[bytes]:
    """A process that makes a call now and then, until its input ends."""
    script = f"import os, select, sys\nwhile not select.select([0], [], [], 0.01)[0]:\n    {call}\n"
    return subprocess.Popen(["python3", "-c", script], stdin=subprocess.PIPE)


@pytest.fixture
def worker() -> Iterator[subprocess.Popen[bytes]]:
    """A process that asks for its parent's pid now and then."""
    process = _spinning("os.getppid()")
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=LIMIT_S)


@pytest.fixture
def running(tmp_path: Path, worker: subprocess.Popen[bytes]) -> Iterator[Exporter]:
    """An exporter that watches the worker, configured by a file."""
    path = tmp_path / "exporter.toml"
    path.write_text(f"[target.worker]\npid = {worker.pid}\n")
    with exporter(tmp_path, "--config", str(path)) as found:
        yield found


@pytest.mark.needs_root
@pytest.mark.needs_ebpf
def test_counts_and_ends(running: Exporter) -> None:
    many = running.wait_for("pytracer_syscalls_total", 7, target="worker", syscall="getppid")
    more = running.wait_for(
        "pytracer_syscall_duration_seconds_count", many + 1, target="worker", syscall="getppid"
    )
    assert more > many
    assert running.value("pytracer_target_up", target="worker") == 1
    assert running.value("pytracer_backend_info", backend="ebpf") == 1


@pytest.mark.needs_root
@pytest.mark.needs_ebpf
def test_reads_its_configuration_again(
    running: Exporter, tmp_path: Path, worker: subprocess.Popen[bytes]
) -> None:
    path = tmp_path / "exporter.toml"
    before = running.wait_for("pytracer_syscalls_total", 3, target="worker", syscall="getppid")
    other = _spinning("os.getpgid(0)")
    try:
        path.write_text(
            f"buckets = 5\n[target.worker]\npid = {worker.pid}\n[target.other]\npid = {other.pid}\n"
        )
        running.reload()
        running.wait_to_say("reloaded the configuration")
        running.wait_for("pytracer_syscalls_total", 3, target="other", syscall="getpgid")
    finally:
        other.kill()
        other.communicate(timeout=LIMIT_S)
    after = running.value("pytracer_syscalls_total", target="worker", syscall="getppid")
    assert after >= before
    assert running.text().count('_bucket{target="worker",syscall="getppid",le=') == 6
    assert running.value("pytracer_config_last_reload_successful") == 1


@pytest.mark.needs_root
@pytest.mark.needs_ebpf
def test_goes_on_when_a_configuration_is_refused(
    running: Exporter, tmp_path: Path, worker: subprocess.Popen[bytes]
) -> None:
    path = tmp_path / "exporter.toml"
    target = f"[target.worker]\npid = {worker.pid}\n"
    refusals = [
        ("nonsense", "is not TOML"),
        ("", "there is nothing to watch"),
        (f"fd-type = true\n{target}", "fd-type has changed, which takes a restart"),
        ("[target.none]\nunit = 'pytracer@.service'\n", "target none: "),
        (f"web-config = 'none.yml'\n{target}", "none.yml: No such file"),
    ]
    for text, told in refusals:
        path.write_text(text)
        running.reload()
        running.wait_to_say(told)
        assert running.value("pytracer_config_last_reload_successful") == 0
        now = running.value("pytracer_syscalls_total", target="worker", syscall="getppid")
        running.wait_for("pytracer_syscalls_total", now + 1, target="worker", syscall="getppid")
    assert running.said().count("is not reloaded, all goes on as before") == len(refusals)
    path.write_text(target)
    running.reload()
    running.wait_to_say("reloaded the configuration")
    assert running.value("pytracer_config_last_reload_successful") == 1


@pytest.mark.needs_root
@pytest.mark.needs_ebpf
def test_what_is_stuck_is_seen_by_the_next_scrape(tmp_path: Path) -> None:
    # It echoes a line, and waits for the next one.
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as stuck:
        assert stuck.stdin is not None and stuck.stdout is not None
        try:
            with exporter(tmp_path, "--pid", f"it={stuck.pid}") as running:
                stuck.stdin.write(b"line\n")
                stuck.stdin.flush()
                stuck.stdout.readline()
                begun = time.monotonic()
                labels = {"target": "it", "syscall": "read"}
                oldest = "pytracer_syscall_inflight_oldest_seconds"
                first = running.wait_for(oldest, 0.01, **labels)
                assert running.value("pytracer_syscall_inflight", **labels) == 1
                assert first < running.value(oldest, **labels) < time.monotonic() - begun + 1
                stuck.stdin.close()
                stuck.wait(LIMIT_S)
                deadline = time.monotonic() + LIMIT_S
                while running.value("pytracer_target_up", target="it"):
                    assert time.monotonic() < deadline
                # What was in flight is not any more, and its series says so.
                assert running.samples()[oldest, frozenset(labels.items())] == 0
        finally:
            stuck.kill()


@pytest.mark.needs_root
@pytest.mark.needs_ebpf
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--pid", "4194303"], "target 4194303: "),
        (["--unit", "a@.service"], "target a@.service: "),
        (["--comm", "longer-than-names-are"], "target longer-than-names-are: "),
    ],
)
def test_a_target_that_cannot_be_is_told_in_a_line(words: list[str], told: str) -> None:
    done = ended(*words, "--listen", "127.0.0.1:0")
    assert done.returncode == 1
    assert done.stderr.startswith(f"pytracer-exporter: {told}")
    assert done.stderr.count("\n") == 1


@pytest.mark.needs_root
@pytest.mark.needs_ebpf
def test_tells_systemd_how_it_is(tmp_path: Path, worker: subprocess.Popen[bytes]) -> None:
    address = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(address))
        manager.settimeout(LIMIT_S)
        heard: list[str] = []
        enough = threading.Event()

        def listen() -> None:
            while "STOPPING=1" not in heard:
                heard.extend(manager.recv(4096).decode().split("\n"))
                if heard.count("WATCHDOG=1") > 2:
                    enough.set()

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        environment = {"NOTIFY_SOCKET": str(address), "WATCHDOG_USEC": "300000"}
        with exporter(tmp_path, "--pid", str(worker.pid), environment=environment) as running:
            assert enough.wait(LIMIT_S)
            running.reload()
            running.wait_to_say("reloaded")
        thread.join(LIMIT_S)
    order = [word.partition("=")[0] for word in heard if not word.startswith("WATCHDOG")]
    assert order == ["READY", "RELOADING", "MONOTONIC_USEC", "READY", "STOPPING"]


@pytest.mark.needs_root
@pytest.mark.needs_ebpf
def test_takes_a_socket_from_systemd(tmp_path: Path, worker: subprocess.Popen[bytes]) -> None:
    # What systemd does: the socket is descriptor 3 of the process that LISTEN_PID names.
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        log = tmp_path / "log"
        with log.open("wb") as opened:
            process = subprocess.Popen(
                [
                    *("bash", "-c", 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@" 3<&"$FD"', "bash"),
                    *(COMMAND, "--pid", str(worker.pid)),
                ],
                stderr=opened,
                env={**os.environ, "FD": str(listening.fileno())},
                pass_fds=[listening.fileno()],
            )
    running = Exporter(process, log, f"http://127.0.0.1:{port}/metrics")
    try:
        running.wait_for("pytracer_target_up", 1, target=str(worker.pid))
        assert running.said().count("listening on") == 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(LIMIT_S) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(LIMIT_S)
