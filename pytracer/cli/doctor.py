"""--doctor: what works here, and what to do about what does not."""

from __future__ import annotations

import os
import platform
import resource
import signal
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pytracer.backend.base import BackendUnavailable, TargetError
from pytracer.event.schema import Abi
from pytracer.target.selection import Attach, Selection


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. ``remedy``: what to do, empty where there is nothing to do.

    ``good``: None where it is only told.
    """

    subject: str
    good: bool | None
    found: str
    remedy: str = ""


EBPF: Final = "ebpf backend"
MEMORY: Final = "ebpf memory"
PTRACE: Final = "ptrace backend"

# Source: include/uapi/linux/capability.h
_CAPABILITIES: Final = {19: "SYS_PTRACE", 21: "SYS_ADMIN", 38: "PERFMON", 39: "BPF"}
_SECCOMP_MODES: Final = {"0": "none", "1": "strict", "2": "filtered"}
_SCOPES: Final = {
    "0": "any process of the same user",
    "1": "descendants only",
    "2": "only with CAP_SYS_PTRACE",
    "3": "no attaching at all",
}


def examine(root: Path = Path("/")) -> list[Finding]:
    """Look at everything. ``root``: where /proc and /sys are, for tests."""
    status = _status(root / "proc/self/status")
    return [
        Finding("kernel", None, f"{platform.release()} {platform.machine()}"),
        *_ebpf(),
        _ptrace(),
        _unprivileged(root),
        _btf(root),
        _bcc(),
        _capabilities(status),
        _scope(root),
        _seccomp(status),
        _lockdown(root),
        _namespace(status),
        _memory(root),
        Finding("tracefs", None, "not needed"),
    ]


def any_backend(findings: Iterable[Finding]) -> bool:
    """Whether there is any backend that works."""
    return any(f.good for f in findings if f.subject in (EBPF, PTRACE))


def render(findings: Iterable[Finding]) -> str:
    """Write the table."""
    words = {True: "ok", False: "NO", None: "-"}
    text = ""
    for finding in findings:
        text += f"{finding.subject:<16}{words[finding.good]:<4}{finding.found}\n"
        if finding.remedy:
            text += f"{'':<20}-> {finding.remedy}\n"
    return text


def _read(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except OSError:
        return None


def _status(path: Path) -> dict[str, str]:
    lines = (_read(path) or "").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _ebpf() -> list[Finding]:
    """Load the programs that stream and those that count, and tell what that takes."""
    from pytracer.backend.ebpf.backend import EbpfBackend
    from pytracer.backend.ebpf.counting import CountBackend

    me = Attach((os.getpid(),))
    nothing = Selection(syscalls={abi: frozenset() for abi in Abi})
    taken = []
    try:
        for backend in (EbpfBackend, CountBackend):
            trial = backend(me, nothing)
            try:
                taken.append(f"{trial.kernel_bytes() / (1 << 20):.0f} MiB")
            finally:
                trial.close()
    except BackendUnavailable as error:
        return [
            Finding(EBPF, False, error.reason, error.remedy),
            Finding(MEMORY, None, "none: it does not work here"),
        ]
    memory = (
        f"{taken[0]} of the kernel's while streaming, rings included; {taken[1]} while counting"
    )
    return [
        Finding(EBPF, True, "programs load and attach"),
        Finding(MEMORY, None, memory),
    ]


def _ptrace() -> Finding:
    """Attach to a child for a moment."""
    from pytracer.backend.ptrace.backend import PtraceBackend

    pid = os.fork()
    if not pid:
        signal.pause()
        os._exit(0)
    refused: list[TargetError] = []
    backend = PtraceBackend(Attach((pid,)), Selection(), refuse=refused.append)
    try:
        for _ in backend.events():
            backend.stop()
    except TargetError as error:
        refused.append(error)
    finally:
        backend.close()
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    if refused:
        return Finding(
            PTRACE,
            False,
            f"a child cannot be attached: {os.strerror(refused[0].errno)}",
            "grant CAP_SYS_PTRACE; in a container, --cap-add=SYS_PTRACE",
        )
    return Finding(PTRACE, True, "a child can be attached and let go")


def _unprivileged(root: Path) -> Finding:
    value = _read(root / "proc/sys/kernel/unprivileged_bpf_disabled")
    if value is None:
        return Finding("BPF", None, "no sysctl kernel.unprivileged_bpf_disabled")
    who = "everybody" if value == "0" else "those with CAP_BPF"
    return Finding("BPF", None, f"for {who} (kernel.unprivileged_bpf_disabled={value})")


def _btf(root: Path) -> Finding:
    path = root / "sys/kernel/btf/vmlinux"
    try:
        size = path.stat().st_size
    except OSError:
        return Finding(
            "BTF", False, f"{path} is missing", "use a kernel with CONFIG_DEBUG_INFO_BTF=y"
        )
    return Finding("BTF", True, f"{path}, {size // 1024} KiB")


def _bcc() -> Finding:
    from pytracer.backend.ebpf.compiler import find_library

    try:
        return Finding("BCC", True, str(find_library()))
    except BackendUnavailable as error:
        return Finding("BCC", False, error.reason, error.remedy)


def _capabilities(status: dict[str, str]) -> Finding:
    held = int(status.get("CapEff", "0"), 16)
    missing = [name for bit, name in _CAPABILITIES.items() if not held >> bit & 1]
    if not missing:
        return Finding("capabilities", True, ", ".join(_CAPABILITIES.values()))
    # CAP_SYS_ADMIN contains what CAP_BPF and CAP_PERFMON were split off from.
    enough = "SYS_ADMIN" not in missing or {"BPF", "PERFMON"}.isdisjoint(missing)
    return Finding(
        "capabilities",
        enough,
        "missing: " + ", ".join(missing),
        "" if enough else "run as root, or grant CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE",
    )


def _scope(root: Path) -> Finding:
    scope = _read(root / "proc/sys/kernel/yama/ptrace_scope")
    if scope is None:
        return Finding("ptrace scope", True, "no Yama: any process of the same user")
    good = scope == "0" or (scope in "12" and os.geteuid() == 0)
    remedy = "" if good else "sysctl kernel.yama.ptrace_scope=0, or run as root"
    return Finding("ptrace scope", good, f"{scope}: {_SCOPES.get(scope, '?')}", remedy)


def _seccomp(status: dict[str, str]) -> Finding:
    mode = status.get("Seccomp", "0")
    if mode == "0":
        return Finding("seccomp", True, "none")
    found = f"{_SECCOMP_MODES.get(mode, mode)}; it may forbid ptrace(2) and bpf(2)"
    return Finding(
        "seccomp", None, found, "in a container, --security-opt seccomp=unconfined if they fail"
    )


def _lockdown(root: Path) -> Finding:
    state = _read(root / "sys/kernel/security/lockdown")
    if state is None:
        return Finding("lockdown", True, "not built in, or securityfs is not mounted")
    chosen = state.partition("[")[2].partition("]")[0]
    good = chosen != "confidentiality"
    remedy = "" if good else "boot with lockdown=integrity; until then use --backend=ptrace"
    return Finding("lockdown", good, chosen or state, remedy)


def _namespace(status: dict[str, str]) -> Finding:
    nested = status.get("NSpid", "").split()
    if len(nested) > 1:
        return Finding("pid namespace", None, "a container's; pids are those seen in here")
    return Finding("pid namespace", None, "this process sees no outer one")


def _memory(root: Path) -> Finding:
    soft, _hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    limit = "unlimited" if soft == resource.RLIM_INFINITY else f"{soft // 1024} KiB"
    per_cpu = _read(root / "proc/sys/kernel/perf_event_mlock_kb") or "?"
    return Finding(
        "ring memory",
        None,
        f"RLIMIT_MEMLOCK {limit}, kernel.perf_event_mlock_kb {per_cpu} a CPU",
    )
