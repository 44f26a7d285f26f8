"""Socket addresses of Bluetooth: their length tells which of four they are.

Source: include/net/bluetooth/{hci_sock,sco,rfcomm,l2cap}.h.
"""

from __future__ import annotations

from typing import Final

from pytracer.spec.context import Context
from pytracer.spec.values import Base, Function, Integer, Noted, Symbol, Text, Value
from pytracer.spec.xlat import Xlat
from pytracer.tables.constants import network as net
from pytracer.tables.structs.netaddr import hardware_address
from pytracer.tables.structs.sockfields import Fields, named, word

_HCI, _L2CAP = 6, 14
# Numbers that are handed out; include/net/bluetooth/l2cap.h.
_PSM_RANGES: Final = (
    (0x80, 0xFF, "L2CAP_PSM_LE_DYN_START"),
    (0x1001, 0xFFFF, "L2CAP_PSM_DYN_START"),
)
_CID_RANGES: Final = ((0x40, 0xFFFF, "L2CAP_CID_DYN_START"),)


def _channel(xlat: Xlat, number: int, ranges: tuple[tuple[int, int, str], ...]) -> Value:
    shown: Value = Symbol(number, xlat.name_of(number), xlat.unknown)
    if xlat.name_of(number) is None:
        for low, high, name in ranges:
            if low <= number <= high:
                above = f"+{number - low}"
                verbose = f"{low:#x} /* {name} */{above}"
                plain = Integer(number, Base.HEX)
                shown = Noted(plain, f"{name}{above}", instead=True, verbose=verbose)
                break
    return Function("htobs", (shown,))


def bluetooth(ctx: Context, data: bytes, length: int) -> Fields:
    """Decode the fields behind sa_family."""
    match length:
        case 4 | 6:
            device = Function("htobs", (Integer(word(data, 2)),))
            fields: Fields = (("hci_dev", device),)
            if length == _HCI:
                fields += (("hci_channel", named(net.HCI_CHANNELS, word(data, 4))),)
            return fields
        case 8:
            return (("sco_bdaddr", hardware_address(data[2:8])),)
        case 10:
            return (
                ("rc_bdaddr", hardware_address(data[2:8])),
                ("rc_channel", Integer(data[8])),
            )
        case 12 | 14:
            fields = (
                ("l2_psm", _channel(net.L2CAP_PSMS, word(data, 2), _PSM_RANGES)),
                ("l2_bdaddr", hardware_address(data[4:10])),
                ("l2_cid", _channel(net.L2CAP_CIDS, word(data, 10), _CID_RANGES)),
            )
            if length == _L2CAP:
                fields += (("l2_bdaddr_type", named(net.BLUETOOTH_ADDRESS_TYPES, data[12])),)
            return fields
    return (("sa_data", Text(data[2:length], path=True)),)
