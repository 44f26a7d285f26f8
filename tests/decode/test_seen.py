"""What descriptors referred to, from the records that the kernel program writes."""

from __future__ import annotations

import os
import socket
import struct

import pytest

from pytracer.decode.descriptors import AT_FDCWD
from pytracer.decode.seen import SeenDescriptors
from pytracer.decode.told import Told
from pytracer.event.files import DELETED, EVENTFD, FACTS, LOOK_UP, PIDFD, PSEUDO, SIGNALFD, unpack
from pytracer.event.memory import NO_MEMORY, Snapshot, descriptor_address
from pytracer.output.style import Style
from pytracer.output.text.render import Renderer
from pytracer.spec.values import Descriptor

EVERYTHING = frozenset(Told)
PATHS = frozenset({Told.PATH})
SOCKFS, PIPEFS, ANON, NSFS, TMPFS = 0x534F434B, 0x50495045, 0x09041934, 0x6E736673, 0x01021994


def facts(
    names: bytes = b"",
    magic: int = 0xEF53,
    flags: int = 0,
    mode: int = 0o100644,
    inode: int = 7,
    word: int = 0,
    rdev: int = 0,
    number: int = 0,
    family: int = 0,
    protocol: int = 0,
    ports: tuple[int, int] = (0, 0),
    bound: int = 0,
    address: bytes = b"",
    peer: bytes = b"",
    unix: bytes = b"",
) -> bytes:
    """Write struct facts as the kernel program does, and what follows it."""
    fixed = FACTS.pack(
        inode, magic, word, 0, rdev, number & 0xFFFFFFFF, mode, family, protocol, ports[0],
        struct.pack(">H", ports[1]), flags, 0, bound, len(unix), address, peer,
    )  # fmt: skip
    return fixed + names + unix


def shown(
    data: bytes,
    told: frozenset[Told] = EVERYTHING,
    fd: int = 3,
    known: SeenDescriptors | None = None,
) -> str:
    known = known or SeenDescriptors(told)
    memory = Snapshot([(descriptor_address(fd), data, True)])
    name = "AT_FDCWD" if fd == AT_FDCWD else None
    return Renderer(Style()).write(Descriptor(fd, name, known.about(1, fd, memory)))


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (facts(b"passwd\0etc\0"), "3</etc/passwd>"),
        (facts(), "3</>"),
        (facts(b"file\0tmp\0", flags=DELETED), "3</tmp/file>(deleted)"),
        (facts(b"\0", PIPEFS, PSEUDO, 0o10600), "3<pipe:[7]>"),
        (facts(b"uts\0", NSFS, PSEUDO), "3<uts:[7]>"),
        (facts(b"memfd:x\0", TMPFS, PSEUDO), "3</memfd:x>(deleted)"),
        (facts(b"inotify\0", ANON, PSEUDO), "3<anon_inode:inotify>"),
        (facts(b"TCP\0", SOCKFS, PSEUDO, 0o140777, family=2), "3<socket:[7]>"),
    ],
)
def test_names(data: bytes, text: str) -> None:
    assert shown(data, PATHS) == text


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (facts(b"null\0dev\0", mode=0o20666, rdev=1 << 20 | 3), "3</dev/null<char 1:3>>"),
        (
            facts(b"ptmx\0dev\0", mode=0o20666, rdev=5 << 20 | 2, number=4),
            "3</dev/ptmx<char 5:2 @/dev/pts/4>>",
        ),
        (facts(b"[pidfd]\0", ANON, PSEUDO | PIDFD, number=77), "3<pid:77>"),
        (facts(b"[pidfd]\0", ANON, PSEUDO | PIDFD, number=-1), "3<anon_inode:[pidfd]>"),
        (facts(b"[signalfd]\0", ANON, PSEUDO | SIGNALFD, word=2), "3<signalfd:[INT]>"),
    ],
)
def test_other_words(data: bytes, text: str) -> None:
    assert shown(data) == text


def test_eventfd() -> None:
    data = facts(b"[eventfd]\0", ANON, PSEUDO | EVENTFD, word=0x10, number=5)
    assert shown(data).startswith("3<{eventfd-count=0x10")


def inet(protocol: bytes, family: int, here: tuple[bytes, int], there: tuple[bytes, int]) -> bytes:
    return facts(
        protocol + b"\0",
        SOCKFS,
        PSEUDO,
        0o140777,
        family=family,
        ports=(here[1], there[1]),
        address=here[0],
        peer=there[0],
    )


