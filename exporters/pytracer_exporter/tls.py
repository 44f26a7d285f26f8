"""Protected connections, as --web-config describes them."""

from __future__ import annotations

import ipaddress
import os
import ssl
from collections.abc import Iterable
from contextlib import closing
from functools import partial
from typing import Any, Final

from pytracer_exporter.server import Protection
from pytracer_exporter.webconfig import BadWebConfig, ClientAuth, Tls

_VERSIONS: Final = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}
_AUTH: Final = {
    ClientAuth.NONE: ssl.CERT_NONE,
    ClientAuth.IF_GIVEN: ssl.CERT_OPTIONAL,
    ClientAuth.REQUIRED: ssl.CERT_REQUIRED,
}
# What Go calls the cipher suites of TLS 1.2 that OpenSSL still offers; those of 1.3 are not chosen.
_CIPHERS: Final = {
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "ECDHE-ECDSA-AES128-GCM-SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": "ECDHE-ECDSA-AES256-GCM-SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": "ECDHE-RSA-AES256-GCM-SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-RSA-CHACHA20-POLY1305",
}
_ALWAYS_OFFERED: Final = (
    "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
)  # fmt: skip


def protection(tls: Tls) -> Protection:
    """Make what connections are protected with.

    Errors: BadWebConfig.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = _VERSIONS[tls.least]
    context.maximum_version = _VERSIONS[tls.most]
    context.verify_mode = _AUTH[tls.client_auth]
    # A session that is resumed would be one more thing that is kept for each client.
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    if tls.prefer_ours:
        context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    try:
        _load(context, tls)
    except (ssl.SSLError, ValueError) as error:
        told = getattr(error, "reason", None) or str(error)
        raise BadWebConfig(
            "--web-config: certificate or key cannot be used: "
            f"{told.lower().replace('_', ' ')}: they must be PEM, without a password, and match"
        ) from error
    if tls.client_ca is not None:
        try:
            context.load_verify_locations(cadata=tls.client_ca.decode("ascii", "replace"))
        except (ssl.SSLError, ValueError) as error:
            raise BadWebConfig("--web-config: client_ca holds no certificate, as PEM") from error
    if tls.ciphers:
        _choose(context, tls.ciphers)
    return Protection(context, partial(_admits, frozenset(tls.client_names)))


def _load(context: ssl.SSLContext, tls: Tls) -> None:
    # OpenSSL takes files alone; this one is never on a disk.
    with closing(os.fdopen(os.memfd_create("tls", os.MFD_CLOEXEC), "wb")) as file:
        file.write(tls.certificate.rstrip() + b"\n" + tls.key)
        file.flush()
        context.load_cert_chain(f"/proc/self/fd/{file.fileno()}", password=lambda: "")


def _choose(context: ssl.SSLContext, names: Iterable[str]) -> None:
    unknown = [name for name in names if name not in _CIPHERS and name not in _ALWAYS_OFFERED]
    if unknown:
        raise BadWebConfig(
            f"--web-config: cipher_suites: there is no {unknown[0]} here: there are "
            f"{', '.join(_CIPHERS)}"
        )
    chosen = [_CIPHERS[name] for name in names if name in _CIPHERS]
    if chosen:
        context.set_ciphers(":".join(chosen))


def _admits(names: frozenset[str], certificate: Any) -> bool:
    """Whether a certificate is a client's that is allowed: any, or one of those named."""
    if not names:
        return True
    found = {value for _kind, value in (certificate or {}).get("subjectAltName", ())}
    return bool(names & {_canonical(value) for value in found})


def _canonical(name: str) -> str:
    try:
        return str(ipaddress.ip_address(name.strip()))
    except ValueError:
        return name
