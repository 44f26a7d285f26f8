"""Numbers and argument counts of system calls equal the headers', and the running kernel's."""

from __future__ import annotations

import importlib
import shutil
from pathlib import Path

import pytest

from tools import gen_numbers
from tools.btf import functions

BTF = Path("/sys/kernel/btf/vmlinux")
needs_compiler = pytest.mark.skipif(
    shutil.which("gcc") is None or not Path("/usr/include/linux/fcntl.h").exists(),
    reason="needs gcc and the kernel's headers",
)


def numbers(abi: str) -> dict[int, tuple[str, int]]:
    table: dict[int, tuple[str, int]] = importlib.import_module(
        f"pytracer.tables.numbers.{abi}"
    ).NUMBERS
    return table


@needs_compiler
def test_committed_modules_equal_generated() -> None:
    for path, text in gen_numbers.generate().items():
        assert path.read_text() == text, "run python -m tools.gen_numbers"


@needs_compiler
@pytest.mark.parametrize("abi", gen_numbers.ABIS)
def test_numbers_equal_the_headers(abi: str) -> None:
    table = numbers(abi)
    for name, number in gen_numbers.header_numbers(abi).items():
        if name not in gen_numbers.load()["unnamed"]:
            assert table[number][0] == name


@pytest.mark.parametrize("abi", gen_numbers.ABIS)
def test_names_are_unique_and_counts_fit(abi: str) -> None:
    table = numbers(abi)
    assert len({name for name, _ in table.values()}) == len(table)
    assert all(0 <= count <= 6 for _, count in table.values())
    assert list(table) == sorted(table)


def test_tables_reach_the_newest_call() -> None:
    for abi in gen_numbers.ABIS:
        assert [numbers(abi)[n][0] for n in (451, 471)] == ["cachestat", "rseq_slice_yield"]
    assert numbers("x86_64")[335] == ("uretprobe", 0)
    assert 336 not in numbers("x86_64")
    assert numbers("x32")[13] == ("rt_sigaction#64", 4)
    assert numbers("x32")[512] == ("rt_sigaction", 4)


@pytest.mark.skipif(not BTF.exists(), reason="this kernel has no BTF")
def test_counts_equal_the_running_kernel() -> None:
    """BTF keeps the typed body of a call, __do_sys_NAME, where the compiler did not inline it."""
    parameters = functions(BTF.read_bytes(), "__do_sys_")
    if not parameters:
        pytest.skip("every system call's body is inlined in this kernel")
    bodies = {"stat": "newstat", "lstat": "newlstat", "fstat": "newfstat", "uname": "newuname"}
    bodies |= {"sendfile": "sendfile64", "umount2": "umount"}
    # Printed without the high half of the offset: tools/syscalls.toml.
    odd = {"preadv", "pwritev"}
    compared = 0
    for name, count in numbers("x86_64").values():
        body = bodies.get(name, name)
        # SYSCALL_DEFINE0 gives its body one parameter that nobody uses.
        if body in parameters and count and name not in odd:
            assert parameters[body] == count, name
            compared += 1
    assert compared > 20
