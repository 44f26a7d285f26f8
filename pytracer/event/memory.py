"""The target's memory as an event carries it.

A memory is live (ptrace), a snapshot (ebpf) or a recording (replay). Decoders
read all three through :class:`Memory` and never learn which one they hold.
"""

from __future__ import annotations

from enum import Enum
from typing import Protocol

# Where a snapshot keeps what descriptors referred to when it was taken, beyond all addresses.
_DESCRIPTORS = 1 << 64
_EACH = 1 << 16


def descriptor_address(fd: int) -> int:
    """Where in a snapshot lies what pytracer.event.files reads of a descriptor."""
    return _DESCRIPTORS + (fd & 0xFFFFFFFF) * _EACH


class Reason(Enum):
    """Why bytes of the target are not to be had."""

    NULL = "null"
    UNMAPPED = "unmapped"
    NOT_CAPTURED = "not captured"
    TRUNCATED = "truncated"


class Absent:
    """Bytes that could not be read, and why. Always false in a condition."""

    __slots__ = ("address", "reason")

    def __init__(self, address: int, reason: Reason) -> None:
        self.address = address
        self.reason = reason

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return f"Absent({self.address:#x}, {self.reason.value})"


class CString:
    """The bytes of a NUL-terminated string, without the NUL.

    ``terminated`` is false when no NUL was seen within the limit asked for.
    """

    __slots__ = ("data", "terminated")

    def __init__(self, data: bytes, terminated: bool) -> None:
        self.data = data
        self.terminated = terminated

    def __repr__(self) -> str:
        return f"CString({self.data!r}, terminated={self.terminated})"


class Memory(Protocol):
    """Reads of the target's address space at one moment."""

    def read(self, address: int, length: int) -> bytes | Absent:
        """Read exactly ``length`` bytes.

        Errors: none raised; Absent when any of the bytes cannot be read.
        """
        ...

    def read_some(self, address: int, length: int) -> bytes | Absent:
        """Read up to ``length`` bytes: as many as are readable from ``address``.

        Errors: none raised; Absent when not even the first byte can be read.
        """
        ...

    def read_cstr(self, address: int, limit: int) -> CString | Absent:
        """Read a NUL-terminated string, looking for the NUL in ``limit`` bytes.

        Shape:  bytes without the NUL; ``terminated`` tells whether it was seen.
        Errors: none raised; Absent when memory ends before a NUL and before ``limit``.
        """
        ...


class NoMemory:
    """A memory of which nothing was captured."""

    __slots__ = ()

    def read(self, address: int, length: int) -> bytes | Absent:
        return Absent(address, Reason.NOT_CAPTURED if address else Reason.NULL)

    read_some = read

    def read_cstr(self, address: int, limit: int) -> CString | Absent:
        return Absent(address, Reason.NOT_CAPTURED if address else Reason.NULL)


NO_MEMORY = NoMemory()


class Snapshot:
    """Bytes captured from a few places, looked up by address.

    ``regions`` are (address, bytes, whole) in capture order; ``whole`` is false
    when the bytes ended because nothing further was readable, true when the
    capture's own limit ended them. An address in no region was not captured.
    A region of no bytes that is not whole records a failed read.
    """

    __slots__ = ("regions",)

    def __init__(self, regions: list[tuple[int, bytes, bool]]) -> None:
        self.regions = regions

    def read(self, address: int, length: int) -> bytes | Absent:
        for start, data, _whole in self.regions:
            offset = address - start
            if 0 <= offset and offset + length <= len(data):
                return data[offset : offset + length]
        return self._absent(address)

    def read_some(self, address: int, length: int) -> bytes | Absent:
        best = b""
        for start, data, _whole in self.regions:
            offset = address - start
            if 0 <= offset < len(data):
                part = data[offset : offset + length]
                if len(part) == length:
                    return part
                if len(part) > len(best):
                    best = part
        return best or (b"" if not length else self._absent(address))

    def read_cstr(self, address: int, limit: int) -> CString | Absent:
        best: CString | None = None
        for start, data, whole in self.regions:
            offset = address - start
            if 0 <= offset < len(data):
                end = data.find(b"\0", offset, offset + limit)
                if end >= 0:
                    return CString(data[offset:end], True)
                part = data[offset : offset + limit]
                if (len(part) == limit or whole) and (best is None or len(part) > len(best.data)):
                    best = CString(part, False)
        return best if best is not None else self._absent(address)

    def _absent(self, address: int) -> Absent:
        if not address:
            return Absent(address, Reason.NULL)
        for start, data, whole in self.regions:
            if start <= address <= start + len(data):
                return Absent(address, Reason.TRUNCATED if whole else Reason.UNMAPPED)
        return Absent(address, Reason.NOT_CAPTURED)


class Patched(Snapshot):
    """A snapshot whose gaps were filled in later, from the target, as far as that was possible."""

    __slots__ = ()
