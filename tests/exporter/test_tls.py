"""Protected connections: who may have one, and who does not keep others from theirs."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytracer_exporter.server import MOST_PROTECTED
from pytracer_exporter.tls import protection
from pytracer_exporter.webconfig import ClientAuth, Tls

from tests.exporter.scenes import Given, reading
from tests.exporter.serving import LIMIT_S, Serving, serving
from tests.exporter.test_webconfig import certificate

pytestmark = pytest.mark.needs_program("openssl")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Holds certificates of the server, of a client and of a stranger."""
    made = tmp_path_factory.mktemp("tls")
    for name in ("localhost", "client", "stranger"):
        certificate(made, name)
    return made


def _tls(folder: Path) -> Tls:
    return Tls((folder / "localhost.pem").read_bytes(), (folder / "localhost.key").read_bytes())


def _context(folder: Path, name: str | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(folder / "localhost.pem"))
    if name is not None:
        context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    return context


def _get(server: Serving, context: ssl.SSLContext) -> int:
    client = http.client.HTTPSConnection("localhost", server.port, context=context, timeout=LIMIT_S)
    with contextlib.closing(client):
        client.request("GET", "/-/healthy")
        return client.getresponse().status


@pytest.fixture
def demanding(folder: Path) -> Iterator[Callable[..., contextlib.AbstractContextManager[Serving]]]:
    """Serve those who have the client's certificate, of these names."""

    def serve(*names: str) -> contextlib.AbstractContextManager[Serving]:
        tls = replace(
            _tls(folder),
            client_auth=ClientAuth.REQUIRED,
            client_ca=(folder / "client.pem").read_bytes(),
            client_names=names,
        )
        return serving(Given(reading()), protection=protection(tls))

    yield serve


def test_serves_its_own_version_or_a_later_one(folder: Path) -> None:
    with serving(Given(reading()), protection=protection(_tls(folder))) as server:
        context = _context(folder)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        assert _get(server, context) == 200
    only = protection(replace(_tls(folder), least="TLS13"))
    with serving(Given(reading()), protection=only) as server:
        with pytest.raises(ssl.SSLError):
            _get(server, context)
        assert _get(server, _context(folder)) == 200


def test_serves_clients_that_it_knows(
    folder: Path, demanding: Callable[..., contextlib.AbstractContextManager[Serving]]
) -> None:
    with demanding() as server:
        assert _get(server, _context(folder, "client")) == 200
        for name in (None, "stranger"):
            with pytest.raises((ssl.SSLError, ConnectionError, http.client.HTTPException)):
                _get(server, _context(folder, name))
        assert _get(server, _context(folder, "client")) == 200


def test_serves_clients_of_a_name(
    folder: Path, demanding: Callable[..., contextlib.AbstractContextManager[Serving]]
) -> None:
    with demanding("client") as server:
        assert _get(server, _context(folder, "client")) == 200
    refused = (ssl.SSLError, ConnectionError, http.client.HTTPException)
    with demanding("somebody-else") as server, pytest.raises(refused):
        _get(server, _context(folder, "client"))


def test_who_does_not_shake_hands_keeps_nobody_waiting(folder: Path) -> None:
    with (
        serving(Given(reading()), protection=protection(_tls(folder)), most=500) as server,
        contextlib.ExitStack() as stack,
    ):
        for number in range(2 * MOST_PROTECTED + 3):
            client = stack.enter_context(server.connect())
            with contextlib.suppress(ConnectionError):
                client.sendall(
                    (b"", b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/1.1\r\n")[number % 3]
                )
        assert _get(server, _context(folder)) == 200
        assert server.server.connections() <= MOST_PROTECTED


def test_idle_clients_make_room(folder: Path) -> None:
    with (
        serving(Given(reading()), protection=protection(_tls(folder))) as server,
        contextlib.ExitStack() as stack,
    ):
        context = _context(folder)
        for _ in range(MOST_PROTECTED + 7):
            plain = stack.enter_context(
                socket.create_connection(("127.0.0.1", server.port), timeout=LIMIT_S)
            )
            stack.enter_context(context.wrap_socket(plain, server_hostname="localhost"))
        assert _get(server, context) == 200
        assert server.server.connections() <= MOST_PROTECTED
