"""What surrounds the exporter: sockets, the service manager, the log."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from pytracer_exporter import systemd
from pytracer_exporter.listening import CannotListen, listen, told
from pytracer_exporter.log import one_line
from pytracer_exporter.settings import Address


def test_listens_on_each_address() -> None:
    found = listen([Address("127.0.0.1", 0), Address("localhost", 0), Address("", 0)])
    try:
        assert [told(each).rpartition(":")[0] for each in found[:2]] == ["127.0.0.1"] * 2
        for each in found:
            port = each.getsockname()[1]
            socket.create_connection(("127.0.0.1", port), timeout=20).close()
    finally:
        for each in found:
            each.close()


def test_an_address_of_version_six_is_written_in_brackets() -> None:
    try:
        (found,) = listen([Address("::1", 0)])
    except CannotListen as error:  # there is no IPv6 here
        assert str(error).startswith("--listen [::1]:0: ")
        return
    with found:
        assert told(found) == f"[::1]:{found.getsockname()[1]}"


def test_nothing_is_left_open_when_an_address_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        before = len(os.listdir("/proc/self/fd"))
        port = taken.getsockname()[1]
        with pytest.raises(CannotListen, match=f"^--listen 127.0.0.1:{port}: Address already"):
            listen([Address("127.0.0.1", 0), Address("127.0.0.1", port)])
        assert len(os.listdir("/proc/self/fd")) == before


def test_the_service_manager_hears(tmp_path: Path) -> None:
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(20)
        systemd.notify("READY=1", {"NOTIFY_SOCKET": str(path)})
        assert manager.recv(100) == b"READY=1"
    name = f"pytracer-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0{name}")
        manager.settimeout(20)
        systemd.notify("STOPPING=1", {"NOTIFY_SOCKET": f"@{name}"})
        assert manager.recv(100) == b"STOPPING=1"


@pytest.mark.parametrize("address", ["", "nonsense", "/nonexistent/socket", "/" + "a" * 500])
def test_a_service_manager_that_does_not_hear_does_not_matter(address: str) -> None:
    systemd.notify("READY=1", {"NOTIFY_SOCKET": address})


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "3000000"}, 3.0),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": str(os.getpid())}, 3.0),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_the_watchdog(environment: dict[str, str], seconds: float | None) -> None:
    assert systemd.watchdog_s(environment) == seconds


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"LISTEN_FDS": "1", "LISTEN_PID": "1"},
        {"LISTEN_FDS": "x", "LISTEN_PID": str(os.getpid())},
    ],
)
def test_sockets_of_others_are_not_taken(environment: dict[str, str]) -> None:
    assert systemd.inherited(environment) == []
    assert "LISTEN_FDS" not in environment


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("plain", "plain"),
        ("a\nb\x1b[31m", "a\\nb\\x1b[31m"),
        ("näme", "näme"),
        ("\u202ea", "\\u202ea"),
        ("\udcff", "\\udcff"),
    ],
)
def test_a_line_is_one(text: str, written: str) -> None:
    assert one_line(text) == written


def test_the_journal_is_told_how_serious_it_is(tmp_path: Path) -> None:
    script = (
        "import os, sys\n"
        "here = os.fstat(2)\n"
        "if sys.argv[1] == 'journal':\n"
        "    os.environ['JOURNAL_STREAM'] = f'{here.st_dev}:{here.st_ino}'\n"
        "from pytracer_exporter.log import LOG, begin\n"
        "begin('info')\n"
        "LOG.debug('a'); LOG.info('b %s', 'c'); LOG.warning('d'); LOG.error('e')\n"
    )

    def logged(where: str) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-c", script, where],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return done.stderr.splitlines()

    assert logged("journal") == ["<6>b c", "<4>d", "<3>e"]
    begin = "pytracer-exporter: "
    assert logged("") == [f"{begin}info: b c", f"{begin}warning: d", f"{begin}error: e"]
