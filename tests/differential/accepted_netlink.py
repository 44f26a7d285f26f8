"""Netlink messages in which strace 7.2 prints otherwise than 6.1: see accepted.py.

What is younger than 6.1: attributes, flags and names of places in arrays. Section 4.8 and the
lists of constants of the 7.2 release notes; include/uapi/linux/, Linux 7.2.
"""

from __future__ import annotations

import re
from collections.abc import Callable

# By the comment of 6.1 and the number: the name, and the size of the number that it holds. None:
# nothing but bytes; negative: in hexadecimal.
_YOUNGER: dict[str, dict[int, tuple[str, int | None]]] = {
    "IFLA": {
        0x3E: ("DEVLINK_PORT", 4),
        0x3F: ("GSO_IPV4_MAX_SIZE", 4),
        0x40: ("GRO_IPV4_MAX_SIZE", 4),
        0x41: ("DPLL_PIN", None),
        0x42: ("MAX_PACING_OFFLOAD_HORIZON", None),
        0x43: ("NETNS_IMMUTABLE", 1),
        0x44: ("HEADROOM", 2),
        0x45: ("TAILROOM", 2),
    },
    "IFLA_BRPORT": {
        0x28: ("MAB", 1),
        0x29: ("MCAST_N_GROUPS", 4),
        0x2A: ("MCAST_MAX_GROUPS", 4),
        0x2B: ("NEIGH_VLAN_SUPPRESS", 1),
        0x2C: ("BACKUP_NHID", 4),
        0x2D: ("NEIGH_FORWARD_GRAT", 1),
    },
    "IFLA_BR": {0x30: ("FDB_N_LEARNED", 4), 0x31: ("FDB_MAX_LEARNED", 4)},
    "IFLA_MCTP": {2: ("PHYS_BINDING", 1)},
    "NETCONFA": {9: ("FORCE_FORWARDING", 4)},
    "FRA": {
        0x19: ("DSCP", 1),
        0x1C: ("SPORT_MASK", -2),
        0x1D: ("DPORT_MASK", -2),
        0x1E: ("DSCP_MASK", -1),
    },
}


def _attribute(match: re.Match[str]) -> str:
    bits, number, prefix, data, more = match.groups()
    known = _YOUNGER.get(prefix, {}).get(int(number, 16))
    if known is None:
        return match[0]
    name, size = known
    text = f"nla_type={bits}{prefix}_{name}}}"
    if data is None:
        return text
    found = bytes.fromhex(data.replace("\\x", ""))
    if size is None or len(found) < abs(size):
        return f'{text}, "{data}"{more or ""}'
    value = int.from_bytes(found[: abs(size)], "little")
    return f"{text}, {value:#x}" if size < 0 and value else f"{text}, {value}"


def _flags(names: dict[int, str]) -> Callable[[re.Match[str]], str]:
    def rewrite(match: re.Match[str]) -> str:
        before, known, number, _ = match.groups()
        rest = int(number, 16)
        found = [name for bit, name in names.items() if rest & bit]
        if not found:
            return match[0]
        rest &= ~sum(bit for bit in names)
        words = [*known.split("|")[:-1], *found, *([f"{rest:#x}"] if rest else [])]
        return before + "|".join(words)

    return rewrite


_FLAG_WORDS = r"((?:[A-Z0-9_<]+\|)*)0x([0-9a-f]+)( /\* [^*]*\?\?\? \*/)?"

# The kernel has numbered these anew, in 6.8.
_PLACES = """
    NUM INPKTS INOCTETS INDELIVERS OUTFORWDATAGRAMS OUTPKTS OUTOCTETS INHDRERRORS INTOOBIGERRORS
    INNOROUTES INADDRERRORS INUNKNOWNPROTOS INTRUNCATEDPKTS INDISCARDS OUTDISCARDS OUTNOROUTES
    REASMTIMEOUT REASMREQDS REASMOKS REASMFAILS FRAGOKS FRAGFAILS FRAGCREATES INMCASTPKTS
    OUTMCASTPKTS INBCASTPKTS OUTBCASTPKTS INMCASTOCTETS OUTMCASTOCTETS INBCASTOCTETS OUTBCASTOCTETS
    CSUMERRORS NOECTPKTS ECT1PKTS ECT0PKTS CEPKTS REASM_OVERLAPS
"""
_OLD_PLACES = _PLACES.split()
_NEW_PLACES = [
    *_OLD_PLACES[:4],
    *("NOECTPKTS", "ECT1PKTS", "ECT0PKTS", "CEPKTS", "OUTREQUESTS", "OUTPKTS", "OUTOCTETS"),
    "OUTFORWDATAGRAMS",
    *_OLD_PLACES[7:32],
    "REASM_OVERLAPS",
]


def _place(match: re.Match[str]) -> str:
    index = int(match[2]) if match[2] else _OLD_PLACES.index(match[1])
    known = index < len(_NEW_PLACES)
    return f"[IPSTATS_MIB_{_NEW_PLACES[index]}]=" if known else match[0]


# (reason, pattern, replacement)
DIFFERENCES: tuple[tuple[str, str, Callable[[re.Match[str]], str]], ...] = (
    (
        "7.2 knows younger attributes",
        r"nla_type=((?:NLA_F_[A-Z_]+\|)*)0x([0-9a-f]+) /\* ([A-Z_]+)_\?\?\? \*/\}"
        r'(?:, "((?:\\x[0-9a-f]{2})*)"(\.\.\.)?)?',
        _attribute,
    ),
    (
        "7.2 knows a younger state of connections",
        rf"(\b[iu]diag_states=){_FLAG_WORDS}",
        _flags({0x2000: "1<<TCP_BOUND_INACTIVE"}),
    ),
    (
        "7.2 knows younger filters of links",
        rf"(IFLA_EXT_MASK\}}, ){_FLAG_WORDS}",
        _flags({0x80: "RTEXT_FILTER_MST", 0x100: "RTEXT_FILTER_NAME_ONLY"}),
    ),
    (
        "7.2 knows younger flags of neighbours",
        rf"(NDA_FLAGS_EXT\}}, ){_FLAG_WORDS}",
        _flags({2: "NTF_EXT_LOCKED", 4: "NTF_EXT_EXT_VALIDATED"}),
    ),
    (
        "7.2 knows a younger flag of a group",
        rf"((?<=state=MDB_TEMPORARY, )flags=){_FLAG_WORDS}",
        _flags({0x10: "MDB_FLAGS_OFFLOAD_FAILED"}),
    ),
    (
        "Linux 7.2 has younger options of bridges",
        rf"(\bopt(?:val|mask)=){_FLAG_WORDS}",
        _flags(
            {
                8: "1<<BR_BOOLOPT_MDB_OFFLOAD_FAIL_NOTIFICATION",
                16: "1<<BR_BOOLOPT_FDB_LOCAL_VLAN_0",
            }
        ),
    ),
    (
        "7.2 knows younger settings of interfaces",
        r"\[5([89]) /\* DEVCONF_\?\?\? \*/\]",
        lambda match: f"[DEVCONF_{'ACCEPT_RA_MIN_LFT' if match[1] == '8' else 'FORCE_FORWARDING'}]",
    ),
    (
        "Linux 6.8 has numbered its counters of packets anew",
        r"\[(?:IPSTATS_MIB_([A-Z0-9_]+)|(\d+) /\* IPSTATS_MIB_\?\?\? \*/)\]=",
        _place,
    ),
)
