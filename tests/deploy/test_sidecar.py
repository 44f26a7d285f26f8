"""A real systemd runs a service and its sidecar, from the files of the Debian package."""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.conftest import DEPLOY, Package
from tests.deploy.scraping import answers, get
from tests.live.services import free_port
from tests.live.systemd import Machine, booted, wait_for

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(400),
    pytest.mark.needs_program("systemd-analyze"),
]
needs_machine = [
    pytest.mark.needs_root,
    pytest.mark.needs_ebpf,
    pytest.mark.needs_program("unshare", "nsenter", "systemctl", "redis-server", "dpkg-deb"),
]
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
SOCKETS = sorted((DEPLOY / "systemd").glob("*.socket"))
SIDECAR = "pytracer-exporter@redis-server.service"
SOCKET = "pytracer-exporter@redis-server.socket"
HOST = "pytracer-exporter.service"
# As bad as "systemd-analyze security" may find them, of 0 to 10.
EXPOSURE = 2.5
LOG = "/run/exporter.log"
# Scrapes that are closer together get the same answer (exporters/pytracer_exporter/collector.py).
FRESH_S = 0.15

# As docs/sidecar.md has it: the key is root's, and the exporter is not.
_CREDENTIALS = """[Service]
LoadCredential=web.yml:/run/secret/web.yml
LoadCredential=cert.pem:/run/secret/cert.pem
LoadCredential=key.pem:/run/secret/key.pem
Environment="PYTRACER_EXPORTER_OPTIONS=--listen 127.0.0.1:{port} --web-config %d/web.yml"
"""
_WEB = "tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\n"
_SECRET = """set -e
mkdir -m 700 /run/secret
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
    -keyout /run/secret/key.pem -out /run/secret/cert.pem
printf %s "$1" > /run/secret/web.yml
printf %s "$2" > "/run/units/$3.d/tls.conf"
systemctl daemon-reload
"""
_TARGET = "[Unit]\nDefaultDependencies=no\n"
_REDIS = """[Unit]
StartLimitIntervalSec=0
[Service]
ExecStart=/usr/bin/redis-server --port {port} --bind 127.0.0.1 --save "" --dir /tmp
StandardOutput=null
Restart=on-failure
RestartSec=1
"""


class Sidecar:
    """Redis and its sidecar on a machine; and the exporter of the whole machine."""

    def __init__(self, machine: Machine, redis: int, port: int, host_port: int) -> None:
        self.machine = machine
        self.redis = redis
        self.port = port
        self.host_port = host_port

    def show(self, unit: str, name: str) -> str:
        """A property of a unit."""
        return self.machine.run("systemctl", "show", unit, "-p", name, "--value").strip()

    def state(self, unit: str) -> str:
        """What systemd thinks of a unit, and why."""
        return self.machine.run("systemctl", "show", unit) + self.machine.read(LOG)

    def start(self, unit: str) -> None:
        """Start a unit, and wait until it says that it is ready."""
        try:
            self.machine.run("systemctl", "start", unit)
        except AssertionError as error:
            raise AssertionError(self.state(unit)) from error

    def drop_in(self, unit: str, name: str, lines: str) -> None:
        """Add to a unit what an administrator would."""
        script = 'mkdir -p "$1" && printf "[%s]\\n%s" "$4" "$2" > "$1/$3.conf"'
        folder, section = f"/run/units/{unit}.d", unit.rpartition(".")[2].capitalize()
        self.machine.run("sh", "-c", script, "sh", folder, lines, name, section)
        self.machine.run("systemctl", "daemon-reload")

    def until(self, unit: str, state: str) -> None:
        """Wait until a unit is in a state."""
        wait_for(lambda: self.show(unit, "ActiveState") == state, lambda: self.state(unit))

    def ask(self, times: int) -> None:
        """Ask redis, one question after the other."""
        with socket.create_connection(("127.0.0.1", self.redis), 20) as client:
            for _ in range(times):
                client.sendall(b"PING\r\n")
                assert client.recv(64) == b"+PONG\r\n"

    def value(self, metric: str, **labels: str) -> float:
        """What the sidecar tells of redis; 0 where there is nothing yet."""
        time.sleep(FRESH_S)
        wanted = {"target": "redis-server", **labels}.items()
        for name, told, value in re.findall(
            r"^(\w+)\{(.*)\} (\S+)$", get(self.port, "/metrics"), re.M
        ):
            if name == metric and wanted <= set(re.findall(r'(\w+)="([^"]*)"', told)):
                return float(value)
        return 0

    def answered(self, times: int) -> float:
        """How many calls the sidecar has counted over so many questions."""
        before = self.value("pytracer_syscalls_total", syscall="write")
        self.ask(times)
        return self.value("pytracer_syscalls_total", syscall="write") - before

    def redis_up(self, other_than: str = "0") -> str:
        """Wait until redis answers, as another process than before; its pid."""

        def there() -> bool:
            pid = self.show("redis-server", "MainPID")
            with socket.socket() as probe:
                up = probe.connect_ex(("127.0.0.1", self.redis)) == 0
            return up and pid not in ("0", other_than)

        wait_for(there, lambda: self.state("redis-server"))
        return self.show("redis-server", "MainPID")


