"""The type and the flags in the header of a message, by protocol."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from pytracer.spec.scalar import FlagSet
from pytracer.spec.values import Symbol, Value
from pytracer.spec.xlat import Xlat
from pytracer.tables.constants.netfamilies import (
    AUDIT_MESSAGES,
    CRYPTO_MESSAGES,
    SELINUX_MESSAGES,
    XFRM_MESSAGES,
)
from pytracer.tables.constants.netlink import (
    NLM_FLAGS,
    NLM_FLAGS_ACK,
    NLM_FLAGS_DELETE,
    NLM_FLAGS_GET,
    NLM_FLAGS_NEW,
    NLMSG_ERROR,
    NLMSG_MIN_TYPE,
    NLMSG_TYPES,
    RTM_DELACTION,
    RTM_TYPES,
)
from pytracer.tables.constants.network import (
    NETLINK_AUDIT,
    NETLINK_CRYPTO,
    NETLINK_GENERIC,
    NETLINK_NETFILTER,
    NETLINK_ROUTE,
    NETLINK_SELINUX,
    NETLINK_SOCK_DIAG,
    NETLINK_XFRM,
)
from pytracer.tables.constants.sockdiag import SOCK_DIAG_MESSAGES
from pytracer.tables.netlink.generic import CONTROLLER, families
from pytracer.tables.netlink.netfilter import message_name, netfilter_kind

_TYPES: Final[dict[int, Xlat]] = {
    NETLINK_ROUTE: RTM_TYPES,
    NETLINK_SOCK_DIAG: SOCK_DIAG_MESSAGES,
    NETLINK_AUDIT: AUDIT_MESSAGES,
    NETLINK_CRYPTO: CRYPTO_MESSAGES,
    NETLINK_SELINUX: SELINUX_MESSAGES,
    NETLINK_XFRM: XFRM_MESSAGES,
}


def message_type(kind: int, protocol: int) -> Value:
    """What a message is called. The lowest types are common to all protocols."""
    table = NLMSG_TYPES
    if kind >= NLMSG_MIN_TYPE:
        if protocol == NETLINK_NETFILTER:
            return netfilter_kind(kind)
        table = families() if protocol == NETLINK_GENERIC else _TYPES.get(protocol, NLMSG_TYPES)
    return Symbol(kind, table.name_of(kind), table.unknown)


def _route(kind: int) -> Xlat | None:
    if kind == RTM_DELACTION:
        return NLM_FLAGS_GET
    return {0: NLM_FLAGS_NEW, 1: NLM_FLAGS_DELETE, 2: NLM_FLAGS_GET}.get(kind & 3)


_CRYPTO: Final = {
    "CRYPTO_MSG_NEWALG": NLM_FLAGS_NEW,
    "CRYPTO_MSG_DELALG": NLM_FLAGS_DELETE,
    "CRYPTO_MSG_DELRNG": NLM_FLAGS_DELETE,
    "CRYPTO_MSG_GETALG": NLM_FLAGS_GET,
}
_XFRM_NEW: Final = ("SA", "POLICY", "AE", "SADINFO", "SPDINFO")
_XFRM: Final = (
    {f"XFRM_MSG_NEW{name}": NLM_FLAGS_NEW for name in _XFRM_NEW}
    | {f"XFRM_MSG_GET{name}": NLM_FLAGS_GET for name in _XFRM_NEW}
    | {f"XFRM_MSG_DEL{name}": NLM_FLAGS_DELETE for name in ("SA", "POLICY")}
)


def _named(names: Xlat, tables: dict[str, Xlat]) -> Callable[[int], Xlat | None]:
    return lambda kind: tables.get(names.name_of(kind) or "")


# By what begins a message's name in a subsystem: the verbs that tell its flags.
_NETFILTER_VERBS: Final = {
    "IPCTNL_MSG_CT_": ("NEW", "DELETE", "GET"),
    "IPCTNL_MSG_EXP_": ("NEW", "DELETE", "GET"),
    "IPCTNL_MSG_TIMEOUT_": ("NEW", "DELETE", "GET"),
    "NFNL_MSG_ACCT_": ("NEW", "DEL", "GET"),
    "NFNL_MSG_CTHELPER_": ("NEW", "DEL", "GET"),
    "NFT_MSG_": ("NEW", "DEL", "GET"),
    "NFNL_MSG_COMPAT_": ("", "", "GET"),
    "NFNL_MSG_HOOK_": ("", "", "GET"),
}
# What has come after the names of which the flags are known.
_NETFILTER_PLAIN: Final = {"NFT_MSG_GETRULE_RESET", "NFT_MSG_GETSETELEM_RESET"}


def _netfilter(kind: int) -> Xlat | None:
    name = message_name(kind) or ""
    if name in _NETFILTER_PLAIN:
        return None
    for prefix, verbs in _NETFILTER_VERBS.items():
        if name.startswith(prefix):
            rest = name[len(prefix) :]
            for verb, table in zip(
                verbs, (NLM_FLAGS_NEW, NLM_FLAGS_DELETE, NLM_FLAGS_GET), strict=True
            ):
                if verb and rest.startswith(verb):
                    return table
    return None


_FLAGS: Final[dict[int, Callable[[int], Xlat | None]]] = {
    NETLINK_ROUTE: _route,
    NETLINK_SOCK_DIAG: lambda kind: NLM_FLAGS_GET,
    NETLINK_GENERIC: lambda kind: NLM_FLAGS_GET if kind == CONTROLLER else None,
    NETLINK_CRYPTO: _named(CRYPTO_MESSAGES, _CRYPTO),
    NETLINK_NETFILTER: _netfilter,
    NETLINK_XFRM: _named(XFRM_MESSAGES, _XFRM),
}


@lru_cache(maxsize=8)
def _with_common(table: Xlat | None) -> FlagSet:
    extra = table.entries if table is not None else ()
    return FlagSet(Xlat(NLM_FLAGS.unknown, NLM_FLAGS.entries + extra), "ushort")


def message_flags(flags: int, kind: int, protocol: int) -> Value:
    """What the flags of a message mean: some of the bits depend on its type."""
    table = None
    if kind < NLMSG_MIN_TYPE:
        table = NLM_FLAGS_ACK if kind == NLMSG_ERROR else None
    elif protocol in _FLAGS:
        table = _FLAGS[protocol](kind)
    return _with_common(table).make(flags)
