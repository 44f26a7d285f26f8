"""getopt_long's grammar over strace's options."""

from __future__ import annotations

import pytest

from pytracer.cli.grammar import LONG, OWN, SHORT, Given, Words
from pytracer.cli.messages import Failure


def read(*words: str) -> tuple[list[Given], list[str]]:
    line = Words(words)
    return list(line.options()), line.rest


def test_options_end_at_the_program() -> None:
    given, rest = read("-f", "-s", "7", "ls", "-l", "--", "-p", "1")
    assert given == [Given("f", "-f", None), Given("s", "-s", "7")]
    assert rest == ["ls", "-l", "--", "-p", "1"]


@pytest.mark.parametrize(
    ("words", "rest"),
    [
        (["--", "-f"], ["-f"]),
        (["-", "-f"], ["-", "-f"]),
        (["-f", "--"], []),
        ([], []),
    ],
)
def test_what_is_no_option(words: list[str], rest: list[str]) -> None:
    assert read(*words)[1] == rest


def test_letters_cluster() -> None:
    given, rest = read("-fttTo", "log", "true")
    assert [each.key for each in given] == ["f", "t", "t", "T", "o"]
    assert given[-1].value == "log"
    assert rest == ["true"]


def test_an_argument_may_be_attached() -> None:
    assert read("-s7", "-otrace.log")[0] == [
        Given("s", "-s", "7"),
        Given("o", "-o", "trace.log"),
    ]


def test_an_argument_may_look_like_an_option() -> None:
    assert read("-o", "-f")[0] == [Given("o", "-o", "-f")]
    assert read("--output", "--", "x") == ([Given("o", "--output", "--")], ["x"])


def test_an_optional_argument_needs_its_equals_sign() -> None:
    assert read("--quiet", "attach") == ([Given("quiet", "--quiet", None)], ["attach"])
    assert read("--quiet=attach") == ([Given("quiet", "--quiet", "attach")], [])
    assert read("--quiet=") == ([Given("quiet", "--quiet", "")], [])


@pytest.mark.parametrize(
    ("word", "key"),
    [
        ("--foll", "follow-forks"),
        ("--str=3", "strings-in-hex"),
        ("--string-l=3", "s"),
        ("--daemonis", "daemonize"),
        ("--daemoni", "daemonize"),
        ("--sil", "quiet"),
        ("--fai", "Z"),
        ("--trace=x", "trace"),
        ("--summary", "C"),
        ("--env=a", "E"),
        ("--dur=3", "duration"),
        ("--backend=ptrace", "backend"),
        ("--signal=x", "signal"),
    ],
)
def test_long_names_may_be_shortened(word: str, key: str) -> None:
    if word == "--str=3":
        with pytest.raises(Failure, match="ambiguous"):
            read(word)
        return
    assert read(word)[0][0].key == key


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-J"], "invalid option -- 'J'"),
        (["-fJf"], "invalid option -- 'J'"),
        (["-o"], "option requires an argument -- 'o'"),
        (["-fo"], "option requires an argument -- 'o'"),
        (["--trace"], "option '--trace' requires an argument"),
        (["--attac"], "option '--attach' requires an argument"),
        (["--follow-forks=1"], "option '--follow-forks' doesn't allow an argument"),
        (["--nonesuch=1"], "unrecognized option '--nonesuch=1'"),
        (
            ["--fo=1", "--f"],
            "option '--follow-forks' doesn't allow an argument",
        ),
        (
            ["--tr=1"],
            "option '--tr=1' is ambiguous; possibilities: '--trace-path' '--trace' '--trace-fds'",
        ),
    ],
)
def test_errors_are_worded_as_getopt_long_words_them(words: list[str], message: str) -> None:
    with pytest.raises(Failure) as caught:
        read(*words)
    assert caught.value.text == message
    assert caught.value.hint


def test_our_own_names_do_not_change_straces_abbreviations() -> None:
    # --explain would make --e, which strace takes for --env, ambiguous.
    assert read("--e=A=1")[0] == [Given("E", "--env", "A=1")]


def test_every_long_name_is_there_once() -> None:
    names = [option.name for option in (*LONG, *OWN)]
    assert len(names) == len(set(names))


def test_letters_of_long_options_take_what_their_short_forms_take() -> None:
    for option in LONG:
        if option.key in SHORT and option.key not in "rT":  # -r and -T take no argument
            assert option.takes is SHORT[option.key], option
