"""Values as strace writes them."""

from __future__ import annotations

import pytest

from pytracer.output.style import Quoting, Style, Xlats
from pytracer.output.text.render import Renderer, integer
from pytracer.spec.values import (
    Address,
    Array,
    Base,
    Became,
    Changed,
    Descriptor,
    Flags,
    Function,
    Integer,
    Joined,
    Noted,
    Phrase,
    ProcessId,
    Reference,
    Set,
    Struct,
    Symbol,
    Text,
    Titled,
    Unavailable,
    Value,
)

ABBREV, RAW, VERBOSE = (Style(xlats=x) for x in (Xlats.ABBREV, Xlats.RAW, Xlats.VERBOSE))


def write(value: Value, style: Style = ABBREV, **how: bool) -> str:
    return Renderer(style, **how).write(value)


@pytest.mark.parametrize(
    ("value", "base", "text"),
    [
        (-1, Base.DEC, "-1"),
        (0, Base.HEX, "0"),
        (31, Base.HEX, "0x1f"),
        (0, Base.OCT, "0"),
        (8, Base.OCT, "010"),
        (0, Base.MODE, "000"),
        (7, Base.MODE, "007"),
        (0o77, Base.MODE, "077"),
        (0o644, Base.MODE, "0644"),
    ],
)
def test_integers(value: int, base: Base, text: str) -> None:
    assert integer(value, base) == text


def test_addresses() -> None:
    assert write(Address(0)) == "NULL"
    assert write(Address(0x10)) == "0x10"
    assert write(Unavailable(0x10, "unmapped")) == "0x10"


SYMBOL = Symbol(2, "F_OFD")
STRANGE = Symbol(9, None, "F_???")
NAMELESS = Symbol(9, None)
FLAGS = Flags(0x83, ("O_RDWR", "O_X"), 0x80, "O_???")
NONE = Flags(0, (), 0, "O_???")
REST = Flags(0x80, (), 0x80, "O_???")


@pytest.mark.parametrize(
    ("value", "abbrev", "raw", "verbose"),
    [
        (SYMBOL, "F_OFD", "0x2", "0x2 /* F_OFD */"),
        (STRANGE, "0x9 /* F_??? */", "0x9", "0x9 /* F_??? */"),
        (NAMELESS, "0x9", "0x9", "0x9"),
        (FLAGS, "O_RDWR|O_X|0x80", "0x83", "0x83 /* O_RDWR|O_X|0x80 */"),
        (NONE, "0", "0", "0"),
        (REST, "0x80 /* O_??? */", "0x80", "0x80 /* O_??? */"),
        (Descriptor(-100, "AT_FDCWD"), "AT_FDCWD", "-100", "-100 /* AT_FDCWD */"),
        (
            Set(("INT", "RT_1"), False, 0, (2, 33)),
            "[INT RT_1]",
            "[2 33]",
            "[2 /* INT */ 33 /* RT_1 */]",
        ),
    ],
)
def test_constants(value: Value, abbrev: str, raw: str, verbose: str) -> None:
    # Twice, as shared values are written from memory the second time.
    for _ in range(2):
        assert [write(value, style) for style in (ABBREV, RAW, VERBOSE)] == [abbrev, raw, verbose]


def test_strings() -> None:
    assert write(Text(b"a\n")) == '"a\\n"'
    assert write(Text(b"a", more=True)) == '"a"...'
    assert write(Text(b"a", escaped=True)) == '"\\x61"'
    assert write(Text(b"a"), Style(quoting=Quoting.HEX_ALL)) == '"\\x61"'


def test_structures() -> None:
    fields: tuple[tuple[str, Value], ...] = (("a", Integer(1)), ("b", Integer(2)))
    assert write(Struct(fields)) == "{a=1, b=2}"
    assert write(Struct(fields, brief=frozenset("b"))) == "{b=2, ...}"
    assert write(Struct(fields, brief=frozenset("b")), brief=False) == "{a=1, b=2}"
    assert write(Struct(fields, 0x20), undecoded=True) == "0x20"
    assert write(Struct(fields, 0x20, frozenset())) == "0x20"
    assert write(Struct(fields, more=True)) == "{a=1, b=2, ...}"
    assert write(Struct((("", Integer(7)),))) == "{7}"
    assert write(Struct(())) == "{}"


def test_arrays() -> None:
    items = tuple(Integer(i) for i in range(3))
    assert write(Array(items)) == "[0, 1, 2]"
    assert write(Array(())) == "[]"
    assert write(Array(items, brief=2)) == "[0, 1, ...]"
    assert write(Array(items, brief=0)) == "[...]"
    assert write(Array(items, brief=2), brief=False) == "[0, 1, 2]"
    assert write(Array(items, more=True)) == "[0, 1, 2, ...]"
    assert write(Array(items, unreadable_at=0x30)) == "[0, 1, 2, ... /* 0x30 */]"
    assert write(Array(items, 0x20), undecoded=True) == "0x20"
    hidden = Array(items, 0x20, note="3 vars", hidden=True)
    assert write(hidden) == "0x20 /* 3 vars */"


