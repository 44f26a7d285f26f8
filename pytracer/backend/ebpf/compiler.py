"""From C to loadable programs, through BCC's clang, without kernel headers.

BCC is used as the library libbcc alone; the Python package on top of it would have to be imported
out of the distribution's folders, from a virtual environment that cannot see them.
"""

from __future__ import annotations

import ctypes as ct
import marshal
import os
import re
import struct
import sys
from pathlib import Path
from typing import Any, NamedTuple

from pytracer.backend.base import BackendUnavailable

_PSEUDO_MAP_FD = 1
_LD_IMM64 = 0x18


class MapShape(NamedTuple):
    """How a map is created. Source: enum bpf_map_type, include/uapi/linux/bpf.h for ``kind``."""

    name: str
    kind: int
    key_bytes: int
    value_bytes: int
    entries: int
    flags: int


class Program(NamedTuple):
    """A compiled program.

    ``relocations`` are (instruction, map) where a map's descriptor has to be written.
    """

    name: str
    instructions: bytes
    relocations: tuple[tuple[int, str], ...]


class Compiled(NamedTuple):
    """All that one source file makes."""

    maps: tuple[MapShape, ...]
    programs: tuple[Program, ...]


_INCLUDE = re.compile(r'#include "(\w+\.h)"')
_LIBRARIES = ("libbcc.so.0", "libbcc.so")


def find_library() -> Path:
    """Find libbcc where the dynamic linker would, without loading it.

    Errors: BackendUnavailable when BCC is not installed.
    """
    folders = ["/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/local/lib64"]
    folders += ["/usr/local/lib", "/lib64", "/lib"]
    for folder in folders:
        for name in _LIBRARIES:
            path = Path(folder, name)
            if path.exists():
                return path
    raise BackendUnavailable(
        "ebpf", "BCC is not installed (libbcc.so.0 not found)", "apt-get install libbpfcc"
    )


def compile_source(folder: Path, name: str, constants: dict[str, int]) -> Compiled:
    """Compile ``folder/name`` with -D for each constant.

    Errors: BackendUnavailable when BCC cannot be loaded or its clang refuses the source.
    """
    try:
        lib: Any = ct.CDLL(str(find_library()))
    except OSError as error:
        raise BackendUnavailable(
            "ebpf", f"BCC cannot be loaded: {error}", "apt-get install --reinstall libbpfcc"
        ) from error
    _declare(lib)
    flags = [f"-I{folder}", *(f"-D{key}={value}" for key, value in constants.items())]
    c_flags = (ct.c_char_p * len(flags))(*(flag.encode() for flag in flags))
    source = whole_source(folder, name).encode()
    before = os.environ.get("BCC_KERNEL_SOURCE")
    os.environ["BCC_KERNEL_SOURCE"] = str(folder)
    try:
        module = lib.bpf_module_create_c_from_string(source, 0, c_flags, len(flags), True, None)
    finally:
        # The environment is the launched program's too.
        if before is None:
            del os.environ["BCC_KERNEL_SOURCE"]
        else:
            os.environ["BCC_KERNEL_SOURCE"] = before
    sys.stderr.flush()
    if not module:
        raise BackendUnavailable(
            "ebpf", "BCC could not compile the programs", "see its messages above and report them"
        )
    try:
        return _dump(lib, module)
    finally:
        lib.bpf_module_destroy(module)


def whole_source(folder: Path, name: str) -> str:
    """Put a source and the headers of ours that it includes into one text.

    BCC rewrites the use of maps in the main file alone: what headers do with them would be lost.
    """
    seen: set[str] = set()

    def expand(part: str) -> str:
        seen.add(part)
        lines = [f'#line 1 "{part}"\n']
        for number, line in enumerate((folder / part).read_text().splitlines(True), 1):
            included = _INCLUDE.match(line)
            if included is None:
                lines.append(line)
            elif included[1] not in seen:
                lines += [expand(included[1]), f'#line {number + 1} "{part}"\n']
            else:
                lines.append("\n")
        return "".join(lines)

    return expand(name)


def _declare(lib: Any) -> None:
    lib.bpf_module_create_c_from_string.restype = ct.c_void_p
    lib.bpf_module_create_c_from_string.argtypes = [
        ct.c_char_p,
        ct.c_uint,
        ct.POINTER(ct.c_char_p),
        ct.c_int,
        ct.c_bool,
        ct.c_char_p,
    ]
    for function in ("bpf_num_tables", "bpf_num_functions"):
        getattr(lib, function).restype = ct.c_size_t
        getattr(lib, function).argtypes = [ct.c_void_p]
    by_index = {
        "bpf_table_name": ct.c_char_p,
        "bpf_table_fd_id": ct.c_int,
        "bpf_table_type_id": ct.c_int,
        "bpf_table_key_size_id": ct.c_size_t,
        "bpf_table_leaf_size_id": ct.c_size_t,
        "bpf_table_max_entries_id": ct.c_size_t,
        "bpf_table_flags_id": ct.c_int,
        "bpf_function_name": ct.c_char_p,
        "bpf_function_start_id": ct.c_void_p,
        "bpf_function_size_id": ct.c_size_t,
    }
    for function, result in by_index.items():
        getattr(lib, function).restype = result
        getattr(lib, function).argtypes = [ct.c_void_p, ct.c_size_t]
    lib.bpf_module_destroy.restype = None
    lib.bpf_module_destroy.argtypes = [ct.c_void_p]


def _dump(lib: Any, module: int) -> Compiled:
    maps = []
    names: dict[int, str] = {}
    for i in range(lib.bpf_num_tables(module)):
        name = lib.bpf_table_name(module, i).decode()
        names[lib.bpf_table_fd_id(module, i)] = name
        maps.append(
            MapShape(
                name,
                lib.bpf_table_type_id(module, i),
                lib.bpf_table_key_size_id(module, i),
                lib.bpf_table_leaf_size_id(module, i),
                lib.bpf_table_max_entries_id(module, i),
                lib.bpf_table_flags_id(module, i),
            )
        )
    programs = []
    for i in range(lib.bpf_num_functions(module)):
        size = lib.bpf_function_size_id(module, i)
        code = bytearray(ct.string_at(lib.bpf_function_start_id(module, i), size))
        relocations = []
        for at in range(0, size, 8):
            if code[at] == _LD_IMM64 and code[at + 1] >> 4 == _PSEUDO_MAP_FD:
                (fd,) = struct.unpack_from("<i", code, at + 4)
                relocations.append((at // 8, names[fd]))
                struct.pack_into("<i", code, at + 4, 0)
        name = lib.bpf_function_name(module, i).decode()
        programs.append(Program(name, bytes(code), tuple(relocations)))
    return Compiled(tuple(maps), tuple(programs))


def encode(compiled: Compiled) -> bytes:
    """Write a compilation as bytes."""
    return marshal.dumps((tuple(map(tuple, compiled.maps)), tuple(map(tuple, compiled.programs))))


def decode(body: bytes) -> Compiled | None:
    """Read a compilation; None when the bytes are none. They must be of somebody who is trusted."""
    try:
        maps, programs = marshal.loads(body)
        return Compiled(tuple(MapShape(*m) for m in maps), tuple(Program(*p) for p in programs))
    except (EOFError, ValueError, TypeError):
        return None
