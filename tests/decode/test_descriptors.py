"""What descriptors refer to, of this very process."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytracer.decode.descriptors import AT_FDCWD, LiveDescriptors, SocketKinds
from pytracer.decode.told import Told
from pytracer.output.style import Style
from pytracer.output.text.render import Renderer
from pytracer.spec.values import Descriptor

EVERYTHING = frozenset(Told)
PATHS = frozenset({Told.PATH})


def shown(fd: int, told: frozenset[Told] = EVERYTHING) -> str:
    about = LiveDescriptors(told).about(os.getpid(), fd)
    name = "AT_FDCWD" if fd == AT_FDCWD else None
    return Renderer(Style()).write(Descriptor(fd, name, about))


@pytest.fixture
def null() -> Iterator[int]:
    fd = os.open("/dev/null", os.O_RDONLY)
    yield fd
    os.close(fd)


def test_device(null: int) -> None:
    assert shown(null) == f"{null}</dev/null<char 1:3>>"
    assert shown(null, PATHS) == f"{null}</dev/null>"
    assert shown(null, frozenset({Told.SOCKET})) == str(null)


def test_working_directory() -> None:
    assert shown(AT_FDCWD) == f"AT_FDCWD<{os.getcwd()}>"
    assert shown(AT_FDCWD, frozenset({Told.DEVICE})) == "AT_FDCWD"


def test_not_open() -> None:
    assert shown(99_999) == "99999"
    assert shown(-1) == "-1"


def test_deleted() -> None:
    with tempfile.NamedTemporaryFile(delete=False) as file:
        Path(file.name).unlink()
        assert shown(file.fileno()) == f"{file.fileno()}<{file.name}>(deleted)"


def test_a_name_that_ends_in_deleted(tmp_path: Path) -> None:
    path = tmp_path / "x (deleted)"
    with path.open("w") as file:
        assert shown(file.fileno()) == f"{file.fileno()}<{path}>"


def test_a_name_with_odd_characters(tmp_path: Path) -> None:
    with (tmp_path / "a<1\n>").open("w") as file:
        assert shown(file.fileno()).endswith("/a\\0741\\n\\76>")


def test_event_and_process_descriptors() -> None:
    event, process = os.eventfd(4), os.pidfd_open(os.getpid())
    try:
        assert shown(event).startswith(f"{event}<{{eventfd-count=0x4, eventfd-id=")
        assert shown(event, PATHS) == f"{event}<anon_inode:[eventfd]>"
        assert shown(process) == f"{process}<pid:{os.getpid()}>"
    finally:
        os.close(event)
        os.close(process)


def test_sockets() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert shown(server.fileno()) == f"{server.fileno()}<TCP:[127.0.0.1:{port}]>"
        with socket.create_connection(("127.0.0.1", port)) as client:
            own = client.getsockname()[1]
            expected = f"{client.fileno()}<TCP:[127.0.0.1:{own}->127.0.0.1:{port}]>"
            assert shown(client.fileno()) == expected
            assert SocketKinds().protocol(os.getpid(), client.fileno()) == "TCP"


def test_sockets_of_this_machine() -> None:
    one, two = socket.socketpair()
    with one, two:
        inodes = [os.fstat(s.fileno()).st_ino for s in (one, two)]
        assert shown(one.fileno()) == f"{one.fileno()}<UNIX-STREAM:[{inodes[0]}->{inodes[1]}]>"
        assert shown(one.fileno(), PATHS) == f"{one.fileno()}<socket:[{inodes[0]}]>"
    name = f"\0pytracer-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(name)
        inode = os.fstat(listening.fileno()).st_ino
        fd = listening.fileno()
        assert shown(fd) == f'{fd}<UNIX-STREAM:[{inode},@"{name[1:]}"]>'


def test_a_socket_without_an_address() -> None:
    with socket.socket() as lonely:
        inode = os.fstat(lonely.fileno()).st_ino
        assert shown(lonely.fileno()) == f"{lonely.fileno()}<TCP:[{inode}]>"


def test_kind_of_what_is_no_socket(null: int) -> None:
    assert SocketKinds().protocol(os.getpid(), null) is None
    assert SocketKinds().protocol(os.getpid(), -1) is None
