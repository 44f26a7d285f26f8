"""Requests whose code holds a parameter, so that no table can list them.

Source: include/uapi/linux/{input,hidraw,hiddev,uinput,joystick,soundcard,seccomp}.h,
include/uapi/linux/spi/spidev.h.
"""

from __future__ import annotations

from pytracer.spec.xlat import Xlat
from pytracer.tables.constants.input import EV_ABSOLUTES, EV_TYPES

WRITE, READ = 1, 2
# By direction, type and number: what the size says how much of is asked for.
_SIZED = {
    (READ, "E", 0x06): "EVIOCGNAME",
    (READ, "E", 0x07): "EVIOCGPHYS",
    (READ, "E", 0x08): "EVIOCGUNIQ",
    (READ, "E", 0x09): "EVIOCGPROP",
    (READ, "E", 0x0A): "EVIOCGMTSLOTS",
    (READ, "E", 0x18): "EVIOCGKEY",
    (READ, "E", 0x19): "EVIOCGLED",
    (READ, "E", 0x1A): "EVIOCGSND",
    (READ, "E", 0x1B): "EVIOCGSW",
    (READ, "H", 0x04): "HIDIOCGRAWNAME",
    (READ, "H", 0x05): "HIDIOCGRAWPHYS",
    (READ, "H", 0x06): "HIDIOCSFEATURE",
    (READ, "H", 0x08): "HIDIOCGRAWUNIQ",
    (READ, "H", 0x12): "HIDIOCGPHYS",
    (READ | WRITE, "H", 0x06): "HIDIOCSFEATURE",
    (READ | WRITE, "H", 0x07): "HIDIOCGFEATURE",
    (READ, "U", 0x2C): "UI_GET_SYSNAME",
    (READ, "j", 0x13): "JSIOCGNAME",
    (WRITE, "k", 0x00): "SPI_IOC_MESSAGE",
}
# The first kernels with seccomp's listener got the direction of this one wrong.
_ID_VALID_WRONG_DIR = 0x80082102
_EVENT_BITS = range(0x20, 0x40)
_GET_ABSOLUTES = range(0x40, 0x80)
_SET_ABSOLUTES = range(0xC0, 0x100)


def sized_name(code: int) -> str | None:
    """Write a request with its parameter; None for a request without one."""
    direction, size = code >> 30, code >> 16 & 0x3FFF
    kind, number = chr(code >> 8 & 0xFF), code & 0xFF
    if code == _ID_VALID_WRONG_DIR:
        return "SECCOMP_IOCTL_NOTIF_ID_VALID_WRONG_DIR"
    name = _SIZED.get((direction, kind, number))
    if name is not None:
        return f"{name}({size})"
    if kind == "M" and direction in (READ, WRITE):
        return f"MIXER_{'READ' if direction == READ else 'WRITE'}({number})"
    if kind != "E":
        return None
    if direction == WRITE and number in _SET_ABSOLUTES:
        return f"EVIOCSABS({_axis(number - _SET_ABSOLUTES.start)})"
    if direction == READ and number in _GET_ABSOLUTES:
        return f"EVIOCGABS({_axis(number - _GET_ABSOLUTES.start)})"
    if direction == READ and number in _EVENT_BITS:
        event = number - _EVENT_BITS.start
        return f"EVIOCGBIT({_constant(EV_TYPES, event) if event else 0}, {size})"
    return None


def _axis(number: int) -> str:
    return _constant(EV_ABSOLUTES, number)


def _constant(xlat: Xlat, number: int) -> str:
    return xlat.name_of(number) or f"{number:#x} /* {xlat.unknown} */"
