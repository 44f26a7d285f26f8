"""Read the parameter counts of kernel functions from BTF.

Source: Documentation/bpf/btf.rst
"""

from __future__ import annotations

import struct

_MAGIC = 0xEB9F
_KIND_FUNC = 12
_KIND_FUNC_PROTO = 13
# Bytes that follow a type's 12, by kind: fixed, and for each of its vlen members.
_TAIL = {
    1: (4, 0),  # INT
    3: (12, 0),  # ARRAY
    4: (0, 12),  # STRUCT
    5: (0, 12),  # UNION
    6: (0, 8),  # ENUM
    13: (0, 8),  # FUNC_PROTO
    14: (4, 0),  # VAR
    15: (0, 12),  # DATASEC
    17: (4, 0),  # DECL_TAG
    19: (0, 12),  # ENUM64
}


def functions(data: bytes, prefix: str) -> dict[str, int]:
    """Count the parameters of the functions whose names begin with a prefix.

    Shape:  the name without the prefix, to the count.
    Errors: ValueError when the bytes are no BTF of this machine's byte order.
    """
    magic, _, _, header, type_offset, type_length, text_offset, _ = struct.unpack_from(
        "<HBBIIIII", data
    )
    if magic != _MAGIC:
        raise ValueError(f"no BTF: magic {magic:#x}")
    position = header + type_offset
    end = position + type_length
    text = header + text_offset
    wanted = prefix.encode()
    names: dict[str, int] = {}
    counts: dict[int, int] = {}
    number = 0
    while position < end:
        number += 1
        name, info, size_or_type = struct.unpack_from("<III", data, position)
        kind, vlen = info >> 24 & 0x1F, info & 0xFFFF
        if kind == _KIND_FUNC_PROTO:
            counts[number] = vlen
        elif kind == _KIND_FUNC and data.startswith(wanted, text + name):
            start = text + name
            names[data[start : data.index(b"\0", start)].decode()] = size_or_type
        fixed, each = _TAIL.get(kind, (0, 0))
        position += 12 + fixed + each * vlen
    return {name.removeprefix(prefix): counts[proto] for name, proto in names.items()}
