"""Programs are checked by the kernel in threads: what comes of it is told in one place."""

from __future__ import annotations

import os
import signal
import struct
from collections.abc import Iterator
from threading import Thread

import pytest

from pytracer.backend.base import BackendUnavailable
from pytracer.backend.ebpf.compiler import Compiled, MapShape, Program
from pytracer.backend.ebpf.loader import begin, load

pytestmark = [pytest.mark.needs_root, pytest.mark.needs_ebpf]

_MOV_0 = struct.pack("<BBhi", 0xB7, 0, 0, 0)
_EXIT = struct.pack("<BBhi", 0x95, 0, 0, 0)
_GOOD = _MOV_0 + _EXIT
_LONG = _MOV_0 * 3000 + _EXIT
_BAD = _EXIT  # its result is never set
_ARRAY = MapShape("numbers", 2, 4, 8, 1, 0)


def _source(*codes: bytes) -> Compiled:
    return Compiled((_ARRAY,), tuple(Program(f"p{i}", c, ()) for i, c in enumerate(codes)))


@pytest.fixture(autouse=True)
def nothing_stays_open() -> Iterator[None]:
    before = os.listdir("/proc/self/fd")
    yield
    assert os.listdir("/proc/self/fd") == before


def test_programs_keep_their_order_whatever_takes_longest() -> None:
    loaded = load(_source(_GOOD, _LONG, _GOOD), {})
    try:
        assert list(loaded.programs) == ["p0", "p1", "p2"]
        assert len({*loaded.programs.values(), loaded.maps["numbers"].fd}) == 4
    finally:
        loaded.close()


@pytest.mark.parametrize("codes", [(_BAD, _LONG), (_LONG, _BAD, _GOOD), (_GOOD, _LONG, _BAD)])
def test_a_refusal_is_told_with_the_kernel_s_words(codes: tuple[bytes, ...]) -> None:
    with pytest.raises(BackendUnavailable, match=r"refuses the BPF program p\d.*R0 !read_ok"):
        load(_source(*codes), {})


def test_what_was_begun_can_be_given_up() -> None:
    loading = begin(_source(_GOOD, _LONG), {})
    loading.close()
    loading.close()


def test_without_threads_programs_are_loaded_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(Thread, "start", refuse)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    loading = begin(_source(_GOOD, _LONG), {})
    loaded = loading.finish()
    assert list(loaded.programs) == ["p0", "p1"]
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before
    loaded.close()
