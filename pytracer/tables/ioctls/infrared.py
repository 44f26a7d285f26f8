"""Requests of infrared receivers and senders.

Source: include/uapi/linux/lirc.h.
"""

from __future__ import annotations

from pytracer.spec.pointer import In, Out
from pytracer.spec.scalar import Enum, FlagSet, Hex, UInt
from pytracer.spec.type import Type
from pytracer.tables.constants.boards import LIRC_FEATURES, LIRC_MODES

_MODE = Enum(LIRC_MODES)

REQUESTS: dict[str, Type] = {
    "LIRC_GET_FEATURES": Out(FlagSet(LIRC_FEATURES)),
    **dict.fromkeys(("LIRC_GET_SEND_MODE", "LIRC_GET_REC_MODE"), Out(_MODE)),
    **dict.fromkeys(("LIRC_SET_SEND_MODE", "LIRC_SET_REC_MODE"), In(_MODE)),
    "LIRC_SET_TRANSMITTER_MASK": In(Hex()),
    **dict.fromkeys(
        (
            "LIRC_GET_REC_RESOLUTION",
            "LIRC_GET_MIN_TIMEOUT",
            "LIRC_GET_MAX_TIMEOUT",
            "LIRC_GET_LENGTH",
            "LIRC_GET_REC_TIMEOUT",
        ),
        Out(UInt()),
    ),
    **dict.fromkeys(
        (
            "LIRC_SET_SEND_CARRIER",
            "LIRC_SET_REC_CARRIER",
            "LIRC_SET_SEND_DUTY_CYCLE",
            "LIRC_SET_REC_TIMEOUT",
            "LIRC_SET_REC_TIMEOUT_REPORTS",
            "LIRC_SET_MEASURE_CARRIER_MODE",
            "LIRC_SET_REC_CARRIER_RANGE",
            "LIRC_SET_WIDEBAND_RECEIVER",
        ),
        In(UInt()),
    ),
}
