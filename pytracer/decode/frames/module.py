"""A program or library as its file tells of it: its functions, and how to leave their frames."""

from __future__ import annotations

import io
import struct
from bisect import bisect_right
from typing import Any, Final

from elftools.common.exceptions import DWARFError, ELFError
from elftools.dwarf.callframe import FDE, CallFrameInfo, CFARule, RegisterRule
from elftools.dwarf.structs import DWARFStructs
from elftools.elf.elffile import ELFFile

from pytracer.decode.frames.rows import SIGNAL, Row

_SYMBOL: Final = struct.Struct("<IBBHQQ")  # Elf64_Sym, include/uapi/linux/elf.h
_FUNCTION: Final = 2  # STT_FUNC
_TABLE_HEADER: Final = struct.Struct("<BBBBiI")  # .eh_frame_hdr, Linux Standard Base, 10.6.2
# Version 1; a relative pointer of four bytes; a count of four bytes; relative entries of four.
_USUAL: Final = (1, 0x1B, 0x03, 0x3B)
_MOST_ROWS: Final = 1 << 16


# What parsing comes to in files that were not written by a linker.
_ODD: Final = (
    ELFError,
    DWARFError,
    struct.error,
    LookupError,
    ValueError,
    ArithmeticError,
    AttributeError,
    TypeError,
    AssertionError,
)


class BadModule(Exception):
    """A file is no program or library of 64 bits that can be understood."""


class Module:
    """One ELF file of 64 bits."""

    def __init__(self, data: bytes) -> None:
        try:
            self._elf = ELFFile(io.BytesIO(data))
            if self._elf.elfclass != 64 or not self._elf.little_endian:
                raise BadModule("not of 64 bits")
            self._data = data
            self._segments = [
                (s["p_offset"], s["p_filesz"], s["p_vaddr"])
                for s in self._elf.iter_segments()
                if s["p_type"] == "PT_LOAD"
            ]
            self._read_symbols()
            self._read_frames()
        except _ODD as error:
            raise BadModule(str(error)) from error
        self._rows: dict[int, Row | None] = {}

    @property
    def entry(self) -> int | None:
        """Where in the file it begins to run, as it is told; None when that is in no segment."""
        where = self._elf["e_entry"]
        for start, size, address in self._segments:
            if address <= where < address + size:
                return int(where - address + start)
        return None

    def address(self, offset: int) -> int | None:
        """Where what lies at an offset of the file is, before the file is moved to its place."""
        for start, size, address in self._segments:
            if start <= offset < start + size:
                return int(address + offset - start)
        return None

    def _read_symbols(self) -> None:
        nearest: dict[int, int] = {}
        names: list[bytes] = []
        for section in self._elf.iter_sections():
            if section["sh_type"] not in ("SHT_SYMTAB", "SHT_DYNSYM"):
                continue
            strings = self._elf.get_section(section["sh_link"]).data()
            data = section.data()
            data = data[: len(data) - len(data) % _SYMBOL.size]
            for name, info, _, index, value, _ in _SYMBOL.iter_unpack(data):
                if info & 0xF == _FUNCTION and index and value not in nearest:
                    nearest[value] = len(names)
                    names.append(strings[name : strings.index(b"\0", name)])
        self._values = sorted(nearest)
        self._names = [names[nearest[value]] for value in self._values]

    def function(self, address: int) -> tuple[str, int] | None:
        """The name of the function before an address, and how far it is from its start.

        As in libunwind, wherever that function ends.
        """
        at = bisect_right(self._values, address) - 1
        if at < 0:
            return None
        return self._names[at].decode("utf-8", "backslashreplace"), address - self._values[at]

    # Frames

    def _read_frames(self) -> None:
        self._starts: list[int] = []
        self._entries: list[int] = []
        section = self._elf.get_section_by_name(".eh_frame")
        table = self._elf.get_section_by_name(".eh_frame_hdr")
        if section is None or table is None:
            return
        self._frames = section.data()
        self._frames_at = section["sh_addr"]
        data, base = table.data(), table["sh_addr"]
        version, pointer, counted, entry, _, count = _TABLE_HEADER.unpack_from(data)
        if (version, pointer, counted, entry) != _USUAL:
            return
        pairs = struct.iter_unpack("<ii", data[_TABLE_HEADER.size :][: 8 * count])
        for start, where in pairs:
            self._starts.append(base + start)
            self._entries.append(base + where - self._frames_at)
        structs = DWARFStructs(little_endian=True, dwarf_format=32, address_size=8)
        self._structs: Any = structs

    def row(self, address: int) -> Row | None:
        """How to leave the frame of the function at an address; None when the file does not say."""
        try:
            return self._rows[address]
        except KeyError:
            pass
        try:
            row = self._find_row(address)
        except _ODD:
            row = None
        if len(self._rows) < _MOST_ROWS:
            self._rows[address] = row
        return row

    def _find_row(self, address: int) -> Row | None:
        at = bisect_right(self._starts, address) - 1
        if at < 0:
            return None
        entry = self._entry(self._entries[at])
        start = self._starts[at]
        if entry is None or address >= start + entry["address_range"]:
            return None
        # It was taken out of its place: what is relative to that is off by as much.
        moved = start - entry["initial_location"]
        line: dict[Any, Any] | None = None
        for each in entry.get_decoded().table:
            if each["pc"] + moved > address:
                break
            line = each
        if line is None:
            return None
        rule: CFARule = line["cfa"]
        rules = {
            number: (found.type, found.arg)
            for number, found in line.items()
            if isinstance(number, int) and isinstance(found, RegisterRule)
        }
        signal = entry.cie is not None and b"S" in entry.cie["augmentation"]
        expression = bytes(rule.expr) if rule.expr is not None else None
        return Row(rule.reg, rule.offset, expression, rules, SIGNAL if signal else 0)

    def _entry(self, at: int) -> FDE | None:
        """One entry, parsed alone: to parse all of a large library takes seconds."""
        frames = self._frames
        length, to_common = struct.unpack_from("<II", frames, at)
        common_at = at + 4 - to_common
        (common_length,) = struct.unpack_from("<I", frames, common_at)
        common = frames[common_at : common_at + 4 + common_length]
        mine = bytearray(frames[at : at + 4 + length])
        struct.pack_into("<I", mine, 4, len(common) + 4)
        both = bytes(common) + bytes(mine)
        parsed = CallFrameInfo(
            stream=io.BytesIO(both),
            size=len(both),
            address=self._frames_at,
            base_structs=self._structs,
            for_eh_frame=True,
        )
        found = [entry for entry in parsed.get_entries() if isinstance(entry, FDE)]
        return found[0] if found else None
