"""Real servers on ports of their own, and load for them. Each is a context that cleans up."""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

LIMIT_S = 60
_SBIN = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


@dataclass(frozen=True, slots=True)
class Service:
    """A running server: the process to trace, and what to ask of it.

    ``load`` gives the command of a client that asks for so many seconds; ``intact`` whether what
    the client printed shows that it was answered, and never wrongly.
    """

    pid: int
    load: Callable[[int], list[str]]
    intact: Callable[[str], bool]
    folder: Path
    port: int


def free_port() -> int:
    """Find a port on the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _program(name: str) -> str:
    found = shutil.which(name, path=_SBIN)
    assert found is not None, name
    return found


def wait_for(ready: Callable[[], bool], what: str) -> None:
    """Wait until something holds, for a bounded time."""
    deadline = time.monotonic() + 20
    while not ready():
        assert time.monotonic() < deadline, f"{what} did not come up"
        time.sleep(0.05)


def _listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def _running(argv: list[str], **options: object) -> Iterator[subprocess.Popen[bytes]]:
    server = subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **options,  # type: ignore[call-overload]
    )
    try:
        yield server
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait(20)


@contextlib.contextmanager
def redis(folder: Path) -> Iterator[Service]:
    """redis-server under redis-benchmark."""
    port = free_port()
    argv = [_program("redis-server"), "--port", str(port), "--save", "", "--dir", str(folder)]
    with _running([*argv, "--bind", "127.0.0.1"]) as server:
        wait_for(lambda: _listening(port), "redis-server")
        yield Service(
            server.pid,
            lambda seconds: [
                *("timeout", "--signal=INT", str(seconds), _program("redis-benchmark")),
                *("-p", str(port), "-t", "set,get", "-n", "100000000", "-c", "7", "-d", "61"),
            ],
            lambda printed: "rps=" in printed and "rror" not in printed,
            folder,
            port,
        )


_NGINX = """daemon off;
user root;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_processes 1;
events {{ worker_connections 64; }}
http {{
    keepalive_requests {requests};
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path
    {folder}/scgi;
    server {{ listen 127.0.0.1:{port}; root {folder}/www; }}
}}
"""


@contextlib.contextmanager
def nginx(folder: Path, requests: int = 1000) -> Iterator[Service]:
    """nginx under wrk: its worker. ``requests``: at most, of a connection."""
    port = free_port()
    (folder / "www").mkdir()
    (folder / "www" / "index.html").write_text("hello\n" * 131)
    folder.chmod(0o755)
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, port=port, requests=requests))
    with _running([_program("nginx"), "-c", str(folder / "nginx.conf")]) as server:
        wait_for(lambda: _listening(port), "nginx")
        worker = int(Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()[0])
        yield Service(
            worker,
            lambda seconds: [
                *(_program("wrk"), "-t1", "-c7", f"-d{seconds}s"),
                f"http://127.0.0.1:{port}/index.html",
            ],
            lambda printed: (
                "requests in" in printed
                and "Non-2xx" not in printed
                and not re.search(r"Socket errors: .*(connect|read|write) [1-9]", printed)
            ),
            folder,
            port,
        )


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[Service]:
    """PostgreSQL under pgbench; the postmaster is traced, and followed into its backends."""
    port = free_port()
    account = pwd.getpwnam("postgres")
    binaries = sorted(Path("/usr/lib/postgresql").iterdir())[-1] / "bin"
    data = folder / "data"
    for place in (folder, *folder.parents[:3]):
        place.chmod(place.stat().st_mode | 0o755)
    os.chown(folder, account.pw_uid, account.pw_gid)
    as_user = {"user": account.pw_uid, "group": account.pw_gid, "cwd": str(folder)}

    def run(*argv: str) -> None:
        limits = {"check": True, "timeout": LIMIT_S, "stdout": subprocess.DEVNULL}
        subprocess.run(argv, **limits, **as_user)  # type: ignore[call-overload]

    run(str(binaries / "initdb"), "-D", str(data), "-A", "trust", "-N")
    options = ["-p", str(port), "-k", str(folder), "-h", "127.0.0.1", "-F"]
    with _running([str(binaries / "postgres"), "-D", str(data), *options], **as_user) as server:
        wait_for(lambda: _listening(port), "postgres")
        client = ["-h", "127.0.0.1", "-p", str(port), "-U", "postgres"]
        run(_program("pgbench"), "-i", "-q", *client, "postgres")
        yield Service(
            server.pid,
            lambda seconds: [
                *(_program("pgbench"), "-T", str(seconds), "-c", "3", "-C", *client, "postgres"),
            ],
            lambda printed: "number of failed transactions: 0 " in printed,
            folder,
            port,
        )


SERVICES = {"redis": redis, "nginx": nginx, "postgres": postgres}
