"""Values as JSON: what each looks like, that nothing is lost, that any tree is valid."""

from __future__ import annotations

import functools
import json
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytracer.output.ndjson.schema import schema
from pytracer.output.ndjson.shapes import VALUES
from pytracer.output.ndjson.values import MORE, ValueWriter
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
from pytracer.tables.index import INDEX
from tests.output.accounts import read

BIG = 2**64 - 1
SLOW = [HealthCheck.too_slow]  # on a busy machine

LOOKS: list[tuple[Value, Any]] = [
    (Integer(-7), -7),
    (Integer(BIG, Base.HEX), BIG),
    (Integer(0o644, Base.MODE), 420),
    (Address(0), None),
    (Address(BIG), "0xffffffffffffffff"),
    (Symbol(0, "SEEK_SET"), {"value": 0, "name": "SEEK_SET"}),
    (Symbol(99, None, "SEEK_???"), {"value": 99, "name": None}),
    (
        Flags(0x80241, ("O_WRONLY", "O_CREAT", "O_TRUNC", "O_CLOEXEC"), 0),
        {"value": 0x80241, "flags": ["O_WRONLY", "O_CREAT", "O_TRUNC", "O_CLOEXEC"]},
    ),
    (Flags(0, (), 0), {"value": 0, "flags": []}),
    (Flags(0x18, ("A",), 0x10), {"value": 0x18, "flags": ["A"], "rest": 0x10}),
    (
        Flags(0o100644, ("S_IFREG",), 0, "", Base.MODE, Integer(0o644, Base.MODE)),
        {"value": 0o100644, "flags": ["S_IFREG"], "rest": 0o644},
    ),
    (Text(b"/etc/passwd"), "/etc/passwd"),
    (Text(b""), ""),
    (Text("größer\n\0\x1b".encode()), "größer\n\0\x1b"),
    (Text(b"half", more=True), {"text": "half", "truncated": True}),
    (Text(b"\x7fELF\xff"), {"text": "\x7fELF�", "hex": "7f454c46ff"}),
    (Text(b"gr\xc3", more=True), {"text": "gr�", "hex": "6772c3", "truncated": True}),
    (Text(b"\0\x50", escaped=True), {"hex": "0050"}),
    (Text(b"\0\x50", escaped=True, more=True), {"hex": "0050", "truncated": True}),
    (Text(b"name\0", terminated=True), "name"),
    (Descriptor(3), {"fd": 3}),
    (Descriptor(-100, "AT_FDCWD"), {"fd": -100, "name": "AT_FDCWD"}),
    (Descriptor(3, None, Reference(b"/x")), {"fd": 3, "path": "/x"}),
    (
        Descriptor(3, None, Reference(b"/x\xff", deleted=True)),
        {"fd": 3, "path": {"text": "/x�", "hex": "2f78ff"}, "deleted": True},
    ),
    (
        Descriptor(3, None, Reference(b"/dev/null", device="char 1:3")),
        {"fd": 3, "path": "/dev/null", "device": "char 1:3"},
    ),
    (Descriptor(3, None, Reference(None, "socket:[7]")), {"fd": 3, "about": "socket:[7]"}),
    (ProcessId(7), {"pid": 7}),
    (ProcessId(7, "sh", 9), {"pid": 7, "comm": "sh", "translated": 9}),
    (ProcessId(7, "\udcff"), {"pid": 7, "comm": {"text": "�", "hex": "ff"}}),
    (Struct((("a", Integer(1)), ("b", Address(0)))), {"a": 1, "b": None}),
    (Struct((("a", Integer(1)),), 0x10, frozenset({"a"})), {"a": 1, MORE: True}),
    (Struct((("a", Integer(1)), ("", Phrase("...")))), {"a": 1, MORE: True}),
    (Struct((("a", Integer(1)), ("", Integer(2)))), {"a": 1, "_2": 2}),
    (Struct((("a", Integer(1)), ("a", Integer(2)))), {"a": 1, "a_": 2}),
    (
        Struct((("", Function("inet_pton", (Text(b"::1"),), title="sin6_addr")),)),
        {"sin6_addr": {"function": "inet_pton", "args": ["::1"]}},
    ),
    (Array((Integer(1), Text(b"x")), 0x10), [1, "x"]),
    (Array((Integer(1),), more=True), {"items": [1], "truncated": True}),
    (Array((Integer(1),), unreadable_at=0x20), {"items": [1], "unreadable_at": "0x20"}),
    (
        Array((), 0x10, note="3 vars", hidden=True),
        {"items": [], "note": "3 vars", "truncated": True},
    ),
    (Set(("INT",), numbers=(2,)), {"set": ["INT"], "numbers": [2]}),
    (Set(("INT",), True, numbers=(2,)), {"set": ["INT"], "numbers": [2], "inverted": True}),
    (Set(("0", "2", "...")), {"set": [0, 2], "truncated": True}),
    (Set(("3",), members=(Descriptor(3),)), {"set": [{"fd": 3}]}),
    (Changed(Integer(1), Integer(2)), {"before": 1, "after": 2}),
    (Became(Integer(2)), {"after": 2}),
    (Noted(Integer(2), "two"), {"value": 2, "note": "two"}),
    (Noted(Integer(BIG), "RLIM_INFINITY", instead=True), {"value": BIG, "name": "RLIM_INFINITY"}),
    (Noted(Integer(0), "", instead=True), 0),
    (Noted(Integer(2), "unnamed", only_raw=True), 2),
    (
        Function("htons", (Integer(80),), Text(b"\0\x50", escaped=True)),
        {"function": "htons", "args": [80], "raw": {"hex": "0050"}},
    ),
    (Phrase("Timeout"), {"phrase": "Timeout"}),
    (Phrase("@x", 7), {"phrase": "@x", "value": 7}),
    (
        Joined((Flags(0x100, ("CLONE_VM",), 0), Symbol(17, "SIGCHLD"))),
        {"value": 0x111, "flags": ["CLONE_VM", "SIGCHLD"]},
    ),
    (
        Joined((Symbol(1, "IPC_CREAT"), Integer(0o600, Base.MODE))),
        {"value": 0o601, "flags": ["IPC_CREAT"], "rest": 0o600},
    ),
    (
        Joined((Joined((Symbol(2, "B"), Integer(4)), "<<"), Symbol(1, "A"))),
        {"value": 0x21, "flags": ["B<<4", "A"]},
    ),
    (Joined((Flags(1, ("HIGH",), 0),), value=1 << 32), {"value": 1 << 32, "flags": ["HIGH"]}),
    (
        Joined((Phrase("left"), Struct((("tv_sec", Integer(1)),))), " "),
        {"left": {"tv_sec": 1}},
    ),
    (
        Joined(
            (
                Joined((Phrase("in"), Set(("3",))), " "),
                Joined((Phrase("left"), Struct((("tv_sec", Integer(1)),))), " "),
            ),
            ", ",
        ),
        {"in": {"set": [3]}, "left": {"tv_sec": 1}},
    ),
    (
        Joined((Phrase("/* bytes 8..9 */"), Text(b"ab", escaped=True)), " "),
        {"value": {"hex": "6162"}, "note": "bytes 8..9"},
    ),
    (
        Joined((Phrase("["), Symbol(0, "FIRST"), Phrase("]="), Integer(7)), ""),
        {"title": "FIRST", "value": 7},
    ),
    (
        Joined((Phrase("~["), Joined((Symbol(0, "A"), Symbol(9, None)), " "), Phrase("]")), ""),
        {"set": ["A", "9"], "numbers": [0, 9], "inverted": True},
    ),
    (Joined((Phrase("@"), Text(b"name")), ""), {"title": "@", "value": "name"}),
    (
        Joined((Integer(1), Symbol(2, "B")), "+"),
        {"parts": [1, {"value": 2, "name": "B"}], "separator": "+"},
    ),
    (Phrase("0x00ff", 255, Integer(255)), 255),
    (
        Phrase("O_RDWR|O_APPEND", 1026, Flags(1026, ("O_RDWR", "O_APPEND"), 0)),
        {"value": 1026, "flags": ["O_RDWR", "O_APPEND"]},
    ),
    (Titled("features", Integer(1)), {"title": "features", "value": 1}),
    (Unavailable(0x10, "unmapped"), {"address": "0x10", "unreadable": "unmapped"}),
]


