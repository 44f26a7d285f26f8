"""The memory of a stopped task, read as it is asked for."""

from __future__ import annotations

import ctypes
import os
from errno import ENOSYS, EPERM
from typing import Final

from pytracer.backend.ptrace import api
from pytracer.event.memory import Absent, CString, Reason
from pytracer.event.registers import REGISTERS

PAGE: Final = 4096
_PAGE_MASK: Final = PAGE - 1
_BATCH_PAGES: Final = 64
_ADDRESS_END: Final = 1 << 56  # five-level paging, Documentation/arch/x86/x86_64/5level-paging.rst

_page = api.Buffer(PAGE * _BATCH_PAGES)
_view = memoryview(_page.data)
_local = (ctypes.c_ulong * 2)(_page.address, PAGE)
_remote = (ctypes.c_ulong * 2)(0, PAGE)
_local_address = ctypes.c_void_p(ctypes.addressof(_local))
_remote_address = ctypes.c_void_p(ctypes.addressof(_remote))
_readv = api.process_vm_readv


def _read_pages(tid: int, first: int, count: int) -> int:
    # Returns how many whole pages from address ``first`` arrived in the buffer.
    _local[1] = _remote[1] = count * PAGE
    _remote[0] = first
    got: int = _readv(tid, _local_address, 1, _remote_address, 1, 0)
    if got > 0:
        return got // PAGE
    if api.last_errno() in (EPERM, ENOSYS):
        return _read_pages_of_file(tid, first, count)
    return 0


def _read_pages_of_file(tid: int, first: int, count: int) -> int:
    # Containers may forbid the call above to all; a tracer may still open the task's memory.
    # What the task itself may not read (PROT_NONE) is then readable.
    try:
        descriptor = os.open(f"/proc/{tid}/mem", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        return os.preadv(descriptor, [_view[: count * PAGE]], first) // PAGE
    except OSError:
        return 0
    finally:
        os.close(descriptor)


class LiveMemory:
    """Memory of one task at one stop; valid only while the event that carries it is held.

    Whole pages are read and kept, so that neighbouring reads cost one system call.
    """

    __slots__ = ("_asked", "_pages", "_tid")

    def __init__(self, tid: int) -> None:
        self._tid = tid
        self._pages: dict[int, bytes | None] | None = None
        self._asked: list[tuple[int, bytes, bool]] | None = None

    def regions(self) -> list[tuple[int, bytes, bool]]:
        """List what has been read, in order.

        Shape: (address, bytes, whole) as :class:`~pytracer.event.memory.Snapshot` takes them.
        """
        return self._asked or []

    def read(self, address: int, length: int) -> bytes | Absent:
        data = self._bytes(address, length)
        if len(data) == length:
            return data
        return Absent(address, Reason.UNMAPPED if address else Reason.NULL)

    def read_some(self, address: int, length: int) -> bytes | Absent:
        data = self._bytes(address, length)
        if data or not length:
            return data
        return Absent(address, Reason.UNMAPPED if address else Reason.NULL)

    def read_cstr(self, address: int, limit: int) -> CString | Absent:
        asked = self._asked
        if asked is None:
            asked = self._asked = []
        offset = address & _PAGE_MASK
        page = self._page(address - offset)
        if page is not None:
            end = page.find(b"\0", offset, offset + limit)
            if end >= 0:
                asked.append((address, page[offset : end + 1], True))
                return CString(page[offset:end], True)
            data = page[offset : offset + limit]
            while len(data) < limit:
                page = self._page(address + len(data))
                if page is None:
                    break
                end = page.find(b"\0", 0, limit - len(data))
                if end >= 0:
                    data += page[:end]
                    asked.append((address, data + b"\0", True))
                    return CString(data, True)
                data += page[: limit - len(data)]
            else:
                asked.append((address, data, True))
                return CString(data, False)
            asked.append((address, data, False))
        else:
            asked.append((address, b"", False))
        return Absent(address, Reason.UNMAPPED if address else Reason.NULL)

    def _bytes(self, address: int, length: int) -> bytes:
        # As many bytes as are readable from address, at most length; remembers them.
        asked = self._asked
        if asked is None:
            asked = self._asked = []
        offset = address & _PAGE_MASK
        if offset + length <= PAGE:
            page = self._page(address - offset)
            data = b"" if page is None else page[offset : offset + length]
        else:
            data = self._span(address - offset, offset, length)
        asked.append((address, data, len(data) == length))
        return data

    def _page(self, start: int) -> bytes | None:
        pages = self._pages
        if pages is None:
            pages = self._pages = {}
        try:
            return pages[start]
        except KeyError:
            page = None
            if PAGE <= start < _ADDRESS_END and _read_pages(self._tid, start, 1):
                page = bytes(_view[:PAGE])
            elif start == REGISTERS:
                page = api.registers(self._tid)
            pages[start] = page
            return page

    def _span(self, start: int, offset: int, length: int) -> bytes:
        # Several pages: in batches, straight from the buffer, ending at the first that is missing.
        parts: list[bytes] = []
        missing = offset + length
        while missing > 0 and PAGE <= start < _ADDRESS_END:
            count = min(_BATCH_PAGES, -(-missing // PAGE))
            got = _read_pages(self._tid, start, count)
            parts.append(bytes(_view[: got * PAGE]))
            if got < count:
                break
            start += got * PAGE
            missing -= got * PAGE
        return b"".join(parts)[offset : offset + length]
