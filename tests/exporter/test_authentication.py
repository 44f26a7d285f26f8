"""Who has a password is let in, and not slowed down; who has none is not."""

from __future__ import annotations

import asyncio
import base64
import time

import bcrypt
import pytest
from pytracer_exporter.authentication import BasicAuth, Verdict

USERS = {
    "prometheus": bcrypt.hashpw(b"secret", bcrypt.gensalt(4)),
    "näme": bcrypt.hashpw("pass:wörd".encode(), bcrypt.gensalt(4)),
    "slow": bcrypt.hashpw(b"secret", bcrypt.gensalt(10)),
}


def _basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def _verify(*headers: str) -> list[Verdict]:
    async def run() -> list[Verdict]:
        auth = BasicAuth(USERS)
        try:
            return [await auth.verify(each) for each in headers]
        finally:
            auth.close()

    return asyncio.run(run())


@pytest.mark.parametrize(
    "header", [_basic("prometheus:secret"), _basic("näme:pass:wörd"), _basic("slow:secret")]
)
def test_admits_users(header: str) -> None:
    assert _verify(header, header, header.replace("Basic", "BASIC")) == [Verdict.ADMITTED] * 3


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic",
        "Basic !!!",
        "Basic \xff",
        "Bearer " + base64.b64encode(b"prometheus:secret").decode(),
        _basic("prometheus"),
        _basic("prometheus:"),
        _basic("prometheus:Secret"),
        _basic("prometheus:secret\0"),
        _basic("prometheus:" + "secret" * 20),
        _basic(":secret"),
        _basic("nobody:secret"),
    ],
)
def test_refuses_everybody_else(header: str) -> None:
    assert _verify(header, _basic("prometheus:secret"), header) == [
        Verdict.REFUSED,
        Verdict.ADMITTED,
        Verdict.REFUSED,
    ]


def test_a_name_is_not_part_of_a_password() -> None:
    assert _verify(_basic("prometheus:secret"), _basic("prometheu:ssecret"))[1] is Verdict.REFUSED


def test_who_is_known_does_not_wait_for_guesses() -> None:
    async def run() -> tuple[list[Verdict], Verdict, float]:
        auth = BasicAuth(USERS)
        known = _basic("prometheus:secret")
        await auth.verify(known)
        guesses = [asyncio.create_task(auth.verify(_basic(f"slow:guess{i}"))) for i in range(101)]
        await asyncio.sleep(0)
        begun = time.monotonic()
        verdict = await auth.verify(known)
        took = time.monotonic() - begun
        judged = await asyncio.gather(*guesses)
        auth.close()
        return judged, verdict, took

    judged, verdict, took = asyncio.run(run())
    assert verdict is Verdict.ADMITTED
    assert took < 10
    assert judged.count(Verdict.REFUSED) == 16
    assert judged.count(Verdict.BUSY) == 85
