"""What slices tell of tasks alone, for whoever keeps the calls for later."""

from __future__ import annotations

from pytracer.backend.ebpf import wire


def calls_in(data: bytes) -> int:
    """Count the calls of a slice."""
    count = 0
    at = 0
    while at < len(data):
        (length,) = wire.SAMPLE_SIZE.unpack_from(data, at)
        flags = data[at + wire.SAMPLE.size + 2]
        count += data[at + wire.SAMPLE.size] == wire.RECORD_CALL and not flags & wire.CALL_CHUNK
        at += length
    return count


def outline(data: bytes) -> bytes:
    """Leave the records of calls out of a slice."""
    found = []
    at = 0
    end = len(data)
    head = wire.SAMPLE.size
    call = wire.RECORD_CALL
    size = wire.SAMPLE_SIZE.unpack_from
    while at < end:
        (length,) = size(data, at)
        if data[at + head] != call:
            found.append(data[at : at + length])
        at += length
    return b"".join(found)
