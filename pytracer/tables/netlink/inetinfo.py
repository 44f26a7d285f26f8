"""What is told of an internet socket: its upper layer, its options, storage of programs.

Source: include/uapi/linux/{inet_diag,tls,mptcp,sock_diag}.h, Linux 7.2.
"""

from __future__ import annotations

from typing import Any

from pytracer.spec.abi import Layout
from pytracer.spec.context import Context, Decode
from pytracer.spec.type import Scope, Type
from pytracer.spec.values import Base, Integer, Joined, Noted, Phrase, Struct, Text, Value
from pytracer.tables.constants import sockdiag as sd
from pytracer.tables.netlink import attributes as nla
from pytracer.tables.netlink.attributes import Attributes, array, cstr, flags, named
from pytracer.tables.netlink.diagnosis import address_field
from pytracer.tables.netlink.message import FAMILY
from pytracer.tables.structs.sockaddr import sockaddr


class _Address(Type):
    """struct sockaddr_storage: the address of a socket, of any family."""

    def measure(self, abi: Layout) -> tuple[int, int, str]:
        return 128, 8, "128s"

    def bind(self, scope: Scope) -> Decode:
        return lambda ctx, data, frame: sockaddr(ctx, data)


ADDRESSES = array(_Address())
_MOST_KEY = 80  # TCP_MD5SIG_MAXKEYLEN


class _Signature(Type):
    """struct tcp_diag_md5sig: the key with which a peer's segments are signed."""

    def measure(self, abi: Layout) -> tuple[int, int, str]:
        return 20 + _MOST_KEY, 4, f"{20 + _MOST_KEY}s"

    def bind(self, scope: Scope) -> Decode:
        def decode(ctx: Context, data: bytes, frame: tuple[Any, ...]) -> Value:
            family, prefix = data[0], data[1]
            length = int.from_bytes(data[2:4], "little")
            return Struct(
                (
                    ("tcpm_family", FAMILY.make(family)),
                    ("tcpm_prefixlen", Integer(prefix)),
                    ("tcpm_keylen", Integer(length)),
                    address_field(data[4:20], family, "tcpm_addr"),
                    ("tcpm_key", Text(data[20 : 20 + min(length, _MOST_KEY)], escaped=True)),
                )
            )

        return decode


SIGNATURES = array(_Signature())


def shutdown(ctx: Context, data: bytes, family: int) -> Value | None:
    """How far a connection is shut, always with the number."""
    if len(data) > 8:
        return None
    value = data[0]
    names, rest = sd.INET_DIAG_SHUTDOWN_FLAGS.names_in(value)
    plain = Integer(value, Base.HEX)
    if not value:
        return plain
    note = sd.INET_DIAG_SHUTDOWN_FLAGS.unknown
    if names:
        note = "|".join([*names, f"{rest:#x}"] if rest else names)
    return Noted(plain, note, unless_raw=True)


def _hexadecimal(ctx: Context, data: bytes, family: int) -> Value | None:
    """A number of any of C's sizes."""
    if len(data) not in (1, 2, 4, 8):
        return None
    return Integer(int.from_bytes(data, "little"), Base.HEX)


_TLS = Attributes(
    sd.ULP_TLS_ATTRIBUTES,
    {
        sd.TLS_INFO_VERSION: named(sd.TLS_VERSIONS, 2),
        sd.TLS_INFO_CIPHER: named(sd.TLS_CIPHERS, 2),
        sd.TLS_INFO_TXCONF: named(sd.TLS_CONFIGS, 2),
        sd.TLS_INFO_RXCONF: named(sd.TLS_CONFIGS, 2),
    },
)
_MPTCP = Attributes(
    sd.ULP_MPTCP_ATTRIBUTES,
    {
        sd.MPTCP_SUBFLOW_ATTR_TOKEN_REM: nla.X32,
        sd.MPTCP_SUBFLOW_ATTR_TOKEN_LOC: nla.X32,
        sd.MPTCP_SUBFLOW_ATTR_RELWRITE_SEQ: nla.U32,
        sd.MPTCP_SUBFLOW_ATTR_MAP_SEQ: nla.U64,
        sd.MPTCP_SUBFLOW_ATTR_MAP_SFSEQ: nla.U32,
        sd.MPTCP_SUBFLOW_ATTR_SSN_OFFSET: nla.U32,
        sd.MPTCP_SUBFLOW_ATTR_MAP_DATALEN: nla.U16,
        sd.MPTCP_SUBFLOW_ATTR_FLAGS: flags(sd.MPTCP_SUBFLOW_FLAGS, 4),
        sd.MPTCP_SUBFLOW_ATTR_ID_REM: nla.U8,
        sd.MPTCP_SUBFLOW_ATTR_ID_LOC: nla.U8,
    },
)
UPPER_LAYER = Attributes(
    sd.ULP_INFO_ATTRIBUTES,
    {
        sd.INET_ULP_INFO_NAME: cstr,
        sd.INET_ULP_INFO_TLS: _TLS,
        sd.INET_ULP_INFO_MPTCP: _MPTCP,
    },
)
STORAGES = Attributes(
    sd.BPF_STORAGES_ATTRIBUTES,
    {
        sd.SK_DIAG_BPF_STORAGE: Attributes(
            sd.BPF_STORAGE_ATTRIBUTES,
            {
                sd.SK_DIAG_BPF_STORAGE_MAP_ID: nla.U32,
                sd.SK_DIAG_BPF_STORAGE_MAP_VALUE: _hexadecimal,
            },
        )
    },
)
_OPTIONS = (
    *("recverr", "is_icsk", "freebind", "hdrincl", "mc_loop", "transparent", "mc_all"),
    *("nodefrag", "bind_address_no_port", "recverr_rfc4884", "defer_connect"),
)


def options(ctx: Context, data: bytes, family: int) -> Value | None:
    """Options of a socket, a bit each; those that are off only where nothing is abbreviated."""
    if len(data) < 2:
        return None
    bits = int.from_bytes(data[:2], "little")
    fields: list[tuple[str, Value]] = [
        (name, Integer(bits >> place & 1))
        for place, name in enumerate(_OPTIONS)
        if ctx.whole or bits >> place & 1
    ]
    unused = bits >> len(_OPTIONS)
    if ctx.whole or unused:
        fields.append(("unused", Noted(Integer(unused, Base.HEX), "bits 3..8")))
    value = Struct(tuple(fields))
    if not any(data[2:]):
        return value
    shown = data[2:][: ctx.string_bytes]
    text = Text(shown, len(shown) < len(data) - 2, escaped=True)
    note = Phrase(f"/* bytes 2..{len(data) - 1} */")
    return Joined((value, Joined((note, text), " ")), ", ")
