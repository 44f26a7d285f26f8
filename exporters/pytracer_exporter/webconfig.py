"""The file of --web-config: TLS and users, in the format that Prometheus' own exporters take.

Source: docs/web-configuration.md of prometheus/exporter-toolkit. What Python's TLS cannot do, such
as choosing curves, is refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Final

_HASH = re.compile(r"\$2[abxy]\$(\d\d)\$[./A-Za-z0-9]{53}")
_MOST_COST: Final = 16
_MOST_BYTES: Final = 1 << 20
_NO_EFFECT: Final = "this exporter cannot do that: leave it out"


class BadWebConfig(Exception):
    """The file cannot be used; the text is one line that says why, and what to do.

    ``denied``: because this user may not read it, or what it names.
    """

    def __init__(self, text: str, *, denied: bool = False) -> None:
        super().__init__(text)
        self.denied = denied


class ClientAuth(Enum):
    """Whether clients must have a certificate."""

    NONE = "NoClientCert"
    IF_GIVEN = "VerifyClientCertIfGiven"
    REQUIRED = "RequireAndVerifyClientCert"


@dataclass(frozen=True, slots=True)
class Tls:
    """Certificates and keys, as PEM; nothing is left to be read from files."""

    certificate: bytes = field(repr=False)
    key: bytes = field(repr=False)
    client_auth: ClientAuth = ClientAuth.NONE
    client_ca: bytes | None = field(default=None, repr=False)
    client_names: tuple[str, ...] = ()
    least: str = "TLS12"
    most: str = "TLS13"
    ciphers: tuple[str, ...] = ()
    prefer_ours: bool = True


@dataclass(frozen=True, slots=True)
class WebConfig:
    """What the file says. ``users``: bcrypt hashes by name."""

    tls: Tls | None = None
    users: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    headers: tuple[tuple[str, str], ...] = ()


# Source: HTTP headers that exporter-toolkit lets be set.
_HEADERS: Final = (
    "Content-Security-Policy",
    "Strict-Transport-Security",
    "X-Content-Type-Options",
    "X-Frame-Options",
    "X-XSS-Protection",
)
_VERSIONS: Final = ("TLS12", "TLS13")


def read(path: Path) -> WebConfig:
    """Read the file and all that it names.

    Errors: BadWebConfig.
    """
    import yaml

    try:
        given = yaml.safe_load(_content(path, path))
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        told = " ".join(str(error).split())
        raise BadWebConfig(f"{path}: is not YAML: {told}") from error
    reader = _Reader(path)
    top = reader.table("", given if given is not None else {}, tuple(_SECTIONS))
    found: dict[str, Any] = {}
    for key, section in top.items():
        if section is not None:
            found |= _SECTIONS[key](reader, section)
    return WebConfig(**found)


def _content(path: Path, file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            data = opened.read(_MOST_BYTES)
    except OSError as error:
        about = "" if file == path else f"{file}: "
        raise BadWebConfig(
            f"{path}: {about}{error.strerror}: name a file that this user can read",
            denied=isinstance(error, PermissionError),
        ) from error
    return data


@dataclass(frozen=True, slots=True)
class _Reader:
    """Takes values out of the file. Errors: BadWebConfig, naming file and key."""

    path: Path

    def bad(self, key: str, why: str) -> BadWebConfig:
        return BadWebConfig(f"{self.path}: {key}: {why}" if key else f"{self.path}: {why}")

    def table(self, key: str, given: object, known: tuple[str, ...] = ()) -> dict[str, Any]:
        if not isinstance(given, dict):
            raise self.bad(key, "write a table of keys and values")
        for each in given:
            if not isinstance(each, str):
                raise self.bad(key, f"{each!r} is no text: put it in quotes")
            if known and each not in known:
                where = f"{key}.{each}" if key else each
                raise self.bad(where, f"there is no such key: there are {', '.join(known)}")
        return given

    def text(self, key: str, given: object) -> str:
        if not isinstance(given, str):
            raise self.bad(key, "is no text: put it in quotes")
        return given

    def texts(self, key: str, given: object) -> tuple[str, ...]:
        if not isinstance(given, list):
            raise self.bad(key, "write a list")
        return tuple(self.text(key, each) for each in given)

    def file(self, key: str, given: object) -> bytes:
        name = self.text(key, given)
        # Relative to the file that names it, as exporter-toolkit has it.
        return _content(self.path, self.path.parent / name)


_TLS_KEYS: Final = (
    "cert_file", "key_file", "cert", "key", "client_auth_type", "client_ca_file", "client_ca",
    "client_allowed_sans", "min_version", "max_version", "cipher_suites",
    "prefer_server_cipher_suites", "curve_preferences",
)  # fmt: skip


def _tls(reader: _Reader, given: object) -> dict[str, Any]:
    at = "tls_server_config"
    table = reader.table(at, given, _TLS_KEYS)
    pems = {what: _pem(reader, table, f"{at}.", what) for what in ("cert", "key", "client_ca")}
    if not pems["cert"] or not pems["key"]:
        missing = "cert_file" if not pems["cert"] else "key_file"
        raise reader.bad(f"{at}.{missing}", "is missing: name the server's, as PEM")
    if table.get("curve_preferences"):
        raise reader.bad(f"{at}.curve_preferences", _NO_EFFECT)
    auth = ClientAuth.NONE
    if wanted := table.get("client_auth_type"):
        known = {each.value: each for each in ClientAuth}
        if wanted not in known:
            raise reader.bad(
                f"{at}.client_auth_type", f"there is no '{wanted}' here: use {', '.join(known)}"
            )
        auth = known[wanted]
    if auth is not ClientAuth.NONE and not pems["client_ca"]:
        raise reader.bad(f"{at}.client_ca_file", f"is missing: {auth.value} needs it")
    if pems["client_ca"] and auth is ClientAuth.NONE:
        raise reader.bad(
            f"{at}.client_auth_type", "is missing: the clients' authority is not used without"
        )
    names = reader.texts(f"{at}.client_allowed_sans", table.get("client_allowed_sans") or [])
    least, most = (
        _version(reader, f"{at}.{key}", table.get(key), default)
        for key, default in (("min_version", "TLS12"), ("max_version", "TLS13"))
    )
    if least > most:
        raise reader.bad(f"{at}.min_version", "is above max_version")
    prefer = table.get("prefer_server_cipher_suites", True)
    if not isinstance(prefer, bool):
        raise reader.bad(f"{at}.prefer_server_cipher_suites", "is neither true nor false")
    ciphers = reader.texts(f"{at}.cipher_suites", table.get("cipher_suites") or [])
    return {
        "tls": Tls(
            pems["cert"], pems["key"], auth, pems["client_ca"], names, least, most, ciphers, prefer
        )
    }


def _pem(reader: _Reader, table: Mapping[str, Any], at: str, what: str) -> bytes | None:
    inline, file = table.get(what), table.get(f"{what}_file")
    if inline and file:
        raise reader.bad(f"{at}{what}", f"there is {what}_file, too: give one of them")
    if inline:
        return reader.text(f"{at}{what}", inline).encode()
    return reader.file(f"{at}{what}_file", file) if file else None


def _version(reader: _Reader, key: str, given: object, default: str) -> str:
    text = default if given is None else reader.text(key, given)
    if text not in _VERSIONS:
        raise reader.bad(key, f"there is no '{text}' here: use {' or '.join(_VERSIONS)}")
    return text


def _users(reader: _Reader, given: object) -> dict[str, Any]:
    users = {}
    for name, hashed in reader.table("basic_auth_users", given).items():
        found = _HASH.fullmatch(hashed) if isinstance(hashed, str) else None
        where = f"basic_auth_users.{name}"
        # The value may be a password: it is not repeated.
        if found is None:
            raise reader.bad(where, "is no bcrypt hash: make one with htpasswd -nBC 10 ''")
        if not 4 <= int(found[1]) <= _MOST_COST:
            raise reader.bad(where, f"costs {found[1]}: each check would take long; 10 is usual")
        users[name] = hashed.encode()
    return {"users": users}


def _http(reader: _Reader, given: object) -> dict[str, Any]:
    at = "http_server_config"
    table = reader.table(at, given, ("http2", "headers"))
    if table.get("http2"):
        raise reader.bad(f"{at}.http2", "this exporter has HTTP/1.1 alone: write false")
    headers = []
    for name, value in reader.table(f"{at}.headers", table.get("headers") or {}, _HEADERS).items():
        text = reader.text(f"{at}.headers.{name}", value)
        if not text.isascii() or not text.isprintable():
            raise reader.bad(f"{at}.headers.{name}", "has letters that no header can have")
        headers.append((name, text))
    return {"headers": tuple(headers)}


_SECTIONS: Final = {
    "tls_server_config": _tls,
    "http_server_config": _http,
    "basic_auth_users": _users,
}
