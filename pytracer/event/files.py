"""What a descriptor referred to when a call used it, in the form in which events carry it.

A backend that cannot be asked later puts it into the call's memory, where descriptor_address says.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

# struct facts, bpf/stream.h.
FACTS: Final = struct.Struct("<QQQIIIHHHH2sBBBB2x16s16s4x")

# Instead of it, where the descriptor can still be looked up: of a call that is going on.
LOOK_UP: Final = b"?"

PSEUDO: Final = 1
DELETED: Final = 2
EVENTFD: Final = 4
SIGNALFD: Final = 8
PIDFD: Final = 16

# include/uapi/linux/magic.h
_SOCKFS: Final = 0x534F434B
_NSFS: Final = 0x6E736673
_PIDFS: Final = 0x50494446
_BY_INODE: Final = {0x50495045: b"pipe:", _SOCKFS: b"socket:"}
# Anonymous inodes, and buffers of devices. All others look like files that are deleted.
_BY_NAME: Final = {0x09041934: b"anon_inode:", 0x444D4142: b"/dmabuf:"}
_NAMED: Final = frozenset((*_BY_INODE, *_BY_NAME, _NSFS, _PIDFS))

_MINOR_BITS: Final = 20  # include/linux/kdev_t.h


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A file as its descriptor held it.

    Shape:  ``name`` as /proc/PID/fd names it, but for the mark of one that is ``deleted``.
            ``device`` and ``rdev`` are (major, minor). ``number`` and ``word`` mean what ``flags``,
            or the family of a socket, say: the id and the count of an eventfd; the pid of a pidfd,
            -1 when it is over; the mask of a signalfd; the index of a terminal of ptmx; the port of
            a netlink socket; the inode of a unix socket's peer. ``protocol_name`` is the kernel's
            for a socket, ``bound`` says that a netlink socket has a port, or that an eventfd is a
            semaphore. ``address`` and ``peer`` are those of a socket; of a unix socket
            ``unix_address`` is what follows the family.
    """

    name: bytes
    deleted: bool
    inode: int
    mode: int
    device: tuple[int, int]
    rdev: tuple[int, int]
    flags: int
    number: int
    word: int
    bound: bool
    family: int
    protocol: int
    state: int
    protocol_name: str
    port: int
    peer_port: int
    address: bytes
    peer: bytes
    unix_address: bytes


def unpack(data: bytes) -> OpenFile | None:
    """Read what the kernel program wrote; None when it is cut off."""
    if len(data) < FACTS.size:
        return None
    (
        inode, magic, word, device, rdev, number, mode, family, protocol, port, peer_port,
        flags, state, bound, name_bytes, address, peer,
    ) = FACTS.unpack_from(data)  # fmt: skip
    end = len(data) - name_bytes
    names = data[FACTS.size : end].split(b"\0")[:-1]
    return OpenFile(
        _pseudo(magic, inode, names[0] if names else b"")
        if flags & PSEUDO
        else b"/" + b"/".join(reversed(names)),
        bool(flags & DELETED) or (bool(flags & PSEUDO) and magic not in _NAMED),
        inode,
        mode,
        _numbers(device),
        _numbers(rdev),
        flags,
        number - (1 << 32) if number >> 31 and flags & PIDFD else number,
        word,
        bool(bound),
        family,
        protocol,
        state,
        names[0].decode("ascii", "replace") if magic == _SOCKFS and names else "",
        port,
        int.from_bytes(peer_port, "big"),
        address,
        peer,
        data[end:],
    )


def _numbers(device: int) -> tuple[int, int]:
    return device >> _MINOR_BITS, device & (1 << _MINOR_BITS) - 1


def _pseudo(magic: int, inode: int, name: bytes) -> bytes:
    """What /proc calls a file that has no path: the d_dname functions of the kernel."""
    if magic == _NSFS:
        return b"%s:[%d]" % (name, inode)
    if magic in _BY_INODE:
        return b"%s[%d]" % (_BY_INODE[magic], inode)
    if magic == _PIDFS:
        return b"anon_inode:[pidfd]"
    return _BY_NAME.get(magic, b"/") + name
