"""Who a process is: its ids, groups and capabilities."""

from __future__ import annotations

from typing import Any

from pytracer.spec.abi import I386, X32, X86_64
from pytracer.spec.entry import syscall
from pytracer.spec.pointer import In, Out
from pytracer.spec.returns import GroupResult, PidResult
from pytracer.spec.scalar import GroupId, Int, Pid, Uid
from pytracer.tables.structs.capability import CAP_HEADER, CapData, Groups

OWN = PidResult()

getpid = syscall("getpid", returns=OWN, classes="pure")
gettid = syscall("gettid", returns=OWN, classes="pure")
getppid = syscall("getppid", returns=OWN, classes="pure")
getpgrp = syscall("getpgrp", returns=GroupResult(), classes="pure")
getpgid = syscall("getpgid", pid=Pid(), returns=GroupResult())
getsid = syscall("getsid", pid=Pid(), returns=GroupResult())
setsid = syscall("setsid", returns=PidResult())
setpgid = syscall("setpgid", pid=Pid(), pgid=GroupId())


def _identity(suffix: str, width: str, **only: Any) -> None:
    """Describe the calls that get and set user and group ids of one width."""
    uid = Uid(width)
    for name in ("getuid", "geteuid", "getgid", "getegid"):
        syscall(name + suffix, classes="creds pure", **only)
    for name in ("setuid", "setgid"):
        syscall(name + suffix, uid=uid, classes="creds", **only)
    for name in ("setreuid", "setregid"):
        syscall(name + suffix, ruid=uid, euid=uid, classes="creds", **only)
    for name in ("setresuid", "setresgid"):
        syscall(name + suffix, ruid=uid, euid=uid, suid=uid, classes="creds", **only)
    for name in ("getresuid", "getresgid"):
        syscall(name + suffix, ruid=Out(uid), euid=Out(uid), suid=Out(uid), classes="creds", **only)
    for name in ("setfsuid", "setfsgid"):
        syscall(name + suffix, fsuid=uid, classes="creds", **only)
    syscall("getgroups" + suffix, size=Int(), list=Out(Groups(uid, "ret")), classes="creds", **only)
    syscall("setgroups" + suffix, size=Int(), list=In(Groups(uid, "size")), classes="creds", **only)


# i386 has ids of 16 bits under the names that elsewhere mean those of 32.
_identity("", "uint", abis=(X86_64, X32))
_identity("", "ushort", abis=(I386,))
_identity("32", "uint", abis=(I386,))

capget = syscall("capget", hdrp=In(CAP_HEADER), datap=Out(CapData(0)), classes="creds")
capset = syscall("capset", hdrp=In(CAP_HEADER), datap=In(CapData(0)), classes="creds")
