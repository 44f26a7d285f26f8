"""Socket addresses of the rarer families.

Source of the structures: include/uapi/linux/{ax25,ipx,x25,rxrpc,if_alg,nfc,vm_sockets,qrtr,if_xdp,
mctp,tipc}.h, include/net/{af_ieee802154,bluetooth/*}.h.
"""

from __future__ import annotations

import socket
from typing import Final

from pytracer.spec.context import Context
from pytracer.spec.scalar import Enum, FlagSet
from pytracer.spec.values import (
    Array,
    Base,
    Descriptor,
    Function,
    Integer,
    Noted,
    Phrase,
    Struct,
    Text,
    Value,
)
from pytracer.spec.xlat import Xlat
from pytracer.tables.constants import network as net
from pytracer.tables.structs.bluetooth import bluetooth
from pytracer.tables.structs.netaddr import NetLong, Port, hardware_address, inet_addr, inet_pton
from pytracer.tables.structs.netaddr import interface as if_name
from pytracer.tables.structs.padded import padded_hex
from pytracer.tables.structs.sockfields import Fields, Shape, named, number, word

_PORT = Port()
_NETLONG = NetLong()
_DIGIPEATERS: Final = 8  # AX25_MAX_DIGIS
_CALL: Final = 7


def _verbose(xlat: Xlat, value: int) -> Value:
    """A constant that is always shown with its number."""
    plain = Integer(value, Base.HEX)
    note = xlat.name_of(value) or xlat.unknown
    return Noted(plain, note, unless_raw=True) if note else plain


def _verbose_flags(xlat: Xlat, value: int) -> Value:
    plain = Integer(value, Base.HEX)
    if not value:
        return plain
    names, rest = xlat.names_in(value)
    if not names:
        return Noted(plain, xlat.unknown, unless_raw=True)
    note = "|".join([*names, f"{rest:#x}"] if rest else names)
    return Noted(plain, note, unless_raw=True)


def _cstr(data: bytes) -> Text:
    end = data.find(b"\0")
    # The last byte is but where the NUL should be.
    return Text(data[:-1] if end < 0 else data[:end], end < 0)


def _call_sign(data: bytes) -> Value:
    """An AX.25 address: letters and digits shifted by one bit, and a station's number."""
    raw = Struct((("ax25_call", Text(data, escaped=True)),))
    letters, station = data[:-1], data[-1]
    clean, ended, any_letter = True, False, False
    for byte in letters:
        letter = chr(byte >> 1)
        if byte & 1:
            clean = False
        blank = letter == " "
        ended, any_letter = ended or blank, any_letter or not blank
        if not (letter.isascii() and (letter.isdigit() or letter.isupper() or blank)):
            clean = False
        if ended and not blank:
            clean = False
        if not " " <= letter <= "~" or letter in "*/":
            return raw
    if station & ~0x1E or (not any_letter and station):
        clean = False
    text = "".join(chr(byte >> 1) for byte in letters).rstrip(" ")
    text = f"{text}-{station >> 1 & 0xF}"
    return Noted(raw, "*" if text.startswith("-0") else text, instead=clean)