@functools.cache
def validator(definition: str) -> Any:
    made = {"$ref": f"#/$defs/{definition}", "$defs": schema()["$defs"]}
    return jsonschema.Draft202012Validator(made)


def written(value: Value, writer: ValueWriter | None = None) -> Any:
    (found,) = read((writer or ValueWriter()).write(value) + "\n")
    return found


@pytest.mark.parametrize(("value", "looks"), LOOKS, ids=lambda x: type(x).__name__)
def test_looks(value: Value, looks: Any) -> None:
    assert written(value) == looks
    writer = ValueWriter()
    assert writer.write(value) == writer.write(value), "the second time it may be remembered"


@pytest.mark.parametrize(("value", "looks"), LOOKS, ids=lambda x: type(x).__name__)
def test_is_as_its_own_definition_says(value: Value, looks: Any) -> None:
    if isinstance(value, Joined) and value.separator == "|":
        name = "Flags"
    elif isinstance(value, Joined) and "parts" not in looks:
        name = "value"
    elif isinstance(value, Phrase) and value.meant is not None:
        name = type(value.meant).__name__
    elif isinstance(value, Noted) and (not value.note or value.only_raw):
        name = "value"
    else:
        name = type(value).__name__
    validator(name).validate(looks)


def test_every_kind_of_value_is_here() -> None:
    assert {type(value) for value, _ in LOOKS} == set(VALUES)


