"""Sockets and netlink messages that strace 7.2 prints otherwise than 6.1: see accepted.py."""

from __future__ import annotations

from tests.differential import accepted_netlink
from tests.differential.difference import Difference, differs

MESSAGES = ("sendmsg", "recvmsg", "sendmmsg", "recvmmsg", "recvmmsg_time64")

DIFFERENCES: tuple[Difference, ...] = (
    # Network, section 4.7 of the release notes
    differs(
        "7.2 knows the descriptor of a process and the protocol in control messages",
        r"cmsg_type=(?:(0x4) /\* SCM_|(0x34) /\* IP_)\?\?\? \*/",
        lambda m: (
            r"cmsg_type=⟦(?:0x4 /\* )?SCM_PIDFD(?: \*/)?⟧"
            if m[1]
            else r"cmsg_type=⟦(?:0x34 /\* )?IP_PROTOCOL(?: \*/)?⟧"
        ),
        *MESSAGES,
    ),
    differs(
        "7.2 prints the data of a control message that it does not decode",
        r"(cmsg_len=\d+, cmsg_level=[^,]+, cmsg_type=[^,}]+)\}",
        r'\1⟦(?:, cmsg_data=(?:"(?:\\x[0-9a-f]{2})+"|\d+(?:<[^>]*>)?|\[[^]]*\]))?⟧}',
        *MESSAGES,
    ),
    differs(
        "7.2 decodes addresses of TIPC",
        r"sa_family=((?:0x1e /\* )?AF_TIPC(?: \*/)?|0x1e), "
        r"sa_data=\"[^\"]*\"\}, (1[6-9]|[2-9]\d|\d{3})",
        r"sa_family=\1, ⟦addrtype=.*, scope=.*, addr=.*⟧}, \2",
        "connect",
        "bind",
        "sendto",
    ),
    # Netlink, section 4.8 of the release notes
    differs(
        "7.2 decodes the messages of the generic controller",
        r"(nlmsg_type=(?:0x10 /\* )?nlctrl(?: \*/)?, nlmsg_flags=)[^,]+(, nlmsg_seq=\d+,"
        r" nlmsg_pid=\d+\}), \"(?:\\x[0-9a-f]{2})+\"(?:\.\.\.)?\]",
        r"\1⟦[^,]+⟧\2, ⟦\{cmd=.*, version=\d+\}.*⟧]",
    ),
    *(differs(*difference) for difference in accepted_netlink.DIFFERENCES),
)
