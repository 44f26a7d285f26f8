"""The whole exporter, as nobody: it serves with a key of root's, and bears hostile clients."""

from __future__ import annotations

import base64
import contextlib
import http.client
import os
import pwd
import random
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import bcrypt
import pytest
from pytracer_exporter import privileges

from tests.exporter.running import LIMIT_S, Exporter, ended, exporter
from tests.exporter.test_webconfig import certificate

pytestmark = [pytest.mark.needs_root, pytest.mark.needs_ebpf, pytest.mark.timeout(180)]

NOBODY = pwd.getpwnam("nobody").pw_uid
# What the command imports that is not ours, nor Python's own.
LIBRARIES = (
    *("typer", "click", "shellingham", "annotated_doc", "typing_extensions"),
    *("prometheus_client", "h11", "yaml", "bcrypt"),
)
_MAIN = "from pytracer_exporter.command import main; main()"


@dataclass(frozen=True, slots=True)
class Place:
    """Where any user can run the exporter from."""

    command: tuple[str, ...]
    environment: Mapping[str, str]


@pytest.fixture(scope="session")
def place(installed: Path) -> Place:
    """The command with its libraries where any user can read them."""
    libraries = installed / "libraries"
    libraries.mkdir()
    for name in LIBRARIES:
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            continue  # another version of typer does without
        origin = Path(spec.origin)
        if origin.name.startswith("__init__."):
            shutil.copytree(origin.parent, libraries / name)
        else:
            shutil.copy(origin, libraries)
    subprocess.run(["chmod", "-R", "a+rX", str(libraries)], check=True, timeout=30)
    return Place(
        ("/usr/bin/python3", "-P", "-c", _MAIN),
        {
            "PYTHONPATH": f"{installed}:{libraries}",
            "XDG_CACHE_HOME": str(installed / "cache"),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
    )


@pytest.fixture
def worker() -> Iterator[subprocess.Popen[bytes]]:
    """A process that asks for its parent's pid now and then."""
    script = "import os, select\nwhile not select.select([0], [], [], 0.01)[0]:\n    os.getppid()\n"
    process = subprocess.Popen(["python3", "-c", script], stdin=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=LIMIT_S)


def _is_nobody(running: Exporter) -> None:
    status = Path(f"/proc/{running.pid}/status")
    sets = privileges.sets(status)
    assert len(sets) == 5
    assert set(sets.values()) == {0}
    text = status.read_text()
    assert f"Uid:\t{NOBODY}\t{NOBODY}\t{NOBODY}\t{NOBODY}\n" in text
    assert "NoNewPrivs:\t1\n" in text


def _descriptors(running: Exporter) -> int:
    return len(os.listdir(f"/proc/{running.pid}/fd"))


def _resident_kb(running: Exporter) -> int:
    for line in Path(f"/proc/{running.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError("no VmRSS")


@pytest.mark.needs_program("openssl")
def test_a_key_that_root_alone_may_read_is_served(
    tmp_path: Path, place: Place, worker: subprocess.Popen[bytes]
) -> None:
    tmp_path.chmod(0o700)
    made, key = certificate(tmp_path)
    key.chmod(0o600)
    hashed = bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()
    web = tmp_path / "web.yml"
    web.write_text(
        f"tls_server_config: {{cert_file: {made}, key_file: {key}}}\n"
        f"basic_auth_users: {{prometheus: {hashed}}}\n"
        "http_server_config: {headers: {X-Frame-Options: deny}}\n"
    )
    context = ssl.create_default_context(cafile=str(made))
    known = {"Authorization": "Basic " + base64.b64encode(b"prometheus:secret").decode()}
    words = ("--pid", f"worker={worker.pid}", "--web-config", str(web))
    with exporter(
        tmp_path, *words, command=place.command, environment=place.environment
    ) as running:
        _is_nobody(running)
        assert running.url.startswith("https://")
        port = int(running.url.split(":")[2].split("/")[0])

        def get(headers: Mapping[str, str]) -> tuple[int, str]:
            client = http.client.HTTPSConnection(
                "localhost", port, context=context, timeout=LIMIT_S
            )
            with contextlib.closing(client):
                client.request("GET", "/metrics", headers=dict(headers))
                answer = client.getresponse()
                assert answer.headers["X-Frame-Options"] == "deny"
                return answer.status, answer.read().decode()

        assert get({})[0] == 401
        assert get({"Authorization": "Basic " + base64.b64encode(b"a:b").decode()})[0] == 401
        status, text = get(known)
        assert (status, 'pytracer_target_up{target="worker"} 1' in text) == (200, True)
        # Somebody who begins to shake hands and does not go on, and one who speaks no TLS.
        with contextlib.ExitStack() as stack:
            for sent in (b"", b"\x16\x03\x01\x02\x00\x01", b"GET /metrics HTTP/1.1\r\n\r\n") * 11:
                client = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
                client.sendall(sent)
            assert get(known)[0] == 200
        running.reload()
        running.wait_to_say("certificates and users stay as they were")
        running.wait_to_say("reloaded the configuration")
        assert get(known)[0] == 200
        assert get({})[0] == 401
        assert "secret" not in running.said()


def test_new_targets_are_watched_by_nobody(
    tmp_path: Path, place: Place, worker: subprocess.Popen[bytes]
) -> None:
    with contextlib.ExitStack() as stack:
        folder = Path("/tmp", f"pytracer-configured-{os.getpid()}")
        folder.mkdir(mode=0o755)
        stack.callback(shutil.rmtree, folder)
        path = folder / "exporter.toml"
        path.write_text("[target.late]\ncomm = 'nobody-yet'\n")
        running = stack.enter_context(
            exporter(
                tmp_path,
                *("--config", str(path)),
                command=place.command,
                environment=place.environment,
            )
        )
        _is_nobody(running)
        assert running.value("pytracer_target_up", target="late") == 0
        path.write_text(f"[target.late]\npid = {worker.pid}\n")
        running.reload()
        running.wait_to_say("reloaded the configuration")
        running.wait_for("pytracer_syscalls_total", 3, target="late", syscall="getppid")
        assert running.value("pytracer_target_up", target="late") == 1
        path.chmod(0o600)
        running.reload()
        running.wait_to_say(f"{path}: Permission denied")
        running.wait_for("pytracer_syscalls_total", 3, target="late", syscall="getppid")


def test_a_capability_that_is_missing_is_told_of(place: Place) -> None:
    done = ended(
        *("--all", "--backend", "ebpf", "--listen", "127.0.0.1:0"),
        command=("setpriv", "--reuid=nobody", "--clear-groups", *place.command),
        environment=place.environment,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("pytracer-exporter: --backend=ebpf does not work here: ")
    assert "CAP_BPF" in done.stderr
    assert done.stderr.count("\n") == 1


def test_counts_with_ptrace_where_that_is_asked_for(
    tmp_path: Path, place: Place, worker: subprocess.Popen[bytes]
) -> None:
    with exporter(
        tmp_path,
        *("--pid", f"worker={worker.pid}", "--backend", "ptrace"),
        command=place.command,
        environment=place.environment,
    ) as running:
        _is_nobody(running)
        running.wait_for("pytracer_syscalls_total", 7, target="worker", syscall="getppid")
        assert running.value("pytracer_backend_info", backend="ptrace") == 1
        counted = running.text()
    assert 'pytracer_syscall_duration_seconds_bucket{target="worker",syscall="getppid"' in counted
    assert worker.poll() is None


def _nonsense(chance: random.Random, port: int) -> None:
    with (
        socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S) as client,
        contextlib.suppress(OSError),
    ):
        client.sendall(b"GET /metrics HTTP/1.1\r\n"[: chance.randrange(24)])
        client.sendall(chance.randbytes(chance.randrange(1, 5000)))
        client.shutdown(socket.SHUT_WR)
        while client.recv(65536):
            pass


@pytest.mark.slow
def test_hostile_clients_are_borne(
    tmp_path: Path, place: Place, worker: subprocess.Popen[bytes]
) -> None:
    with exporter(
        tmp_path,
        *("--pid", f"worker={worker.pid}"),
        command=place.command,
        environment=place.environment,
    ) as running:
        port = int(running.url.split(":")[2].split("/")[0])
        chance = random.Random(104_729)

        def storm(count: int) -> None:
            with contextlib.ExitStack() as stack:
                for number in range(count):
                    idle = socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S)
                    stack.enter_context(idle)
                    with contextlib.suppress(OSError):
                        idle.sendall((b"", b"GET /met", b"POST / HTTP/1.1\r\n")[number % 3])
                for _ in range(count // 10):
                    _nonsense(chance, port)
                for _ in range(count // 5):
                    begun = time.monotonic()
                    client = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT_S)
                    with contextlib.closing(client):
                        client.request("GET", "/metrics")
                        assert client.getresponse().status == 200
                    time.sleep(max(0.0, begun + 0.01 - time.monotonic()))

        storm(307)  # what is made for the first time is there from here on
        before = _resident_kb(running)
        for _ in range(3):
            storm(1000)
        begun = time.monotonic()
        assert running.value("pytracer_target_up", target="worker") == 1
        assert time.monotonic() - begun < LIMIT_S
        assert _resident_kb(running) - before < 10_000
        assert _resident_kb(running) < 80_000
        # What had been opened for them is closed.
        deadline = time.monotonic() + LIMIT_S
        while _descriptors(running) > 120:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        running.wait_for("pytracer_syscalls_total", 7, target="worker", syscall="getppid")
