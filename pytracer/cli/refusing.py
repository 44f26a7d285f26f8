"""What is not served, refused by name, with the way out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pytracer.cli.expressions import calls
from pytracer.cli.grammar import Given
from pytracer.cli.messages import Failure

# Key -> (how it is called, what to do instead).
_REFUSED: Final[Mapping[str, tuple[str, str]]] = {
    "read": ("-e read", "show whole buffers with -e trace=read -s SIZE, -xx for hexadecimal"),
    "write": ("-e write", "show whole buffers with -e trace=write -s SIZE, -xx for hexadecimal"),
    "fault": ("-e fault", "use strace -e fault"),
    "inject": ("-e inject", "use strace -e inject"),
    "namespace": ("-e namespace", "use -e trace=unshare,setns,clone3 and lsns(8)"),
    "secontext": ("--secontext", "use ls -Z and ps -Z"),
    "tips": ("--tips", "see the documentation"),
    "report": ("--report", "use -c for a summary"),
}


def refuse(given: Given) -> None:
    """Refuse an option that is not served.

    Errors: Failure that names it and the way out.
    """
    if given.key == "kvm":
        _refuse_kvm(given.value or "")
    if given.key == "namespace" and given.value != "new":
        raise Failure(f"invalid -e namespace= argument: '{given.value}'")
    if given.key in ("fault", "inject"):
        # What is wrong with the set of calls is said first, as strace does.
        calls((given.value or "").partition(":")[0])
    if given.key == "pidns-translation" or (
        given.key == "decode-pids" and "pidns" in (given.value or "").lower()
    ):
        raise Failure(
            "--decode-pids=pidns is not supported: run pytracer in the pid namespace of its "
            "target, with nsenter -t PID -p"
        )
    refused = _REFUSED.get(given.key)
    if refused is not None:
        name, remedy = refused
        raise Failure(f"{name} is not supported: {remedy}")


def _refuse_kvm(value: str) -> None:
    if value not in ("vcpu", "vcpu+"):
        raise Failure(f"invalid -e kvm= argument: '{value}'")
    raise Failure("-e kvm is not supported: use strace -e kvm=vcpu, or perf kvm stat")
