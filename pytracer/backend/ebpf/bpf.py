"""The bpf(2) system call, without a library: what a warm start needs.

Source: include/uapi/linux/bpf.h for the commands and the layout of their attributes.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from collections.abc import Callable, Iterator

_SYS_BPF = 321  # x86_64

_MAP_CREATE = 0
_MAP_LOOKUP = 1
_MAP_UPDATE = 2
_MAP_DELETE = 3
_PROG_LOAD = 5
_PROG_TEST_RUN = 10
_OBJ_GET_INFO_BY_FD = 15
_RAW_TRACEPOINT_OPEN = 17
_MAP_LOOKUP_AND_DELETE = 21
_MAP_LOOKUP_BATCH = 24
_MAP_UPDATE_BATCH = 26
_LINK_CREATE = 28
_ENABLE_STATS = 32
_ITER_CREATE = 33

_ATTEMPTS = 5

F_NO_PREALLOC = 1
F_MMAPABLE = 1 << 10

_PROG_TYPE_RAW_TRACEPOINT = 17
_PROG_TYPE_TRACING = 26
_TRACE_ITER = 28

# run_time_ns and run_cnt, behind fields that nobody asks for.
_PROGRAM_INFO = struct.Struct("<192xQQ")

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


class BpfError(Exception):
    """bpf(2) failed. ``errno``: the kernel's answer. ``log``: the verifier's words, if any."""

    def __init__(self, what: str, number: int, log: str = "") -> None:
        super().__init__(f"{what}: {os.strerror(number)}")
        self.errno = number
        self.log = log


def _bpf(command: int, attr: bytes | bytearray) -> int:
    buffer = (ctypes.c_char * len(attr)).from_buffer_copy(attr)
    result: int = _libc.syscall(_SYS_BPF, command, ctypes.byref(buffer), len(attr))
    return result if result >= 0 else -ctypes.get_errno()


def _address(data: bytes | bytearray | ctypes.Array[ctypes.c_char]) -> tuple[int, object]:
    """The address of a buffer, and what keeps it alive."""
    if isinstance(data, bytes):
        holder = ctypes.create_string_buffer(data, len(data))
        return ctypes.addressof(holder), holder
    if isinstance(data, bytearray):
        held = (ctypes.c_char * len(data)).from_buffer(data)
        return ctypes.addressof(held), held
    return ctypes.addressof(data), data


def create_map(kind: int, key: int, value: int, entries: int, flags: int, name: str) -> int:
    """Create a map.

    Shape:  its descriptor.
    Errors: BpfError.
    """
    attr = struct.pack(
        "<IIIIIII16sI", kind, key, value, entries, flags, 0, 0, name.encode()[:15], 0
    )
    fd = _bpf(_MAP_CREATE, attr)
    if fd < 0:
        raise BpfError(f"cannot create the BPF map {name}", -fd)
    return fd


def load_program(
    name: str, instructions: bytes, log_bytes: int = 0, iterates: int | None = None
) -> int:
    """Load a raw-tracepoint program, or one for the iterator of that BTF number.

    Shape:  its descriptor.
    Errors: BpfError; with the verifier's words when ``log_bytes`` is given.
    """
    code, keep = _address(instructions)
    licence, keep_licence = _address(b"GPL\0")
    log = ctypes.create_string_buffer(log_bytes or 1)
    attr = struct.pack(
        "<IIQQIIQII16sII36xI",
        _PROG_TYPE_RAW_TRACEPOINT if iterates is None else _PROG_TYPE_TRACING,
        len(instructions) // 8,
        code,
        licence,
        1 if log_bytes else 0,
        log_bytes,
        ctypes.addressof(log) if log_bytes else 0,
        0,
        0,
        name.encode()[:15],
        0,
        0 if iterates is None else _TRACE_ITER,
        iterates or 0,
    )
    for _ in range(_ATTEMPTS):
        fd = _bpf(_PROG_LOAD, attr)
        if fd != -errno.EAGAIN:  # a signal, or a stop by job control, came in between
            break
    del keep, keep_licence
    if fd < 0:
        words = log.value.decode(errors="replace")
        raise BpfError(f"the kernel refuses the BPF program {name}", -fd, words)
    return fd


def attach_raw_tracepoint(program: int, tracepoint: str) -> int:
    """Attach a program: it runs while the descriptor given back is open.

    Errors: BpfError.
    """
    name, keep = _address(tracepoint.encode() + b"\0")
    fd = _bpf(_RAW_TRACEPOINT_OPEN, struct.pack("<QII", name, program, 0))
    del keep
    if fd < 0:
        raise BpfError(f"cannot attach to the tracepoint {tracepoint}", -fd)
    return fd


def run_program(program: int, *args: int) -> None:
    """Run a raw-tracepoint program once, with these arguments. Since 5.10.

    Errors: BpfError.
    """
    words, keep = _address(struct.pack(f"<{len(args)}Q", *args))
    attr = struct.pack(
        "<IIIIQQIIIIQQII", program, 0, 0, 0, 0, 0, 0, 0, 8 * len(args), 0, words, 0, 0, 0
    )
    answer = _bpf(_PROG_TEST_RUN, attr)
    del keep
    if answer < 0:
        raise BpfError("cannot run a BPF program", -answer)


def run_iterator(program: int) -> None:
    """Run an iterator's program once over all that it iterates over.

    Errors: BpfError.
    """
    link = _bpf(_LINK_CREATE, struct.pack("<IIII", program, 0, _TRACE_ITER, 0))
    if link < 0:
        raise BpfError("cannot attach to an iterator", -link)
    try:
        fd = _bpf(_ITER_CREATE, struct.pack("<II", link, 0))
        if fd < 0:
            raise BpfError("cannot make an iterator", -fd)
        try:
            while os.read(fd, 4096):
                pass
        finally:
            os.close(fd)
    finally:
        os.close(link)


def enable_stats() -> int:
    """Have the kernel keep how often and how long programs run, while the descriptor is open.

    Errors: BpfError.
    """
    fd = _bpf(_ENABLE_STATS, struct.pack("<I", 0))
    if fd < 0:
        raise BpfError("cannot have the run time of BPF programs kept", -fd)
    return fd


def run_time(program: int) -> tuple[int, int]:
    """How long a program has run, in nanoseconds, and how often; while that is kept.

    Errors: BpfError.
    Source: struct bpf_prog_info, include/uapi/linux/bpf.h
    """
    info = bytearray(_PROGRAM_INFO.size)
    at, keep = _address(info)
    answer = _bpf(_OBJ_GET_INFO_BY_FD, struct.pack("<IIQ", program, len(info), at))
    del keep
    if answer < 0:
        raise BpfError("cannot ask about a BPF program", -answer)
    run_ns, runs = _PROGRAM_INFO.unpack(info)
    return run_ns, runs


class Map:
    """A map by its descriptor, with keys and values as bytes."""

    def __init__(self, fd: int, key_bytes: int, value_bytes: int, entries: int) -> None:
        self.fd = fd
        self.key_bytes = key_bytes
        self.value_bytes = value_bytes
        self.entries = entries
        self._key = ctypes.create_string_buffer(key_bytes)

    def lookup(self, key: bytes, copies: int = 1) -> bytes | None:
        """Look a key up. ``copies``: how many CPUs a per-CPU map holds values for."""
        value = ctypes.create_string_buffer(self.value_bytes * copies)
        return value.raw if self.lookup_into(key, value) else None

    def lookup_into(self, key: bytes, value: ctypes.Array[ctypes.c_char]) -> bool:
        """Look a key up, into a buffer that is large enough for all CPUs; whether it is there."""
        self._key.raw = key
        attr = struct.pack(
            "<I4xQQQ", self.fd, ctypes.addressof(self._key), ctypes.addressof(value), 0
        )
        answer = _bpf(_MAP_LOOKUP, attr)
        if answer < 0 and answer != -errno.ENOENT:
            raise BpfError("cannot look into a BPF map", -answer)
        return answer == 0

    def update(self, key: bytes, value: bytes) -> None:
        """Store a value. Errors: BpfError."""
        self._key.raw = key
        at, keep = _address(value)
        attr = struct.pack("<I4xQQQ", self.fd, ctypes.addressof(self._key), at, 0)
        answer = _bpf(_MAP_UPDATE, attr)
        del keep
        if answer < 0:
            raise BpfError("cannot store into a BPF map", -answer)

    def delete(self, key: bytes) -> bool:
        """Remove a key; whether it was there."""
        self._key.raw = key
        attr = struct.pack("<I4xQQQ", self.fd, ctypes.addressof(self._key), 0, 0)
        answer = _bpf(_MAP_DELETE, attr)
        if answer < 0 and answer != -errno.ENOENT:
            raise BpfError("cannot remove from a BPF map", -answer)
        return answer == 0

    def pop(self) -> bytes | None:
        """Take the first value of a queue; None when there is none."""
        value = ctypes.create_string_buffer(self.value_bytes)
        attr = struct.pack("<I4xQQQ", self.fd, 0, ctypes.addressof(value), 0)
        answer = _bpf(_MAP_LOOKUP_AND_DELETE, attr)
        if answer == -errno.ENOENT:
            return None
        if answer < 0:
            raise BpfError("cannot take from a BPF map", -answer)
        return value.raw

    def update_many(self, keys: bytes, values: bytes) -> None:
        """Store many values with one system call.

        Shape:  ``keys`` and ``values`` are concatenated.
        Errors: BpfError.
        """
        count = len(keys) // self.key_bytes
        if not count:
            return
        keys_at, keep_keys = _address(keys)
        values_at, keep_values = _address(values)
        attr = struct.pack("<QQQQIIQQ", 0, 0, keys_at, values_at, count, self.fd, 0, 0)
        answer = _bpf(_MAP_UPDATE_BATCH, attr)
        del keep_keys, keep_values
        if answer < 0:
            raise BpfError("cannot fill a BPF map", -answer)


class MapReader:
    """Reads all entries of a hash map, with few system calls and one buffer."""

    def __init__(self, source: Map, batch: int = 64) -> None:
        self._source = source
        self._batch = batch
        self._allocate()

    def _allocate(self) -> None:
        self._keys = ctypes.create_string_buffer(self._batch * self._source.key_bytes)
        self._values = bytearray(self._batch * self._source.value_bytes)
        self._view = (ctypes.c_char * len(self._values)).from_buffer(self._values)
        self._cursor = ctypes.create_string_buffer(8)

    def read(self, take: Callable[[bytearray, int], object]) -> None:
        """Show all values to ``take``, as (buffer, offset). What it keeps it has to copy.

        A value may be shown twice, when the buffer proves too small.
        Errors: BpfError.
        """
        value_bytes = self._source.value_bytes
        for count in self._batches():
            for at in range(0, count * value_bytes, value_bytes):
                take(self._values, at)

    def keys(self) -> list[bytes]:
        """List the keys; one may be there twice, when the buffer proves too small.

        Errors: BpfError.
        """
        size = self._source.key_bytes
        return [
            self._keys.raw[at : at + size]
            for count in self._batches()
            for at in range(0, count * size, size)
        ]

    def _batches(self) -> Iterator[int]:
        """Fill the buffers, time and again; how many entries are in them."""
        first = True
        while True:
            attr = bytearray(
                struct.pack(
                    "<QQQQIIQQ",
                    0 if first else ctypes.addressof(self._cursor),
                    ctypes.addressof(self._cursor),
                    ctypes.addressof(self._keys),
                    ctypes.addressof(self._view),
                    self._batch,
                    self._source.fd,
                    0,
                    0,
                )
            )
            buffer = (ctypes.c_char * len(attr)).from_buffer(attr)
            result = _libc.syscall(_SYS_BPF, _MAP_LOOKUP_BATCH, ctypes.byref(buffer), len(attr))
            error = ctypes.get_errno() if result < 0 else 0
            if error == errno.ENOSPC:  # one bucket holds more than the buffer
                self._batch *= 2
                del buffer
                self._allocate()
                first = True
                continue
            if error not in (0, errno.ENOENT):
                raise BpfError("cannot read a BPF map", error)
            (count,) = struct.unpack_from("<I", attr, 32)
            yield count
            if error == errno.ENOENT:
                return
            first = False