@pytest.fixture(scope="module")
def sidecar(package: Package) -> Iterator[Sidecar]:
    """A machine on which the package is installed, and the sidecar enabled; nothing runs yet."""
    redis, port, host_port = free_port(), free_port(), free_port()
    units = dict.fromkeys(("test.target", "sysinit.target", "basic.target"), _TARGET)
    units["redis-server.service"] = _REDIS.format(port=redis)
    units |= {unit.name: unit.read_text() for unit in (*UNITS, *SOCKETS)}
    with booted(units, package.tree) as machine:
        made = Sidecar(machine, redis, port, host_port)
        for unit, own in ((SIDECAR, port), (HOST, host_port)):
            options = f"Environment=PYTRACER_EXPORTER_OPTIONS='--listen 127.0.0.1:{own}'"
            # There is no journal: what is logged goes to a file.
            made.drop_in(unit, "port", f"{options}\nStandardError=append:{LOG}\n")
        wants = "/run/units/redis-server.service.wants"
        machine.run("mkdir", wants)
        machine.run("ln", "-s", "../pytracer-exporter@.service", f"{wants}/{SIDECAR}")
        machine.run("systemctl", "daemon-reload")
        yield made


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_the_exposure_is_small(unit: Path) -> None:
    command = ["systemd-analyze", "security", "--offline=yes", "--no-pager", str(unit)]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stdout
    found = re.search(r"Overall exposure level for .*: ([0-9.]+)", told)
    assert found is not None and float(found[1]) <= EXPOSURE, told[-200:]


def test_enabling_the_sidecar_makes_the_service_want_it(package: Package, tmp_path: Path) -> None:
    subprocess.run(["cp", "-a", f"{package.tree}/.", str(tmp_path)], timeout=60, check=True)
    command = ["systemctl", f"--root={tmp_path}", "enable", SIDECAR, HOST]
    subprocess.run(command, capture_output=True, timeout=60, check=True)
    wanted = tmp_path / "etc/systemd/system/redis-server.service.wants" / SIDECAR
    assert wanted.readlink().name == "pytracer-exporter@.service"
    assert (tmp_path / "etc/systemd/system/multi-user.target.wants" / HOST).is_symlink()


