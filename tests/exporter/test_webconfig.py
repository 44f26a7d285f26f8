"""The file of --web-config, as Prometheus' exporters take it."""

from __future__ import annotations

import contextlib
import http.client
import ssl
import subprocess
from pathlib import Path

import pytest
from pytracer_exporter import webconfig
from pytracer_exporter.tls import protection
from pytracer_exporter.webconfig import BadWebConfig, ClientAuth, WebConfig

from tests.exporter.scenes import Given, counts, reading
from tests.exporter.serving import serving

# Of "secret", with the least cost.
HASH = "$2b$04$abcdefghijklmnopqrstuu2a1BwM6ZVPXBpnMhNm8tC0QMKNbeDGu"


def certificate(folder: Path, name: str = "localhost") -> tuple[Path, Path]:
    """Make a certificate that has signed itself, and its key."""
    made, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "7", "-subj", f"/CN={name}", "-addext"),
            *(f"subjectAltName=DNS:{name},IP:127.0.0.1", "-keyout", key, "-out", made),
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
    return made, key


def _read(folder: Path, text: str) -> WebConfig:
    path = folder / "web.yml"
    path.write_text(text)
    return webconfig.read(path)


@pytest.mark.needs_program("openssl")
def test_certificates_users_and_headers(tmp_path: Path) -> None:
    made, key = certificate(tmp_path)
    found = _read(
        tmp_path,
        f"""
tls_server_config:
  cert_file: {made.name}
  key_file: {key}
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: {made.name}
  client_allowed_sans: [localhost, "127.0.0.1"]
  min_version: TLS13
  cipher_suites: [TLS_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]
http_server_config:
  http2: false
  headers: {{Strict-Transport-Security: max-age=3600}}
basic_auth_users:
  prometheus: {HASH}
""",
    )
    assert found.tls is not None
    assert found.tls.client_auth is ClientAuth.REQUIRED
    assert (found.tls.certificate, found.tls.key) == (made.read_bytes(), key.read_bytes())
    assert found.tls.client_ca == made.read_bytes()
    assert found.users == {"prometheus": HASH.encode()}
    assert found.headers == (("Strict-Transport-Security", "max-age=3600"),)
    made_of_it = protection(found.tls)
    assert made_of_it.admits({"subjectAltName": (("DNS", "localhost"),)})
    assert not made_of_it.admits({"subjectAltName": (("DNS", "elsewhere"),)})
    assert not made_of_it.admits(None)
    # What is logged by accident has no secret in it.
    assert HASH not in repr(found)
    assert "PRIVATE" not in repr(found)


def test_an_empty_file_protects_nothing(tmp_path: Path) -> None:
    assert _read(tmp_path, "") == WebConfig()
    assert _read(tmp_path, "tls_server_config:\nbasic_auth_users: {}\n") == WebConfig()


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("{", "is not YAML"),
        ("- a", "write a table"),
        ("tls: {}", "tls: there is no such key: there are tls_server_config"),
        ("1: 2", "1 is no text"),
        ("tls_server_config: {certfile: a}", "tls_server_config.certfile: there is no such key"),
        ("tls_server_config: {}", "tls_server_config.cert_file: is missing"),
        ("tls_server_config: {cert: a}", "tls_server_config.key_file: is missing"),
        ("tls_server_config: {cert: a, cert_file: b}", "there is cert_file, too"),
        ("tls_server_config: {cert_file: none.pem}", "none.pem: No such file"),
        ("tls_server_config: {cert: 5}", "tls_server_config.cert: is no text"),
        (
            "tls_server_config: {cert: a, key: b, client_auth_type: RequireAnyClientCert}",
            "there is no 'RequireAnyClientCert' here: use NoClientCert",
        ),
        (
            "tls_server_config: {cert: a, key: b, client_auth_type: RequireAndVerifyClientCert}",
            "client_ca_file: is missing",
        ),
        ("tls_server_config: {cert: a, key: b, client_ca: c}", "client_auth_type: is missing"),
        ("tls_server_config: {cert: a, key: b, min_version: TLS10}", "there is no 'TLS10' here"),
        (
            "tls_server_config: {cert: a, key: b, min_version: TLS13, max_version: TLS12}",
            "min_version: is above max_version",
        ),
        ("tls_server_config: {cert: a, key: b, curve_preferences: [X25519]}", "leave it out"),
        ("tls_server_config: {cert: a, key: b, cipher_suites: x}", "cipher_suites: write a list"),
        ("http_server_config: {http2: true}", "http_server_config.http2: this exporter has"),
        ("http_server_config: {headers: {X-Other: a}}", "headers.X-Other: there is no such key"),
        ('http_server_config: {headers: {X-Frame-Options: "a\\nb"}}', "letters that no header"),
        ("basic_auth_users: {a: secret}", "basic_auth_users.a: is no bcrypt hash"),
        ("basic_auth_users: {a: 7}", "basic_auth_users.a: is no bcrypt hash"),
        (f"basic_auth_users: {{a: {HASH.replace('$04$', '$20$')}}}", "costs 20"),
    ],
)
def test_a_file_that_is_wrong_is_told_in_a_line(tmp_path: Path, text: str, cause: str) -> None:
    with pytest.raises(BadWebConfig) as caught:
        _read(tmp_path, text)
    told = str(caught.value)
    assert told.startswith(f"{tmp_path / 'web.yml'}: ")
    assert cause in told
    assert "\n" not in told
    assert "secret" not in told


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("tls_server_config: {cert: a, key: b}", "certificate or key cannot be used"),
        ("tls_server_config: {cert_file: a.pem, key_file: b.key}", "must be PEM"),
        ("tls_server_config: {cert_file: a.pem, key_file: sealed.key}", "without a password"),
        (
            "tls_server_config: {cert_file: a.pem, key_file: a.key, cipher_suites: [ROT13]}",
            "there is no ROT13 here",
        ),
        (
            "tls_server_config: {cert_file: a.pem, key_file: a.key, client_ca: x, "
            "client_auth_type: RequireAndVerifyClientCert}",
            "client_ca holds no certificate",
        ),
    ],
)
@pytest.mark.needs_program("openssl")
def test_certificates_that_cannot_be_used(tmp_path: Path, text: str, cause: str) -> None:
    _, key = certificate(tmp_path, "a")
    certificate(tmp_path, "b")
    subprocess.run(
        [
            *("openssl", "ec", "-in", key, "-out", tmp_path / "sealed.key"),
            *("-aes128", "-passout", "pass:word"),
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
    found = _read(tmp_path, text)
    assert found.tls is not None
    with pytest.raises(BadWebConfig, match=cause):
        protection(found.tls)


@pytest.mark.needs_program("openssl")
def test_a_large_answer_arrives_whole_through_tls(tmp_path: Path) -> None:
    certificate(tmp_path, "localhost")
    text = "tls_server_config: {cert_file: localhost.pem, key_file: localhost.key}\n"
    tls = _read(tmp_path, text).tls
    assert tls is not None
    many = Given(reading([counts("web", f"call{each}", [1000]) for each in range(307)]))
    trusting = ssl.create_default_context(cafile=str(tmp_path / "localhost.pem"))
    with serving(many, protection=protection(tls)) as running:
        client = http.client.HTTPSConnection(
            "localhost", running.port, timeout=20, context=trusting
        )
        with contextlib.closing(client):
            for _ in range(3):
                client.request("GET", "/metrics")
                with client.getresponse() as answer:
                    assert len(answer.read()) > 500_000
