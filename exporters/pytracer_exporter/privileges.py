"""Giving up privileges, for good.

Source: capabilities(7), prctl(2), capget(2); include/uapi/linux/capability.h for the numbers.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

DEFAULT_USER: Final = "nobody"

CAP_SETGID: Final = 6
CAP_SETUID: Final = 7
CAP_SETPCAP: Final = 8
CAP_SYS_PTRACE: Final = 19
CAP_SYS_ADMIN: Final = 21
CAP_PERFMON: Final = 38
CAP_BPF: Final = 39

_PR_SET_KEEPCAPS: Final = 8
_PR_CAPBSET_READ: Final = 23
_PR_CAPBSET_DROP: Final = 24
_PR_SET_SECUREBITS: Final = 28
_PR_SET_NO_NEW_PRIVS: Final = 38
_PR_CAP_AMBIENT: Final = 47
_PR_CAP_AMBIENT_RAISE: Final = 2
_PR_CAP_AMBIENT_CLEAR_ALL: Final = 4
# SECBIT_NOROOT and SECBIT_NO_SETUID_FIXUP, each with its lock.
_NOROOT: Final = 0b11
_NO_SETUID_FIXUP: Final = 0b1100
_SYS_CAPSET: Final = 126  # x86_64
_VERSION_3: Final = 0x20080522
_MOST_CAPABILITIES: Final = 64

_libc = ctypes.CDLL(None, use_errno=True)


class CannotDrop(Exception):
    """Privileges cannot be given up as was asked; the text says why, and the way out."""


@dataclass(frozen=True, slots=True)
class Account:
    """Whom to become."""

    name: str
    uid: int
    gid: int


def account(name: str | None) -> Account | None:
    """Find whom to become: a user by name or number; ``nobody`` for root, if none is named.

    Shape:  None to stay who we are: no root, or one that may not become anybody else, as in
        a container, and none is named.
    Errors: CannotDrop.
    """
    able = has(CAP_SETUID) and has(CAP_SETGID)
    if name is None and (os.geteuid() != 0 or not able):
        return None
    name = name or DEFAULT_USER
    try:
        found = pwd.getpwuid(int(name)) if name.isdecimal() else pwd.getpwnam(name)
    except (KeyError, OverflowError) as error:
        raise CannotDrop(f"--user: there is no user {name}: getent passwd lists them") from error
    if not found.pw_uid:
        raise CannotDrop(f"--user: {name} is root: name a user without privileges")
    if os.geteuid() == found.pw_uid:
        return None
    if not able:
        raise CannotDrop(
            f"--user: only root, or who has CAP_SETUID and CAP_SETGID, can become {name}: "
            "start as root, or leave --user out"
        )
    return Account(found.pw_name, found.pw_uid, found.pw_gid)


def has(capability: int) -> bool:
    """Whether this process has a capability in effect."""
    return bool(sets()["CapEff"] >> capability & 1)


def sets(status: Path = Path("/proc/self/status")) -> Mapping[str, int]:
    """The sets of capabilities of a process by their names in proc(5)."""
    found = {}
    for line in status.read_text().splitlines():
        name, _, value = line.partition(":")
        if name.startswith("Cap"):
            found[name] = int(value, 16)
    return found


def give_up(become: Account | None, keep: Iterable[int] = ()) -> None:
    """Give up all capabilities but those to keep, and become another user; there is no way back.

    What is kept is so over execve(2). The bounding set is emptied where that is allowed.
    Errors: CannotDrop.
    """
    kept = frozenset(keep)
    bits = sum(1 << capability for capability in kept)
    try:
        if has(CAP_SETPCAP):
            for capability in _known():
                if capability not in kept:
                    _prctl(_PR_CAPBSET_DROP, capability)
            # User 0 by itself gives no capability any more, whatever is executed.
            _prctl(_PR_SET_SECUREBITS, _NOROOT | _NO_SETUID_FIXUP)
        if become is not None:
            _prctl(_PR_SET_KEEPCAPS, bool(kept))
            os.setgroups([])
            os.setresgid(become.gid, become.gid, become.gid)
            os.setresuid(become.uid, become.uid, become.uid)
        _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
        _capset(bits)
        for capability in kept:
            _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability)
        _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    except OSError as error:
        raise CannotDrop(
            f"privileges cannot be given up: {error.strerror}: a seccomp filter or security "
            "module may forbid it"
        ) from error
    left = {name: value & ~bits for name, value in sets().items() if name != "CapBnd"}
    if any(left.values()):
        raise CannotDrop(f"privileges are still there after they were given up: {left}")


def _known() -> Iterator[int]:
    for capability in range(_MOST_CAPABILITIES):
        if _libc.prctl(_PR_CAPBSET_READ, capability, 0, 0, 0) < 0:
            return
        yield capability


def _prctl(option: int, value: int, second: int = 0) -> None:
    if _libc.prctl(option, value, second, 0, 0) < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _capset(bits: int) -> None:
    """Have these capabilities, and no others: permitted, effective and inheritable."""
    header = ctypes.create_string_buffer(struct.pack("<Ii", _VERSION_3, 0))
    low, high = bits & 0xFFFFFFFF, bits >> 32
    data = ctypes.create_string_buffer(struct.pack("<6I", low, low, low, high, high, high))
    if _libc.syscall(_SYS_CAPSET, header, data) < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