LOCAL = socket.inet_aton("127.0.0.1")
LOCAL6 = socket.inet_pton(socket.AF_INET6, "::1")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (inet(b"TCP", 2, (bytes(4), 0), (bytes(4), 0)), "3<TCP:[7]>"),
        (inet(b"TCP", 2, (LOCAL, 80), (bytes(4), 0)), "3<TCP:[127.0.0.1:80]>"),
        (inet(b"UDP", 2, (LOCAL, 80), (LOCAL, 81)), "3<UDP:[127.0.0.1:80->127.0.0.1:81]>"),
        (inet(b"TCPv6", 10, (LOCAL6, 80), (LOCAL6, 81)), "3<TCPv6:[[::1]:80->[::1]:81]>"),
        (inet(b"RAW", 2, (LOCAL, 1), (bytes(4), 0)), "3<RAW:[7]>"),
        (inet(b"MPTCP", 2, (LOCAL, 1), (bytes(4), 0)), "3<MPTCP:[7]>"),
        (facts(b"UNIX\0", SOCKFS, PSEUDO, 0o140777, family=1), "3<UNIX:[7]>"),
        (facts(b"UNIX\0", SOCKFS, PSEUDO, 0o140777, family=1, word=8), "3<UNIX:[7->8]>"),
        (
            facts(b"UNIX\0", SOCKFS, PSEUDO, 0o140777, family=1, word=8, unix=b"/run/x\0"),
            '3<UNIX:[7->8,"/run/x"]>',
        ),
        (
            facts(b"UNIX\0", SOCKFS, PSEUDO, 0o140777, family=1, unix=b"\0x"),
            '3<UNIX:[7,@"x"]>',
        ),
        (facts(b"NETLINK\0", SOCKFS, PSEUDO, 0o140777, family=16), "3<NETLINK:[7]>"),
        (
            facts(b"NETLINK\0", SOCKFS, PSEUDO, 0o140777, family=16, number=99, bound=1),
            "3<NETLINK:[ROUTE:99]>",
        ),
    ],
)
def test_sockets(data: bytes, text: str) -> None:
    assert shown(data) == text


def test_a_socket_keeps_the_addresses_it_was_first_seen_with() -> None:
    known = SeenDescriptors(EVERYTHING)
    made = inet(b"TCP", 2, (bytes(4), 0), (bytes(4), 0))
    bound = inet(b"TCP", 2, (LOCAL, 80), (bytes(4), 0))
    connected = inet(b"TCP", 2, (LOCAL, 80), (LOCAL, 81))
    texts = [shown(data, known=known) for data in (made, bound, connected)]
    assert texts == ["3<TCP:[7]>", *["3<TCP:[127.0.0.1:80]>"] * 2]


def test_the_working_directory() -> None:
    assert shown(facts(b"tmp\0"), fd=AT_FDCWD) == "AT_FDCWD</tmp>"
    assert shown(facts(b"x\0tmp\0", flags=DELETED), fd=AT_FDCWD) == "AT_FDCWD</tmp/x (deleted)>"
    assert shown(facts(b"tmp\0"), frozenset({Told.SOCKET}), AT_FDCWD) == "AT_FDCWD"


def test_what_no_record_tells_has_no_name() -> None:
    known = SeenDescriptors(EVERYTHING)
    assert known.about(os.getpid(), 0, NO_MEMORY) is None
    assert known.about(os.getpid(), 0) is None
    assert unpack(facts()[:50]) is None
    other = Snapshot([(descriptor_address(3), facts(b"x\0"), True)])
    assert known.about(os.getpid(), 4, other) is None


def test_the_call_that_goes_on_is_looked_up() -> None:
    fd = os.open("/dev/null", os.O_RDONLY)
    memory = Snapshot([(descriptor_address(fd), LOOK_UP, True)])
    try:
        about = SeenDescriptors(PATHS).about(os.getpid(), fd, memory)
    finally:
        os.close(fd)
    assert about is not None and about.path == b"/dev/null"


def test_the_name_that_a_filter_compares() -> None:
    memory = Snapshot([(descriptor_address(3), facts(b"x\0tmp\0", flags=DELETED), True)])
    assert SeenDescriptors(frozenset()).target(1, 3, memory) == b"/tmp/x (deleted)"
