"""Plans in the kernel's form, and their cache."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from pytracer.backend.ebpf import wire
from pytracer.backend.ebpf.cache import Cache
from pytracer.backend.ebpf.image import plan_image
from pytracer.backend.ebpf.plan import (
    _CALL,
    _SHAPE,
    _SHAPE_KEY,
    _STEP,
    Compiler,
    NoPlans,
    compile_plans,
    select,
)
from pytracer.event.schema import Abi
from pytracer.spec.entry import Selector
from pytracer.spec.plan import AtOffset, AtRegister, Fetch, From, Length, Phase
from pytracer.target.selection import Selection

STRING = Fetch(AtRegister(1), Phase.ENTRY, Length(From.CONST, 4096), 4096, cstr=True)
BUFFER = Fetch(AtRegister(1), Phase.EXIT, Length(From.RETURN), 32)
STATUS = Fetch(AtRegister(2), Phase.EXIT, Length(From.CONST, 4), 4, always=True)
DATA = Fetch(AtOffset(0), Phase.ENTRY, Length(From.PARENT, 8, 1, 8), 32)
VECTORS = Fetch(
    AtRegister(1), Phase.ENTRY, Length(From.REGISTER, 2, 16), 512, False, False, (DATA,), 16, 64
)


class Plans:
    """openat, read, ioctl and writev of x86_64."""

    descriptors = False
    stacks = False

    def numbers(self, abi: Abi) -> Iterable[int]:
        return (257, 0, 16, 20) if abi is Abi.X86_64 else ()

    def selector(self, abi: Abi, nr: int) -> Selector | None:
        return Selector(1, 0xFFFFFFFF, (0x5401, 0x541B)) if nr == 16 else None

    def fetches(self, abi: Abi, nr: int, selected: int | None) -> tuple[Fetch, ...]:
        if nr == 16:
            return (STATUS,) if selected == 0x5401 else ()
        return {257: (STRING,), 0: (BUFFER, STATUS), 20: (VECTORS,)}[nr]


def steps(data: bytes) -> list[tuple[int, ...]]:
    """All steps, unpacked."""
    return list(_STEP.iter_unpack(data))


def test_each_phase_has_its_chain() -> None:
    image = compile_plans(Plans())
    _, _, entry, ok, failed, _ = _CALL.unpack_from(image.calls, 0)
    assert entry == 0 and ok and failed
    chain = steps(image.steps)
    following = chain[ok][6]
    assert chain[following][1] == 2 and chain[following][6] == 0
    assert chain[failed][1] == 2 and chain[failed][6] == 0


def test_what_lies_inside_is_a_child() -> None:
    compiler = Compiler()
    first = compiler.chain((VECTORS,), 8)
    flags, register, source, _, _, value, following, child, stride, elements, unit, limit, *_ = (
        steps(compiler.steps())[first]
    )
    assert (flags, register, following) == (0, 1, 0)
    assert (source, value, unit, limit) == (1, 2, 16, 512)
    assert (stride, elements) == (16, 64)
    inner = steps(compiler.steps())[child]
    assert inner[0] == 2  # its pointer is in the enclosing block
    assert (inner[2], inner[3], inner[5]) == (3, 8, 8)


def test_equal_chains_are_shared() -> None:
    compiler = Compiler()
    assert compiler.chain((STRING,), 8) == compiler.chain((STRING,), 8)
    assert compiler.chain((STRING,), 4) != compiler.chain((STRING,), 8)


def test_only_shapes_that_differ_are_listed() -> None:
    image = compile_plans(Plans())
    flags, register, *_, mask = _CALL.unpack_from(image.calls, 16 * _CALL.size)
    assert flags == wire.CALL_SELECTS and register == 1 and mask == 0xFFFFFFFF
    assert list(_SHAPE_KEY.iter_unpack(image.shape_keys)) == [(16, 0x5401)]
    assert len(image.shapes) == _SHAPE.size


def flags_of(data: bytes, abi: Abi, nr: int) -> int:
    """The flags of a call."""
    return data[(abi * wire.MAX_NR + nr) * _CALL.size]


def test_what_is_wanted_is_marked() -> None:
    calls = compile_plans(NoPlans()).calls
    everything = select(calls, Selection())
    assert all(flags_of(everything, abi, 0) & wire.CALL_WANTED for abi in Abi)
    only = select(calls, Selection(syscalls={Abi.X86_64: frozenset({0, 5000})}, succeeded=False))
    assert flags_of(only, Abi.X86_64, 0) == wire.CALL_WANTED | wire.CALL_DROP_OK
    assert not flags_of(only, Abi.X86_64, 1)
    assert not flags_of(only, Abi.I386, 0)
    # What no table knows is always wanted; the stack pointer is passed whether wanted or not.
    assert flags_of(only, Abi.I386, wire.MAX_NR - 1) & wire.CALL_WANTED
    assert flags_of(only, Abi.X86_64, 15) == wire.CALL_FRAME


def test_the_cache_tells_plans_apart(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    described = plan_image(Plans(), Selection(), cache)
    assert plan_image(NoPlans(), Selection(), cache) != described
    assert plan_image(Plans(), Selection(), cache) == described
    assert len(list((tmp_path / "cache").iterdir())) == 2
    plan_image(Plans(), Selection(string_bytes=7), cache)
    assert len(list((tmp_path / "cache").iterdir())) == 3


def test_netlink_sockets_have_a_limit_of_their_own() -> None:
    compiler = Compiler()
    first = compiler.chain((replace(STRING, netlink=65536), STRING), 8)
    laid = steps(compiler.steps())
    plain = laid[laid[first][6]]
    assert laid[first][-1] == 65536
    assert plain[-1] == plain[11] == STRING.limit


def test_a_length_may_be_bounded_by_the_result() -> None:
    compiler = Compiler()
    brought = replace(BUFFER, length=replace(BUFFER.length, brought=True))
    first = compiler.chain((brought,), 8)
    second = compiler.chain((BUFFER,), 8)
    laid = steps(compiler.steps())
    assert laid[first][0] & 32
    assert not laid[second][0] & 32
