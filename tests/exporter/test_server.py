"""The server answers, whatever clients do."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import random
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text
from pytracer_exporter.connection import HEAD_BYTES
from pytracer_exporter.reading import Reading

from tests.exporter.scenes import Given, counts, reading
from tests.exporter.serving import LIMIT_S, SHORT, Serving, read_all, serving

MANY = [counts("web", f"call{i}", [1000, 2000, 3000]) for i in range(307)]


@pytest.fixture(scope="module")
def server() -> Iterator[Serving]:
    with serving(Given(reading(MANY))) as running:
        yield running


@pytest.fixture(scope="module")
def impatient() -> Iterator[Serving]:
    with serving(Given(reading(MANY)), limits=SHORT) as running:
        yield running


def _answers(server: Serving) -> bool:
    with server.get("/metrics") as answer:
        return answer.status == 200 and b"pytracer_target_up" in answer.read()


def test_text_is_what_is_written_for_anybody(server: Serving) -> None:
    with server.get("/metrics") as answer:
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert answer.headers["Content-Encoding"] is None
        names = {family.name for family in read_text(answer.read().decode())}
    assert {
        "pytracer_syscalls",
        "pytracer_syscall_duration_seconds",
        "process_cpu_seconds",
    } <= names


def test_openmetrics_is_written_for_who_asks(server: Serving) -> None:
    # What Prometheus sends.
    accept = (
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
        "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;q=0.3,*/*;q=0.1"
    )
    with server.get("/metrics", Accept=accept) as answer:
        assert answer.headers["Content-Type"].startswith("application/openmetrics-text; version=1")
        text = answer.read().decode()
    found = read_openmetrics(text)  # type: ignore[no-untyped-call]
    assert {"pytracer_build", "process_cpu_seconds"} <= {family.name for family in found}


@pytest.mark.parametrize(
    "accept",
    ["application/openmetrics-text;version=x.y", "text/plain;version=1.x", ",;=,;;", "\xff" * 9],
)
def test_nonsense_is_answered_with_text(server: Serving, accept: str) -> None:
    with server.get("/metrics", Accept=accept) as answer:
        assert (answer.status, answer.headers["Content-Type"][:10]) == (200, "text/plain")


def test_packs_for_who_can_unpack(server: Serving) -> None:
    with server.get("/metrics", Accept_Encoding="gzip, deflate") as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert b"pytracer_target_up" in gzip.decompress(answer.read())


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/-/healthy", 200),
        ("GET", "/-/ready", 200),
        ("GET", "/metrics?collect[]=x", 200),
        ("GET", "http://elsewhere/metrics", 200),
        ("HEAD", "/metrics", 200),
        ("GET", "/metrics/", 404),
        ("GET", "/../../etc/passwd", 404),
        ("POST", "/metrics", 405),
        ("OPTIONS", "/metrics", 405),
        ("CONNECT", "elsewhere:443", 404),
    ],
)
def test_paths_and_methods(server: Serving, method: str, path: str, status: int) -> None:
    with server.get(path, method) as answer:
        body = answer.read()
        assert (answer.status, bool(body)) == (status, method != "HEAD")
        assert int(answer.headers["Content-Length"]) > 0


def test_a_connection_is_kept(server: Serving) -> None:
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LIMIT_S)
    with contextlib.closing(client):
        for path in ("/-/healthy", "/metrics", "/nowhere", "/metrics"):
            client.request("GET", path)
            own = client.sock
            client.getresponse().read()
            assert client.sock is own is not None


def test_requests_in_a_row_are_answered_in_turn(server: Serving) -> None:
    asked = b"GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n" * 7
    last = b"GET /-/ready HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    answer = server.raw(asked + last)
    assert answer.count(b"HTTP/1.1 200") == 8
    assert answer.endswith(b"is ready.\n")


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS, to a server without
        b"\x00" * 100 + b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\n\r\n",
        b"GET http://[/metrics HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /met\nrics HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -7\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\nContent-Length: 8\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 5_000 + b"\r\n",
        b"a" * 1_000_000,
    ],
)
def test_what_is_no_request_is_refused(server: Serving, sent: bytes) -> None:
    with server.connect() as client:
        with contextlib.suppress(OSError):
            client.sendall(sent)
            client.shutdown(socket.SHUT_WR)
        answer = read_all(client)
    # Who sends more than is read may find the connection closed before the answer.
    if answer or len(sent) < HEAD_BYTES:
        assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 501 ")), answer[:200]
    assert _answers(server)


def test_a_body_that_is_too_large_is_refused(server: Serving) -> None:
    head = b"POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n"
    with server.connect() as client:
        with contextlib.suppress(ConnectionError):
            client.sendall(head + b"a" * 300_000)
        answer = read_all(client)
    assert not answer or answer.startswith(b"HTTP/1.1 413 ")
    assert _answers(server)


def test_nobody_waits_for_permission_to_send(server: Serving) -> None:
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"
    answer = server.raw(head)
    assert answer.startswith(b"HTTP/1.1 405 ")


def test_a_broken_body_of_a_head_request_is_refused(server: Serving) -> None:
    head = b"HEAD /metrics HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = server.raw(head + b"zz\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.endswith(b"\r\n\r\n")
    large = b"HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999\r\n\r\n" + b"a" * 99_999
    assert server.raw(large).startswith(b"HTTP/1.1 413 ")


def test_random_bytes_do_no_harm(server: Serving) -> None:
    chance = random.Random(7919)
    whole = (
        b"GET /metrics HTTP/1.1\r\nHost: a\r\nAccept: text/plain\r\nContent-Length: 3\r\n\r\nabc"
    )
    for _ in range(307):
        sent = bytearray(whole)
        for _ in range(chance.randrange(1, 9)):
            at = chance.randrange(len(sent))
            match chance.randrange(3):
                case 0:
                    sent[at] = chance.randrange(256)
                case 1:
                    del sent[at : at + chance.randrange(1, 9)]
                case 2:
                    sent[at:at] = chance.randbytes(chance.randrange(1, 9))
            if not sent:
                break
        with server.connect() as client:
            with contextlib.suppress(OSError):
                client.sendall(sent)
                client.shutdown(socket.SHUT_WR)
            answer = read_all(client)
            assert not answer or answer.startswith(b"HTTP/1.1 "), answer[:100]
            assert b" 500 " not in answer[:20]
    assert _answers(server)


METHODS = (b"GET", b"HEAD", b"POST", b"CONNECT", b"OPTIONS", b"G\x00T", b"")
TARGETS = (
    b"/metrics",
    b"/",
    b"*",
    b"http://a/metrics",
    b"a:443",
    b"http://[::1",
    b"/" + b"x" * 3000,
)
VERSIONS = (b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"")
FIELDS = (
    *(b"Connection: close", b"Connection: keep-alive", b"Connection: Upgrade", b"Upgrade: h2c"),
    *(b"Expect: 100-continue", b"Content-Length: 5", b"Content-Length: 0", b"TE: trailers"),
    *(b"Content-Length: 100000", b"Transfer-Encoding: chunked", b"Accept-Encoding: gzip"),
    *(b"Authorization: Basic xx", b": x", b"X:\x00", b" folded", b"Accept: " + b"a/b;q=0," * 50),
)
BODIES = (
    b"",
    b"hello",
    b"5\r\nhello\r\n0\r\nTrailer: a\r\n\r\n",
    b"zz\r\n",
    b"f" * 17,
    b"a" * 100_000,
)


def test_requests_of_all_kinds_do_no_harm(
    impatient: Serving, caplog: pytest.LogCaptureFixture
) -> None:
    chance = random.Random(1_299_709)
    for _ in range(211):
        sent = b""
        for _ in range(chance.randrange(1, 4)):
            words = (chance.choice(METHODS), chance.choice(TARGETS), chance.choice(VERSIONS))
            fields = [b"Host: a", *chance.sample(FIELDS, chance.randrange(4))]
            sent += b"\r\n".join([b" ".join(words), *fields, b"", chance.choice(BODIES)])
        with impatient.connect() as client:
            with contextlib.suppress(OSError):
                client.sendall(sent)
                if chance.randrange(2):
                    client.shutdown(socket.SHUT_WR)
            answer = read_all(client) if chance.randrange(8) else b""
        assert not answer or answer.startswith(b"HTTP/1.1 ")
    assert _answers(impatient)
    assert "internal error" not in caplog.text


def _closed_by_the_server(client: socket.socket) -> bool:
    with contextlib.suppress(ConnectionResetError):
        while client.recv(4096):
            pass
    return True  # otherwise the time-out of the socket is raised


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /metrics HT",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc",
        b"GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
    ids=["nothing", "half a head", "half a body", "nothing more"],
)
def test_who_is_slow_is_let_go_of(impatient: Serving, sent: bytes) -> None:
    with impatient.connect() as client:
        client.sendall(sent)
        assert _closed_by_the_server(client)


def test_who_sends_a_letter_at_a_time_is_let_go_of(impatient: Serving) -> None:
    with impatient.connect() as client:
        deadline = time.monotonic() + LIMIT_S
        with contextlib.suppress(ConnectionError):
            while time.monotonic() < deadline:
                client.sendall(b"a")
                client.settimeout(0.05)
                with contextlib.suppress(TimeoutError):
                    if not client.recv(1):
                        break
        assert time.monotonic() < deadline


def test_who_does_not_read_is_let_go_of(impatient: Serving) -> None:
    with impatient.connect() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n" * 50)
        deadline = time.monotonic() + LIMIT_S
        while impatient.server.connections() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert impatient.server.connections() == 0
    assert _answers(impatient)


def test_idle_connections_make_room() -> None:
    with serving(Given(reading(MANY)), most=50) as server, contextlib.ExitStack() as stack:
        first = stack.enter_context(server.connect())
        for _ in range(307):
            stack.enter_context(server.connect())
        started = time.monotonic()
        assert _answers(server)
        assert time.monotonic() - started < LIMIT_S
        assert server.server.connections() <= 50
        assert _closed_by_the_server(first)


def test_who_asks_is_not_the_one_that_makes_room() -> None:
    with serving(Given(reading(MANY)), most=5) as server, contextlib.ExitStack() as stack:
        client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LIMIT_S)
        stack.callback(client.close)
        for _ in range(31):
            client.request("GET", "/-/healthy")
            own = client.sock
            client.getresponse().read()
            assert client.sock is own
            stack.enter_context(server.connect())


def test_many_at_a_time_share_what_is_read() -> None:
    source = Given(reading(MANY))
    with serving(source) as server:
        failed = []

        def scrape() -> None:
            for _ in range(10):
                if not _answers(server):
                    failed.append(1)

        threads = [threading.Thread(target=scrape) for _ in range(11)]
        started = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        took = time.monotonic() - started
    assert not failed
    assert 1 <= source.reads <= took / 0.1 + 1


def test_ends_with_clients_connected() -> None:
    with serving(Given(reading(MANY))) as server, server.connect() as client:
        client.sendall(b"GET /metr")
        while not server.server.connections():
            time.sleep(0.01)
    assert server.server.connections() == 0


def test_leaves_no_descriptor_behind() -> None:
    with serving(Given(reading(MANY))) as server:
        assert _answers(server)
        while server.server.connections():
            time.sleep(0.01)
        before = len(list(Path("/proc/self/fd").iterdir()))
        for _ in range(101):
            assert _answers(server)
            server.raw(b"\x00\r\n\r\n")
        while server.server.connections():
            time.sleep(0.01)
        assert len(list(Path("/proc/self/fd").iterdir())) <= before


class Broken(Given):
    """A source that cannot be read until it is repaired."""

    def __init__(self, now: Reading) -> None:
        super().__init__(now)
        self.repaired = threading.Event()

    def read(self) -> Reading:
        """Fail, or read."""
        if not self.repaired.is_set():
            raise OSError(9, "Bad file descriptor")
        return super().read()


def test_a_source_that_cannot_be_read_is_told_of() -> None:
    source = Broken(reading(MANY))
    with serving(source) as server:
        for path, status in (("/metrics", 503), ("/-/ready", 503), ("/-/healthy", 200)):
            with server.get(path) as answer:
                assert answer.status == status
        source.repaired.set()
        assert _answers(server)
        with server.get("/-/ready") as answer:
            assert answer.status == 200
