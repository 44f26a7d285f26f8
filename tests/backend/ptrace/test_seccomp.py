"""The filter program, run by an interpreter of our own."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pytracer.backend.ptrace import api
from pytracer.backend.ptrace.seccomp import Instruction, build, why_not
from pytracer.event.schema import Abi
from pytracer.target.selection import LISTED, Attach, Launch, Selection

ALLOW = 0x7FFF0000
TRACE = 0x7FF00000
NUMBERS = st.integers(0, 600)
SETS = st.frozensets(NUMBERS, max_size=40)


def run(program: list[Instruction], number: int, arch: int) -> int:
    """Run a classic BPF program over one struct seccomp_data."""
    data = {0: number & 0xFFFF_FFFF, 4: arch}
    accumulator = at = 0
    while True:
        code, yes, no, constant = program[at]
        at += 1
        match code:
            case 0x20:
                accumulator = data[constant]
            case 0x05:
                at += constant
            case 0x06:
                return constant
            case 0x15:
                at += yes if accumulator == constant else no
            case 0x25:
                at += yes if accumulator > constant else no
            case 0x35:
                at += yes if accumulator >= constant else no
            case 0x45:
                at += yes if accumulator & constant else no
            case _:
                raise AssertionError(f"{code:#x}")


@given(st.fixed_dictionaries(dict.fromkeys(Abi, SETS)), NUMBERS)
def test_exactly_what_is_wanted_stops(wanted: dict[Abi, frozenset[int]], number: int) -> None:
    program = build(wanted)
    for abi, arch, bits in (
        (Abi.X86_64, api.ARCH_X86_64, 0),
        (Abi.X32, api.ARCH_X86_64, api.X32_BIT),
        (Abi.I386, api.ARCH_I386, 0),
    ):
        expected = TRACE if number in wanted[abi] else ALLOW
        assert run(program, number | bits, arch) == expected
    assert run(program, number, 0xC00000B7) == ALLOW  # AUDIT_ARCH_AARCH64: not of this machine
    for unknown in (LISTED, 4711, -1):
        assert run(program, unknown, api.ARCH_X86_64) == TRACE


def test_it_is_refused_in_the_words_of_strace() -> None:
    launch = Launch(path=b"/bin/true", argv=(b"true",), env=())
    some = {Abi.X86_64: frozenset({1})}
    words = why_not(Attach((1,)), Selection(syscalls=some, follow=True))
    assert words == "--seccomp-bpf is not enabled for processes attached with -p"
    words = why_not(launch, Selection(syscalls=some))
    assert words == "--seccomp-bpf cannot be used without -f/--follow-forks, disabling"
    words = why_not(launch, Selection(follow=True))
    assert words is not None and words.startswith("Seccomp filter is requested but there are no")
    assert why_not(launch, Selection(syscalls=some, follow=True)) is None
