"""Requests of terminals.

Source: include/uapi/asm-generic/{ioctls,termbits,termios}.h.
"""

from __future__ import annotations

from typing import Any

from pytracer.spec.aggregate import StructOf
from pytracer.spec.context import Context, Decode
from pytracer.spec.pointer import Bytes, In, Out
from pytracer.spec.scalar import Enum, FlagSet, Int, Number, Scalar
from pytracer.spec.switch import Absent
from pytracer.spec.type import Scope, Type
from pytracer.spec.values import Array, Base, Integer, Joined, Symbol, Titled, Value
from pytracer.spec.xlat import Xlat
from pytracer.tables.constants.terminal import (
    BSDLY,
    CBAUD,
    CIBAUD,
    CRDLY,
    CSIZE,
    FFDLY,
    FLOW_ACTIONS,
    FLUSH_QUEUES,
    IBSHIFT,
    LINE_DISCIPLINES,
    MODEM_FLAGS,
    NCC,
    NCCS,
    NLDLY,
    TABDLY,
    TERM_BSDLY,
    TERM_CFLAGS,
    TERM_CHARACTERS,
    TERM_CRDLY,
    TERM_CSIZES,
    TERM_FFDLY,
    TERM_IFLAGS,
    TERM_LFLAGS,
    TERM_NLDLY,
    TERM_OFLAGS,
    TERM_SPEEDS,
    TERM_TABDLY,
    TERM_VTDLY,
    VTDLY,
)


def _symbol(xlat: Xlat, number: int) -> Symbol:
    return Symbol(number, xlat.name_of(number), xlat.unknown)


class _Modes(FlagSet):
    """Flags of which there may be none; then nothing is written."""

    def __init__(self, xlat: Xlat, ctype: str = "int") -> None:
        super().__init__(xlat, ctype, silent=True)


class _OutputModes(Scalar):
    """c_oflag: six delays, then flags."""

    _DELAYS = (
        (NLDLY, TERM_NLDLY),
        (CRDLY, TERM_CRDLY),
        (TABDLY, TERM_TABDLY),
        (BSDLY, TERM_BSDLY),
        (VTDLY, TERM_VTDLY),
        (FFDLY, TERM_FFDLY),
    )

    def make(self, number: int) -> Value:
        parts: list[Value] = []
        for mask, xlat in self._DELAYS:
            parts.append(_symbol(xlat, number & mask))
            number &= ~mask
        parts.append(_Modes(TERM_OFLAGS).make(number))
        return Joined(tuple(parts))


class _ControlModes(Scalar):
    """c_cflag: the speeds and the size of a character, then flags."""

    def make(self, number: int) -> Value:
        parts: list[Value] = [_symbol(TERM_SPEEDS, number & CBAUD)]
        if number & CIBAUD:
            speed = _symbol(TERM_SPEEDS, (number & CIBAUD) >> IBSHIFT)
            parts.append(Joined((speed, Symbol(IBSHIFT, "IBSHIFT")), "<<"))
        parts.append(_symbol(TERM_CSIZES, number & CSIZE))
        parts.append(_Modes(TERM_CFLAGS).make(number & ~(CBAUD | CIBAUD | CSIZE)))
        return Joined(tuple(parts))


class _Characters(Type):
    """c_cc: the characters that mean something to the terminal, by use."""

    def __init__(self, count: int) -> None:
        self.count = count

    def measure(self, abi: Any) -> tuple[int, int, str]:
        return self.count, 1, f"{self.count}s"

    def bind(self, scope: Scope) -> Decode:
        titles = [f"[{TERM_CHARACTERS.name_of(i) or i}]" for i in range(self.count)]

        def decode(ctx: Context, raw: bytes, frame: tuple[Any, ...]) -> Value:
            pairs = zip(titles, raw, strict=True)
            return Array(tuple(Titled(title, Integer(c, Base.HEX)) for title, c in pairs))

        return decode


def _termios(word: str, count: int, **more: Any) -> StructOf:
    return StructOf(
        brief=("c_iflag", "c_oflag", "c_cflag", "c_lflag"),
        c_iflag=_Modes(TERM_IFLAGS, word),
        c_oflag=_OutputModes(word),
        c_cflag=_ControlModes(word),
        c_lflag=_Modes(TERM_LFLAGS, word),
        c_line=Enum(LINE_DISCIPLINES, "uchar"),
        c_cc=_Characters(count),
        **more,
    )


TERMIOS = _termios("uint", NCCS)
TERMIOS2 = _termios("uint", NCCS, c_ispeed=Number("uint"), c_ospeed=Number("uint"))
TERMIO = _termios("ushort", NCC)
WINSIZE = StructOf(
    ws_row=Number("ushort"),
    ws_col=Number("ushort"),
    ws_xpixel=Number("ushort"),
    ws_ypixel=Number("ushort"),
)
MODEM = FlagSet(MODEM_FLAGS)

REQUESTS: dict[str, Type] = {
    "TCGETS2": Out(TERMIOS2),
    **dict.fromkeys(("TCSETS2", "TCSETSW2", "TCSETSF2"), In(TERMIOS2)),
    **dict.fromkeys(("TCGETS", "TIOCGLCKTRMIOS"), Out(TERMIOS)),
    **dict.fromkeys(("TCSETS", "TCSETSW", "TCSETSF", "TIOCSLCKTRMIOS"), In(TERMIOS)),
    "TCGETA": Out(TERMIO),
    **dict.fromkeys(("TCSETA", "TCSETAW", "TCSETAF"), In(TERMIO)),
    "TIOCGWINSZ": Out(WINSIZE),
    "TIOCSWINSZ": In(WINSIZE),
    "TCXONC": Enum(FLOW_ACTIONS, "kulong"),
    "TCFLSH": Enum(FLUSH_QUEUES, "kulong"),
    **dict.fromkeys(("TCSBRK", "TCSBRKP", "TIOCSCTTY"), Int()),
    "TIOCMGET": Out(MODEM),
    **dict.fromkeys(("TIOCMBIS", "TIOCMBIC", "TIOCMSET"), In(MODEM)),
    **dict.fromkeys(
        (
            "TIOCGPGRP",
            "TIOCGSID",
            "TIOCGETD",
            "TIOCGSOFTCAR",
            "TIOCGPTN",
            "FIONREAD",
            "TIOCOUTQ",
            "TIOCGEXCL",
            "TIOCGDEV",
        ),
        Out(Int()),
    ),
    **dict.fromkeys(
        (
            "TIOCSPGRP",
            "TIOCSETD",
            "FIONBIO",
            "FIOASYNC",
            "TIOCPKT",
            "TIOCSSOFTCAR",
            "TIOCSPTLCK",
        ),
        In(Int()),
    ),
    "TIOCSTI": Bytes(length=1),
    **dict.fromkeys(
        (
            "TIOCSBRK",
            "TIOCCBRK",
            "TIOCCONS",
            "TIOCNOTTY",
            "TIOCEXCL",
            "TIOCNXCL",
            "FIOCLEX",
            "FIONCLEX",
            "TIOCVHANGUP",
            "TIOCSSERIAL",
        ),
        Absent(),
    ),
}
