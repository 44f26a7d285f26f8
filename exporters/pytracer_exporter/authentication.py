"""Basic authentication: who may ask, by user names and bcrypt's hashes of passwords.

To verify a password takes a tenth of a second on purpose, and is done in a thread of its own.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from typing import Final

# bcrypt takes no more of a password.
_MOST_PASSWORD_BYTES: Final = 72
_MOST_KEPT: Final = 256
# Verifications that wait for others.
_MOST_WAITING: Final = 16


class Verdict(Enum):
    """Whether a client is one of the users; BUSY when too many ask at once to tell."""

    ADMITTED = 1
    REFUSED = 2
    BUSY = 3


class BasicAuth:
    """``users``: a bcrypt hash for each name; there is at least one."""

    def __init__(self, users: Mapping[str, bytes]) -> None:
        self._users = {name.encode(): hashed for name, hashed in users.items()}
        # Verified for names that nobody has, so that these do not answer sooner.
        self._nobodys = next(iter(self._users.values()))
        # What was verified is kept as a keyed hash: no password is.
        self._secret = secrets.token_bytes(32)
        self._admitted: OrderedDict[bytes, None] = OrderedDict()
        self._refused: OrderedDict[bytes, None] = OrderedDict()
        self._thread = ThreadPoolExecutor(1, "authentication")
        self._waiting = 0

    async def verify(self, authorization: str) -> Verdict:
        """Judge the header of that name."""
        name, password = _credentials(authorization)
        if not password:
            return Verdict.REFUSED
        key = self._key(name, password)
        if key in self._admitted:
            return Verdict.ADMITTED
        if key in self._refused:
            return Verdict.REFUSED
        if self._waiting >= _MOST_WAITING:
            return Verdict.BUSY
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            good = await loop.run_in_executor(self._thread, self._check, name, password)
        finally:
            self._waiting -= 1
        kept = self._admitted if good else self._refused
        kept[key] = None
        if len(kept) > _MOST_KEPT:
            kept.popitem(last=False)
        return Verdict.ADMITTED if good else Verdict.REFUSED

    def _check(self, name: bytes, password: bytes) -> bool:
        import bcrypt

        hashed = self._users.get(name)
        if len(password) > _MOST_PASSWORD_BYTES or b"\0" in password:
            return False
        matches = bcrypt.checkpw(password, hashed or self._nobodys)
        return matches and hashed is not None

    def _key(self, name: bytes, password: bytes) -> bytes:
        text = b"%d:%b:%b" % (len(name), name, password)
        return hashlib.blake2b(text, key=self._secret).digest()

    def close(self) -> None:
        """End the thread, after what it is about."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def _credentials(authorization: str) -> tuple[bytes, bytes]:
    """Name and password; both are empty for what is no basic authentication."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return b"", b""
    try:
        text = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        return b"", b""
    name, _, password = text.partition(b":")
    return name, password