def test_sets_and_pairs() -> None:
    assert write(Set(("INT", "TERM"), inverted=True)) == "~[INT TERM]"
    assert write(Set(())) == "[]"
    assert write(Changed(Integer(1), Integer(2))) == "1 => 2"
    assert write(Became(Integer(2))) == "=> 2"


def test_remarks_functions_and_phrases() -> None:
    assert write(Noted(Integer(1), "one")) == "1 /* one */"
    assert write(Noted(Integer(1), "one", instead=True)) == "one"
    assert write(Function("makedev", (Integer(8, Base.HEX), Integer(0, Base.HEX)))) == (
        "makedev(0x8, 0)"
    )
    assert write(Joined((Integer(1), Phrase("two")))) == "1|two"
    assert write(Titled("child_stack", Address(0))) == "child_stack=NULL"


def test_remarks_that_depend_on_how_constants_are_shown() -> None:
    def written(value: Value) -> list[str]:
        return [write(value, style) for style in (ABBREV, RAW, VERBOSE)]

    one = Integer(1, Base.HEX)
    assert written(Noted(one, "one")) == ["0x1 /* one */"] * 3
    assert written(Noted(one, "one", unless_raw=True)) == ["0x1 /* one */", "0x1", "0x1 /* one */"]
    assert written(Noted(one, "one", only_raw=True)) == ["0x1", "0x1 /* one */", "0x1"]
    named = Noted(one, "A+1", instead=True, verbose="0 /* A */+1")
    assert written(named) == ["A+1", "0x1", "0x1 /* 0 /* A */+1 */"]
    assert written(Phrase("one", unless_raw=True)) == ["one", "", "one"]
    assert written(Flags(0, (), 0, silent=True)) == [""] * 3
    assert written(Flags(0, ("NONE",), 0, silent=True)) == ["NONE", "", "0 /* NONE */"]
    assert written(Flags(0, (), 0)) == ["0"] * 3


def test_a_list_ends_where_there_is_no_more_room() -> None:
    symbols = tuple(Symbol(1, "A") for _ in range(3))
    assert write(Array(symbols, room=100)) == "[A, A, A]"
    # Each takes three characters with its separator.
    assert write(Array(symbols, room=10)) == "[A, A, A]"
    assert write(Array(symbols, room=9)) == "[A, A, ...]"
    assert write(Array(symbols, room=9), RAW) == "[0x1, ...]"
    assert write(Array(symbols, room=3)) == "[...]"


def test_a_result_is_not_explained_where_constants_are_raw() -> None:
    made = Function("IOPRIO_PRIO_VALUE", (Symbol(1, "IOPRIO_CLASS_RT"), Integer(4)))
    texts = [Renderer(style).remark(made) for style in (ABBREV, RAW, VERBOSE)]
    assert texts == [
        "IOPRIO_PRIO_VALUE(IOPRIO_CLASS_RT, 4)",
        "",
        "IOPRIO_PRIO_VALUE(0x1 /* IOPRIO_CLASS_RT */, 4)",
    ]


def test_what_is_left_undecoded() -> None:
    plain = Renderer(ABBREV)
    renderer = Renderer(ABBREV, undecoded=True)
    one = Struct((("a", Integer(1)),), 0x20)
    assert renderer.write(Changed(one, Struct((("a", Integer(2)),), 0x20))) == "0x20"
    assert renderer.write(Changed(one, Address(0x20))) == "0x20"
    assert renderer.write(Changed(Integer(1), Integer(2))) == "1 => 2"
    left = Joined((Phrase("left"), one), " ", decoded=True)
    assert (plain.remark(left), renderer.remark(left)) == ("left {a=1}", "")
    assert renderer.remark(Joined((Phrase("left"), one), " ")) == "left 0x20"


def test_processes() -> None:
    assert write(ProcessId(5)) == "5"
    assert write(ProcessId(5, "ls")) == "5<ls>"


@pytest.mark.parametrize(
    ("about", "text"),
    [
        (None, "3"),
        (Reference(b"/tmp/a<b"), "3</tmp/a\\74b>"),
        (Reference(b"/tmp/a", deleted=True), "3</tmp/a>(deleted)"),
        (Reference(b"/dev/null", device="char 1:3"), "3</dev/null<char 1:3>>"),
        (Reference(None, "TCP:[1]"), "3<TCP:[1]>"),
    ],
)
def test_descriptors(about: Reference | None, text: str) -> None:
    assert write(Descriptor(3, None, about)) == text


def test_what_a_descriptor_refers_to_is_not_remembered() -> None:
    renderer = Renderer(ABBREV)
    one, two = (Descriptor(3, None, Reference(path)) for path in (b"/a", b"/b"))
    assert [renderer.write(one), renderer.write(two)] == ["3</a>", "3</b>"]
