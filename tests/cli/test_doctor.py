"""--doctor, on this machine and on machines made of a few files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pytracer.cli import doctor
from pytracer.cli.doctor import EBPF, MEMORY, PTRACE, Finding, any_backend, render
from tests.cli.tracing import PYTRACER, run

SUBJECTS = (
    "kernel",
    EBPF,
    MEMORY,
    PTRACE,
    "BPF",
    "BTF",
    "BCC",
    "capabilities",
    "ptrace scope",
    "seccomp",
    "lockdown",
    "pid namespace",
    "ring memory",
    "tracefs",
)


def made(tmp_path: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


@pytest.mark.needs_ebpf
def test_here() -> None:
    ended = run(PYTRACER, "--doctor")
    assert ended.status == 0
    assert ended.err == ""
    for subject in SUBJECTS:
        assert f"\n{subject} " in f"\n{ended.out}", subject
    assert "ebpf backend    ok " in ended.out
    memory = re.search(r"^ebpf memory +- +(\d+) MiB .*; (\d+) MiB while", ended.out, re.MULTILINE)
    assert memory is not None and all(0 < int(size) < 1000 for size in memory.groups())
    assert "ptrace backend  ok " in ended.out


def test_a_machine_without_btf_and_with_yama(tmp_path: Path) -> None:
    root = made(
        tmp_path,
        {
            "proc/self/status": "CapEff:\t0000000000000000\nSeccomp:\t2\nNSpid:\t17\t1\n",
            "proc/sys/kernel/yama/ptrace_scope": "3\n",
            "sys/kernel/security/lockdown": "none integrity [confidentiality]\n",
        },
    )
    rows = {finding.subject: finding for finding in doctor.examine(root)}
    assert tuple(rows) == SUBJECTS
    for subject, remedy in (
        ("BTF", "CONFIG_DEBUG_INFO_BTF"),
        ("capabilities", "CAP_BPF"),
        ("ptrace scope", "ptrace_scope"),
        ("lockdown", "--backend=ptrace"),
    ):
        assert rows[subject].good is False, subject
        assert remedy in rows[subject].remedy
    assert "container" in rows["pid namespace"].found
    assert "filtered" in rows["seccomp"].found


def test_an_old_kernels_capabilities_are_enough(tmp_path: Path) -> None:
    root = made(tmp_path, {"proc/self/status": f"CapEff:\t{1 << 21 | 1 << 19:016x}\n"})
    rows = {finding.subject: finding for finding in doctor.examine(root)}
    assert rows["capabilities"].good


def test_one_backend_is_enough() -> None:
    works, fails = Finding(PTRACE, True, "yes"), Finding(EBPF, False, "no", "do this")
    assert any_backend([works, fails])
    assert not any_backend([fails, Finding("BTF", True, "yes")])
    assert render([works, fails]) == (
        "ptrace backend  ok  yes\nebpf backend    NO  no\n                    -> do this\n"
    )