def _ax25(ctx: Context, data: bytes, length: int) -> Fields:
    count = number(data, 12, 4, signed=True)
    first: Fields = (("sax25_call", _call_sign(data[2:9])), ("sax25_ndigis", Integer(count)))
    if not count and length <= 16:
        return first
    fields: Fields = (("fsa_ax25", Struct(first)),)
    there = min((length - 16) // _CALL, _DIGIPEATERS)
    wanted = min(max(count, 0), _DIGIPEATERS)
    if wanted:
        starts = range(16, 16 + min(there, wanted) * _CALL, _CALL)
        calls = tuple(_call_sign(data[at : at + _CALL]) for at in starts)
        digipeaters = Array(calls, more=wanted > there, brief=ctx.string_bytes)
        fields += (("fsa_digipeater", digipeaters),)
    if length > there * _CALL + 16:
        fields += (("", Phrase("...")),)
    return fields


def _ipx(ctx: Context, data: bytes, length: int) -> Fields:
    network = int.from_bytes(data[4:8], "big")
    fields: Fields = (
        ("sipx_port", _PORT.make(word(data, 2))),
        ("sipx_network", Function("htonl", (Integer(network, Base.HEX),))),
        ("sipx_node", Array(tuple(padded_hex(byte, 1) for byte in data[8:14]))),
        ("sipx_type", padded_hex(data[14], 1)),
    )
    return (*fields, ("sipx_zero", Integer(data[15], Base.HEX))) if data[15] else fields


def _x25(ctx: Context, data: bytes, length: int) -> Fields:
    return (("sx25_addr", Struct((("x25_addr", _cstr(data[2:18])),))),)


def _in(data: bytes) -> Fields:
    return (
        ("sin_port", _PORT.make(word(data, 2))),
        ("sin_addr", inet_addr(data[4:8])),
    )


def _in6(data: bytes, length: int) -> Fields:
    fields: Fields = (
        ("sin6_port", _PORT.make(word(data, 2))),
        ("sin6_flowinfo", _NETLONG.make(number(data, 4, 4))),
        ("", inet_pton(data[8:24], "sin6_addr")),
    )
    if length <= 24:
        return fields
    scope_id = number(data, 24, 4)
    local = data[8] == 0xFE and data[9] & 0xC0 == 0x80
    multicast = data[8] == 0xFF and data[9] & 0x0F == 0x02
    shown = if_name(scope_id) if local or multicast else Integer(scope_id)
    return (*fields, ("sin6_scope_id", shown))


def _transport(data: bytes, claimed: int, length: int) -> Struct:
    family = Enum(net.ADDRESS_FAMILIES).make(word(data, 0))
    length = min(claimed, length)
    rest = data[2:length] if length > 2 else b""
    more: Fields = (("", Text(rest, path=True)),) if rest else ()
    match word(data, 0):
        case socket.AF_INET:
            more = _in(data) if claimed >= 16 else more
            return Struct((("sin", Struct((("sin_family", family), *more))),))
        case socket.AF_INET6:
            more = _in6(data, length) if claimed >= 24 else more
            return Struct((("sin6", Struct((("sin6_family", family), *more))),))
    return Struct((("family", family), *more))


def _rxrpc(ctx: Context, data: bytes, length: int) -> Fields:
    claimed = word(data, 6)
    services = Xlat("???_SERVICE", net.RXRPC_SERVICES.entries)
    return (
        ("srx_service", _verbose(services, word(data, 2))),
        ("transport_type", named(net.SOCK_TYPES, word(data, 4))),
        ("transport_len", Integer(claimed)),
        ("transport", _transport(data[8:], claimed, length - 8)),
    )


def _ieee802154(ctx: Context, data: bytes, length: int) -> Fields:
    kind = number(data, 4, 4)
    fields: Fields = (
        ("addr_type", _verbose(net.IEEE802154_ADDRESS_TYPES, kind)),
        ("pan_id", _verbose(net.IEEE802154_PAN_IDS, word(data, 8))),
    )
    if kind == net.IEEE802154_ADDR_SHORT:
        short = _verbose(net.IEEE802154_ADDRESSES, word(data, 10))
        fields += (("short_addr", short),)
    elif kind != net.IEEE802154_ADDR_NONE:
        fields += (("hwaddr", hardware_address(data[10:18])),)
    return (("addr", Struct(fields)),)


def _alg(ctx: Context, data: bytes, length: int) -> Fields:
    return (
        ("salg_type", _cstr(data[2:16])),
        ("salg_feat", _verbose_flags(net.ALG_FLAGS, number(data, 16, 4))),
        ("salg_mask", _verbose_flags(net.ALG_FLAGS, number(data, 20, 4))),
        ("salg_name", _cstr(data[24:length])),
    )


_SAPS = Xlat("", (*net.NFC_SAPS.entries, (0xFF, "LLCP_SAP_MAX")))


def _nfc(ctx: Context, data: bytes, length: int) -> Fields:
    fields: Fields = (
        ("dev_idx", if_name(number(data, 4, 4))),
        ("target_idx", Integer(number(data, 8, 4), Base.HEX)),
        ("nfc_protocol", named(net.NFC_SOCKADDR_PROTOCOLS, number(data, 12, 4))),
    )
    size = ctx.abi.word
    place = 88 if size == 8 else 84
    if length < place + size:
        return (*fields, ("", Phrase("..."))) if length > 16 else fields
    name_length = number(data, place, size)
    return (
        *fields,
        ("dsap", _verbose(_SAPS, data[16])),
        ("ssap", _verbose(_SAPS, data[17])),
        ("service_name", Text(data[18 : 18 + min(63, name_length)], path=True)),
        ("service_name_len", Integer(name_length)),
    )


def _vsock(ctx: Context, data: bytes, length: int) -> Fields:
    reserved = word(data, 2)
    before: Fields = (("svm_reserved1", Integer(reserved, Base.HEX)),) if reserved else ()
    fields: Fields = (
        *before,
        ("svm_cid", named(net.VSOCK_CIDS, number(data, 8, 4), comment=False)),
        ("svm_port", named(net.VSOCK_PORTS, number(data, 4, 4), comment=False)),
        ("svm_flags", FlagSet(net.VSOCK_FLAGS, "uchar").make(data[12])),
    )
    return (*fields, ("svm_zero", Text(data[13:16], escaped=True))) if any(data[13:16]) else fields


def _qrtr(ctx: Context, data: bytes, length: int) -> Fields:
    return (
        ("sq_node", named(net.QIPCRTR_NODES, number(data, 4, 4), comment=False)),
        ("sq_port", named(net.QIPCRTR_PORTS, number(data, 8, 4), comment=False)),
    )


def _xdp(ctx: Context, data: bytes, length: int) -> Fields:
    flags, fd = word(data, 2), number(data, 12, 4)
    fields: Fields = (
        ("sxdp_flags", FlagSet(net.XDP_SOCKADDR_FLAGS, "ushort").make(flags)),
        ("sxdp_ifindex", if_name(number(data, 4, 4))),
        ("sxdp_queue_id", Integer(number(data, 8, 4))),
    )
    name = "sxdp_shared_umem_fd"
    if flags & net.XDP_SHARED_UMEM:
        shared = number(data, 12, 4, signed=True)
        known = ctx.descriptors
        about = None if known is None else known.about(ctx.pid, shared, ctx.memory)
        return (*fields, (name, Descriptor(shared, None, about)))
    return (*fields, (name, Integer(fd, Base.HEX))) if fd else fields


def _mctp(ctx: Context, data: bytes, length: int) -> Fields:
    pad = word(data, 2)
    before: Fields = (("__smctp_pad0", Integer(pad, Base.HEX)),) if pad else ()
    address = named(net.MCTP_ADDRESSES, data[8], comment=False)
    fields: Fields = (
        *before,
        ("smctp_network", named(net.MCTP_NETS, number(data, 4, 4), comment=False)),
        ("smctp_addr", Struct((("s_addr", address),))),
        ("smctp_type", Integer(data[9], Base.HEX)),
        ("smctp_tag", Integer(data[10], Base.HEX)),
    )
    return (*fields, ("__smctp_pad1", Integer(data[11], Base.HEX))) if data[11] else fields


def _tipc(ctx: Context, data: bytes, length: int) -> Fields:
    kind = data[2]
    first, second, third = (Integer(number(data, at, 4)) for at in (4, 8, 12))
    address: Value
    match kind:
        case net.TIPC_SERVICE_RANGE:
            fields: Fields = (("type", first), ("lower", second), ("upper", third))
            address = Struct((("nameseq", Struct(fields)),))
        case net.TIPC_SERVICE_ADDR:
            name = Struct((("type", first), ("instance", second)))
            domain = Integer(third.value, Base.HEX)
            address = Struct((("name", Struct((("name", name), ("domain", domain)))),))
        case net.TIPC_SOCKET_ADDR:
            node = Integer(second.value, Base.HEX)
            address = Struct((("id", Struct((("ref", first), ("node", node)))),))
        case _:
            address = Text(data[4:16], path=True)
    return (
        ("addrtype", named(net.TIPC_ADDRESS_TYPES, kind)),
        ("scope", named(Xlat("TIPC_???_SCOPE", net.TIPC_SCOPES.entries), data[3])),
        ("addr", address),
    )


# Family -> (least length in bytes at which its structure applies, shape), as in sockaddr.py.
RARE_SHAPES: dict[int, tuple[int, Shape]] = {
    net.AF_AX25: (16, _ax25),
    net.AF_IPX: (16, _ipx),
    net.AF_X25: (18, _x25),
    net.AF_TIPC: (16, _tipc),
    net.AF_BLUETOOTH: (3, bluetooth),
    net.AF_RXRPC: (36, _rxrpc),
    net.AF_IEEE802154: (20, _ieee802154),
    net.AF_ALG: (25, _alg),
    net.AF_NFC: (16, _nfc),
    net.AF_VSOCK: (16, _vsock),
    net.AF_QIPCRTR: (12, _qrtr),
    net.AF_XDP: (16, _xdp),
    net.AF_MCTP: (12, _mctp),
}