@pytest.mark.parametrize(
    "value", [Struct((), 0x10), Array((Integer(1),), 0x10), Set((), False, 0x10)]
)
def test_undecoded_is_an_address(value: Value) -> None:
    assert written(value, ValueWriter(undecoded=True)) == "0x10"


def test_whole_lacks_nothing() -> None:
    abbreviated = Struct((("a", Integer(1)),), 0x10, frozenset({"a"}))
    assert written(abbreviated, ValueWriter(whole=True)) == {"a": 1}
    hidden = Array((Integer(1),), 0x10, hidden=True)
    assert written(hidden, ValueWriter(whole=True)) == [1]


def test_no_field_is_called_as_the_mark() -> None:
    import importlib
    import pkgutil

    import pytracer.tables.structs as structs
    from pytracer.spec.aggregate import StructOf

    families = [f"pytracer.tables.{name}" for name in set(INDEX.values())]
    shapes = [
        f"{structs.__name__}.{found.name}" for found in pkgutil.iter_modules(structs.__path__)
    ]
    for name in families + shapes:
        for thing in vars(importlib.import_module(name)).values():
            if isinstance(thing, StructOf):
                assert MORE not in thing.fields


# Trees of all kinds

_numbers = st.integers(-(2**63), BIG)
_words = st.text(min_size=1, max_size=12)
_bytes = st.one_of(st.binary(max_size=24), st.text(max_size=12).map(str.encode))
_texts = st.builds(Text, _bytes, st.booleans(), escaped=st.booleans(), terminated=st.booleans())
_flags = st.builds(Flags, _numbers, st.lists(_words, max_size=3).map(tuple), _numbers)
_references = st.one_of(
    st.builds(Reference, _bytes, device=_words, deleted=st.booleans()),
    st.builds(Reference, st.none(), _words),
)
_descriptors = st.builds(Descriptor, _numbers, st.none() | _words, st.none() | _references)
_leaves = st.one_of(
    st.builds(Integer, _numbers, st.sampled_from(Base)),
    st.builds(Address, st.integers(0, BIG)),
    st.builds(Symbol, _numbers, st.none() | _words),
    _flags,
    _texts,
    _descriptors,
    st.builds(ProcessId, _numbers, st.none() | _words, st.none() | _numbers),
    st.builds(Set, st.lists(_words, max_size=3).map(tuple), st.booleans()),
    st.builds(Phrase, _words, st.none() | _numbers),
    st.builds(Unavailable, st.integers(1, BIG), _words),
)


def _branches(inner: st.SearchStrategy[Value]) -> st.SearchStrategy[Value]:
    several = st.lists(inner, max_size=4).map(tuple)
    names = st.sampled_from(["a", "b", "st_mode", "", "_more_or_less"])
    fields = st.lists(st.tuples(names, inner), max_size=4).map(tuple)
    return st.one_of(
        st.builds(Struct, fields, st.integers(0, BIG), st.none() | st.just(frozenset("a"))),
        st.builds(Array, several, st.integers(0, BIG), st.booleans(), st.integers(0, 9)),
        st.builds(Changed, inner, inner),
        st.builds(Became, inner),
        st.builds(Noted, inner, _words, st.booleans()),
        st.builds(Function, _words, several, st.none() | inner, st.just("") | _words),
        st.builds(Joined, several, st.sampled_from(["|", "<<", " "])),
        st.builds(Titled, _words, inner),
    )


@given(st.recursive(_leaves, _branches, max_leaves=12))
@settings(max_examples=200, deadline=None, suppress_health_check=SLOW)
def test_any_tree_is_one_valid_object(value: Value) -> None:
    writer = ValueWriter()
    found = written(value, writer)
    assert written(value, writer) == found
    assert validator("value").is_valid(found), json.dumps(found)


@given(_texts)
@settings(deadline=None, suppress_health_check=SLOW)
def test_no_byte_is_lost(value: Text) -> None:
    found = written(value)
    data = value.data
    if value.terminated and not value.escaped and data.endswith(b"\0"):
        data = data[:-1]
    if isinstance(found, str):
        assert found.encode() == data
    elif "hex" in found:
        assert bytes.fromhex(found["hex"]) == data
    else:
        assert found["text"].encode() == data


@given(st.lists(st.tuples(st.sampled_from("abc"), _leaves), max_size=6))
@settings(deadline=None, suppress_health_check=SLOW)
def test_no_argument_is_lost(values: list[tuple[str, Value]]) -> None:
    text = ValueWriter().arguments(list(dict(values).items()))
    (found,) = read(f"{{{text}}}\n")
    assert list(found) == list(dict(values))
