"""Netlink messages of protocols that a machine may not have, and buffers that only look so."""

from __future__ import annotations

import struct
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pytracer.backend.capture import capture
from pytracer.decode.sockets import UNKNOWN, SocketTracker
from pytracer.output.style import Style, Xlats
from pytracer.output.text.render import Renderer
from pytracer.spec.abi import LAYOUTS, X86_64
from pytracer.spec.entry import BOOK
from pytracer.spec.plan import AtRegister, Phase, Planning
from pytracer.tables import network
from pytracer.tables.constants import netfamilies as nf
from pytracer.tables.constants.network import NETLINK_CRYPTO, NETLINK_ROUTE
from pytracer.tables.netlink.buffer import CAPTURED, SocketBuffer, netlink_at
from pytracer.tables.structs.ticks import ticks

AT = 0x1000


class _Memory:
    """A buffer at AT, and nothing else."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def read_some(self, address: int, length: int) -> bytes:
        assert address == AT
        return self.data[:length]


def _decode(data: bytes, protocol: int, length: int | None = None) -> str:
    ctx: Any = SimpleNamespace(
        memory=_Memory(data), string_bytes=32, elements=33, whole=False, saved={}, pid=1
    )
    value = netlink_at(ctx, AT, len(data) if length is None else length, protocol)
    return Renderer(Style()).write(value)


def _message(kind: int, body: bytes) -> bytes:
    return struct.pack("<IHHII", 16 + len(body), kind, 0, 1, 0) + body


def _attribute(kind: int, data: bytes) -> bytes:
    padding = bytes(-len(data) % 4)
    return struct.pack("<HH", 4 + len(data), kind) + data + padding


def _name(text: str) -> bytes:
    return text.encode().ljust(64, b"\0")


HEAD = "{nlmsg_len=%d, nlmsg_type=CRYPTO_MSG_NEWALG, nlmsg_flags=0, nlmsg_seq=1, nlmsg_pid=0}"
ALGORITHM = _name("cbc(aes)") + _name("cbc-aes-aesni") + bytes(64)
ALGORITHM += struct.pack("<IIII", 5, 15, 1, 0)
SHOWN = (
    '{cru_name="cbc(aes)", cru_driver_name="cbc-aes-aesni", cru_module_name="", cru_type=0x5, '
    "cru_mask=0xf, cru_refcnt=1, cru_flags=0}"
)


@pytest.mark.parametrize(
    ("attribute", "data", "shown"),
    [
        (nf.CRYPTOCFGA_PRIORITY_VAL, struct.pack("<I", 400), "400"),
        (nf.CRYPTOCFGA_PRIORITY_VAL, b"\1", r'"\x01"'),
        (nf.CRYPTOCFGA_REPORT_LARVAL, b"larval\0more", '{type="larval"}'),
        (nf.CRYPTOCFGA_REPORT_COMPRESS, b"no end", '{type="no end"...}'),
        (
            nf.CRYPTOCFGA_REPORT_HASH,
            _name("shash") + struct.pack("<II", 64, 32),
            '{type="shash", blocksize=64, digestsize=32}',
        ),
        (
            nf.CRYPTOCFGA_REPORT_BLKCIPHER,
            _name("skcipher") + _name("<none>") + struct.pack("<IIII", 16, 16, 32, 8),
            '{type="skcipher", geniv="<none>", blocksize=16, min_keysize=16, max_keysize=32, '
            "ivsize=8}",
        ),
        (
            nf.CRYPTOCFGA_REPORT_AEAD,
            _name("aead") + _name("") + struct.pack("<III", 1, 16, 12),
            '{type="aead", geniv="", blocksize=1, maxauthsize=16, ivsize=12}',
        ),
        (nf.CRYPTOCFGA_REPORT_RNG, _name("rng") + bytes(4), '{type="rng", seedsize=0}'),
        (nf.CRYPTOCFGA_REPORT_RNG, b"short", '"short"'),
        (
            nf.CRYPTOCFGA_REPORT_CIPHER,
            _name("cipher") + struct.pack("<III", 16, 16, 32),
            '{type="cipher", blocksize=16, min_keysize=16, max_keysize=32}',
        ),
    ],
)
def test_decodes_algorithms(attribute: int, data: bytes, shown: str) -> None:
    message = _message(16, ALGORITHM + _attribute(attribute, data))
    head = HEAD % len(message)
    name = nf.CRYPTO_ATTRIBUTES.name_of(attribute)
    what = f"[{{nla_len={4 + len(data)}, nla_type={name}}}, {shown}]"
    assert _decode(message, NETLINK_CRYPTO) == f"[{head}, {SHOWN}, {what}]"


def test_shows_what_is_no_algorithm_as_bytes() -> None:
    short = _message(16, b"short")
    assert _decode(short, NETLINK_CRYPTO) == f'[{HEAD % 21}, "short"]'
    other = _decode(_message(20, b"\1\2"), NETLINK_CRYPTO)
    assert "nlmsg_type=CRYPTO_MSG_DELRNG, nlmsg_flags=0" in other
    assert other.endswith(r'}, "\x01\x02"]')


def test_says_where_a_buffer_cannot_be_read() -> None:
    one = struct.pack("<IHHII", 16, 3, 0, 1, 0)
    shown = "{nlmsg_len=16, nlmsg_type=NLMSG_DONE, nlmsg_flags=0, nlmsg_seq=1, nlmsg_pid=0}"
    assert _decode(one + one[:7], NETLINK_ROUTE, 48) == f"[{shown}, ... /* 0x1010 */]"
    assert _decode(one[:7], NETLINK_ROUTE, 48) == "0x1000"
    assert _decode(one + b"\1\2", NETLINK_ROUTE) == rf'[{shown}, "\x01\x02"]'


def test_captures_more_of_a_netlink_socket() -> None:
    for layout in LAYOUTS:
        planning = Planning(layout, Phase.ENTRY, 32, False, None, {})
        fetches = SocketBuffer("len").fetches_at(AtRegister(1), planning)
        assert [(fetch.limit, fetch.netlink) for fetch in fetches] == [(32, CAPTURED)]


def test_captures_no_more_than_a_call_has_brought() -> None:
    buffer = bytes(range(256)) * 16
    vector = struct.pack("<QQ", AT, 4096)
    header = struct.pack("<QIxxxxQQQQI4x", 0, 0, AT - 64, 1, 0, 0, 0)

    class Memory:
        def read_some(self, address: int, length: int) -> bytes:
            place = {AT: buffer, AT - 64: vector, AT - 256: header}[address]
            return place[:length]

    assert network  # which describes it
    entry = BOOK.entries["recvmsg", X86_64.index]
    fetches = entry.fetches(X86_64, 32, False)
    memory: Any = Memory()
    regions = capture(fetches, Phase.EXIT, (3, AT - 256, 0, 0, 0, 0), 100, memory, 8)
    assert [len(data) for address, data, _ in regions if address == AT] == [100]


def test_a_child_has_its_parents_sockets(tmp_path: Path) -> None:
    tracker = SocketTracker(tmp_path)
    tracker.made(1, 3, 16, 9)
    tracker.made(1, 4, 16, 0)
    tracker.bound(1, 4)
    tracker.made(1, 5, 2, 0)
    tracker.inherited(2, 1)
    assert [tracker.netlink(2, 3), tracker.netlink(2, 3)] == [UNKNOWN, 9]
    assert tracker.netlink(2, 4) == 0
    assert tracker.netlink(2, 5) is None
    assert tracker.netlink(2, 6) is None
    assert tracker.netlink(1, 3) == UNKNOWN


def test_a_remark_is_left_out_where_constants_are_raw() -> None:
    assert Renderer(Style()).write(ticks(150)) == "150 /* 1.50 s */"
    assert Renderer(Style(xlats=Xlats.VERBOSE)).write(ticks(150)) == "150 /* 1.50 s */"
    assert Renderer(Style(xlats=Xlats.RAW)).write(ticks(150)) == "150"
