"""Sizes, alignments and struct format characters of C types, per calling convention."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# C type -> (size, signed); the word-sized ones are filled in per ABI.
_FIXED: Final = {
    "char": (1, True),
    "uchar": (1, False),
    "short": (2, True),
    "ushort": (2, False),
    "int": (4, True),
    "uint": (4, False),
    "s64": (8, True),
    "u64": (8, False),
}
_FORMATS: Final = {
    (1, True): "b",
    (1, False): "B",
    (2, True): "h",
    (2, False): "H",
    (4, True): "i",
    (4, False): "I",
    (8, True): "q",
    (8, False): "Q",
}


@dataclass(frozen=True, slots=True)
class Layout:
    """How one ABI stores C types.

    ``index`` equals the event stream's Abi number. ``word`` is sizeof(long) in user space and
    ``register_bytes`` the width of an argument register as the kernel sees it. ``kernel_word`` is
    sizeof(__kernel_long_t), 8 for x32. ``align64`` is the alignment of a 64-bit integer
    in a structure: 4 on i386.

    Source: the psABI supplements for i386 and x86-64; asm/posix_types_x32.h.
    """

    index: int
    name: str
    word: int
    kernel_word: int
    register_bytes: int
    align64: int

    def measure(self, ctype: str) -> tuple[int, int, str]:
        """Size in bytes, alignment in bytes and ``struct`` format of a C type.

        Shape: ``ctype`` is one of char, uchar, short, ushort, int, uint, long, ulong, klong,
        kulong,
        ptr, s64, u64 (long is the user's long, klong the kernel's __kernel_long_t).
        """
        if ctype in ("long", "ulong", "ptr"):
            size, signed = self.word, ctype == "long"
        elif ctype in ("klong", "kulong"):
            size, signed = self.kernel_word, ctype == "klong"
        else:
            size, signed = _FIXED[ctype]
        align = self.align64 if size == 8 else size
        return size, align, _FORMATS[size, signed]


X86_64: Final = Layout(0, "x86_64", word=8, kernel_word=8, register_bytes=8, align64=8)
I386: Final = Layout(1, "i386", word=4, kernel_word=4, register_bytes=4, align64=4)
X32: Final = Layout(2, "x32", word=4, kernel_word=8, register_bytes=8, align64=8)
LAYOUTS: Final = (X86_64, I386, X32)