class TestMachine:
    """In this order: each begins as the one before it has left the machine."""

    pytestmark = needs_machine

    def test_systemd_has_nothing_to_say_of_the_units(self, sidecar: Sidecar) -> None:
        for unit in (SIDECAR, HOST, SOCKET):
            command = ("systemd-analyze", "verify", "--man=no", unit)
            said = sidecar.machine.run("sh", "-c", '"$@" 2>&1', "sh", *command)
            assert not [line for line in said.splitlines() if "pytracer" in line], said

    def test_the_sidecar_starts_with_the_service_and_counts(self, sidecar: Sidecar) -> None:
        sidecar.start("redis-server")
        sidecar.redis_up()
        sidecar.until(SIDECAR, "active")
        assert sidecar.answered(101) == 101
        assert sidecar.value("pytracer_target_up") == 1
        assert sidecar.value("pytracer_processes") == 1

    def test_the_sidecar_is_nobody_and_may_do_nothing(self, sidecar: Sidecar) -> None:
        status = sidecar.machine.read(f"/proc/{sidecar.show(SIDECAR, 'MainPID')}/status")
        facts = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        assert "0" not in facts["Uid"].split()
        for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            assert int(facts[kind], 16) == 0, kind
        assert facts["NoNewPrivs"] == "1"

    def test_systemd_hears_that_it_lives(self, sidecar: Sidecar) -> None:
        """Under a watchdog of two seconds it says so, again and again."""
        assert sidecar.show(SIDECAR, "WatchdogUSec") == "1min"
        sidecar.drop_in(SIDECAR, "watchdog", "WatchdogSec=2\n")
        sidecar.machine.run("systemctl", "restart", SIDECAR)
        sidecar.until(SIDECAR, "active")
        pid, heard = sidecar.show(SIDECAR, "MainPID"), set()

        def again() -> bool:
            heard.add(sidecar.show(SIDECAR, "WatchdogTimestampMonotonic"))
            return len(heard) > 3

        wait_for(again, lambda: sidecar.state(SIDECAR))
        assert sidecar.show(SIDECAR, "MainPID") == pid
        sidecar.drop_in(SIDECAR, "watchdog", "")
        sidecar.machine.run("systemctl", "restart", SIDECAR)
        sidecar.until(SIDECAR, "active")

    def test_the_sidecar_comes_back_with_the_service_after_a_crash(self, sidecar: Sidecar) -> None:
        first = sidecar.redis_up()
        sidecar.machine.run("kill", "-KILL", first)
        sidecar.redis_up(other_than=first)
        sidecar.until(SIDECAR, "active")
        assert sidecar.answered(53) == 53
        assert sidecar.value("pytracer_target_up") == 1

    def test_the_sidecar_lives_through_a_restart_of_the_service(self, sidecar: Sidecar) -> None:
        second, exporter = sidecar.redis_up(), sidecar.show(SIDECAR, "MainPID")
        before = sidecar.value("pytracer_syscalls_total", syscall="write")
        sidecar.machine.run("systemctl", "restart", "redis-server")
        sidecar.redis_up(other_than=second)
        assert sidecar.answered(31) == 31
        assert sidecar.value("pytracer_syscalls_total", syscall="write") >= before + 31
        # The new process was seen from its very first call on.
        assert sidecar.value("pytracer_syscalls_total", syscall="execve") >= 1
        assert sidecar.show(SIDECAR, "MainPID") == exporter

    def test_the_sidecar_stops_and_starts_with_the_service(self, sidecar: Sidecar) -> None:
        sidecar.machine.run("systemctl", "stop", "redis-server")
        sidecar.until(SIDECAR, "inactive")
        assert sidecar.show(SIDECAR, "Result") == "success"
        assert not answers(sidecar.port, "/metrics")
        sidecar.start("redis-server")
        sidecar.redis_up()
        sidecar.until(SIDECAR, "active")
        assert sidecar.answered(7) == 7

    def test_systemd_listens_for_a_sidecar_without_a_network(self, sidecar: Sidecar) -> None:
        """As docs/sidecar.md has it: the first scrape starts it; it stops with the service."""
        sidecar.machine.run("systemctl", "stop", SIDECAR)
        alone = "PrivateNetwork=yes\nRestrictAddressFamilies=AF_UNIX\n"
        sidecar.drop_in(SIDECAR, "socket", f"{alone}Environment=PYTRACER_EXPORTER_OPTIONS=\n")
        listen = f"ListenStream=\nListenStream=127.0.0.1:{sidecar.port}\n"
        sidecar.drop_in(SOCKET, "port", listen)
        sidecar.start(SOCKET)
        assert sidecar.show(SIDECAR, "ActiveState") == "inactive"
        assert sidecar.answered(11) == 11
        assert sidecar.show(SIDECAR, "ActiveState") == "active"
        sidecar.machine.run("systemctl", "stop", "redis-server")
        sidecar.until(SOCKET, "inactive")
        sidecar.until(SIDECAR, "inactive")
        sidecar.drop_in(SIDECAR, "socket", "")
        sidecar.start("redis-server")
        sidecar.redis_up()
        sidecar.until(SIDECAR, "active")

    def test_the_exporter_of_the_host_reads_its_file(self, sidecar: Sidecar) -> None:
        sidecar.start(HOST)
        sidecar.until(HOST, "active")
        assert 'pytracer_target_up{target="host"} 1' in get(sidecar.host_port, "/metrics")
        sidecar.machine.run("systemctl", "reload", HOST)
        assert answers(sidecar.host_port, "/metrics")
        sidecar.machine.run("systemctl", "stop", HOST)
        assert sidecar.show(HOST, "Result") == "success"

    @pytest.mark.needs_program("openssl")
    def test_systemd_hands_over_a_key_that_the_exporter_may_not_read(
        self, sidecar: Sidecar
    ) -> None:
        credentials = _CREDENTIALS.format(port=sidecar.host_port)
        sidecar.machine.run("sh", "-c", _SECRET, "sh", _WEB, credentials, HOST)
        sidecar.start(HOST)
        sidecar.until(HOST, "active")
        trusting = ssl.create_default_context()
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection(
            "127.0.0.1", sidecar.host_port, timeout=30, context=trusting
        )
        with contextlib.closing(connection):
            connection.request("GET", "/metrics")
            assert b"pytracer_target_up" in connection.getresponse().read()
        sidecar.machine.run("systemctl", "stop", HOST)

    def test_without_bpf_it_says_so_and_ends(self, sidecar: Sidecar) -> None:
        """In a user namespace capabilities do not count for BPF; ptrace is not what was asked."""
        sidecar.drop_in(SIDECAR, "refused", "PrivateUsers=yes\nRestart=no\n")
        sidecar.machine.refused("systemctl", "restart", SIDECAR)
        said = sidecar.machine.read(LOG).strip().splitlines()[-1]
        assert said.startswith("pytracer-exporter: --backend=ebpf does not work here: "), said
        assert "CAP_BPF" in said

    def test_who_may_not_be_traced_keeps_no_scrape_waiting(self, sidecar: Sidecar) -> None:
        """With ptrace instead, which is refused for each process that is there."""
        options = f"--listen 127.0.0.1:{sidecar.port} --backend=ptrace"
        option = f"Environment='PYTRACER_EXPORTER_OPTIONS={options}'"
        sidecar.drop_in(SIDECAR, "refused", f"PrivateUsers=yes\n{option}\n")
        sidecar.start(SIDECAR)
        for _ in range(3):
            assert sidecar.value("pytracer_processes") == 0
        assert 'pytracer_backend_info{backend="ptrace"} 1' in get(sidecar.port, "/metrics")
        assert sidecar.redis_up() == sidecar.redis_up()
