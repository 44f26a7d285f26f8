"""Patterns of command names, against the shell's idea of them."""

from __future__ import annotations

import fnmatch
import itertools

import pytest

from pytracer.target.patterns import STATES, BadPattern, compile_patterns

NAMES = ["", "a", "b", "ab", "abc", "nginx", "nginx: worker", "kworker/0:1", "]", "-", "a-z", "été"]
PATTERNS = ["*", "a", "?", "a*", "*a", "a*c", "*b*", "nginx*", "[ab]", "[!a]*", "[a-c]?"]
PATTERNS += ["[]]", "[!]]", "[", "[a", "[a-]*", "kworker/[0-9]*", "**", "*?", "a**c"]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_one_pattern_means_what_it_means_to_the_shell(pattern: str) -> None:
    automaton = compile_patterns([pattern])
    for name in NAMES:
        # The shell counts characters, the kernel bytes.
        if name.isascii():
            assert automaton.fits(name.encode()) == fnmatch.fnmatchcase(name, pattern), name


def test_bytes_beyond_ascii_fit_themselves() -> None:
    assert compile_patterns(["ét*"]).fits("été".encode())
    assert not compile_patterns(["et*"]).fits("été".encode())


@pytest.mark.parametrize(
    "pair", list(itertools.combinations(["a*", "*b", "?", "nginx", "[!n]*"], 2))
)
def test_several_patterns_do_not_run_into_each_other(pair: tuple[str, str]) -> None:
    both = compile_patterns(pair)
    for name in filter(str.isascii, NAMES):
        fits = any(fnmatch.fnmatchcase(name, pattern) for pattern in pair)
        assert both.fits(name.encode()) == fits, name


def test_what_no_name_can_fit_is_refused() -> None:
    compile_patterns(["a" * 15, "*" + "b" * 15])
    with pytest.raises(BadPattern, match="at most 15 bytes"):
        compile_patterns(["a" * 16])
    with pytest.raises(BadPattern, match="empty"):
        compile_patterns([""])


def test_too_much_together_is_refused() -> None:
    compile_patterns(["a" * 15] * (STATES // 16))
    with pytest.raises(BadPattern, match="too long together"):
        compile_patterns(["a" * 15] * (STATES // 16) + ["b"])
