"""Hold what JSON tells of a run against its schema, and against the text of the same run."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

import jsonschema

from pytracer.output.ndjson.schema import schema
from pytracer.output.text.quote import quote, quote_inside
from tests.differential.lines import UNFINISHED, Line, name_of, split_log, stitch

Json: TypeAlias = Any

# Members whose words the schema lists: kept as they are, while other strings are as good as any.
_WORDS = {"type", "status", "abi", "by", "backend", "covers"}


_DEFS = {"$defs": schema()["$defs"]}


@functools.cache
def _validator() -> Any:
    jsonschema.Draft202012Validator.check_schema(schema())
    return jsonschema.Draft202012Validator(schema())


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    assert len(found) == len(pairs), f"a member occurs twice: {[name for name, _ in pairs]}"
    return found


def read(text: str) -> list[dict[str, Json]]:
    """Parse lines, strictly: ASCII, one object each, no member twice."""
    assert text.isascii()
    assert text.endswith("\n")
    return [json.loads(line, object_pairs_hook=_unique) for line in text.split("\n")[:-1]]


def _outline(value: Json, name: str = "") -> Json:
    """What matters to the schema: equal for objects that differ in numbers and words alone."""
    match value:
        case dict():
            return {name: _outline(inner, name) for name, inner in value.items()}
        case list():
            # Equal ones once, in a stable order.
            found = {json.dumps(_outline(inner)): None for inner in value}
            return [json.loads(inner) for inner in found]
        case str() if name in _WORDS:
            return value
        case str() if re.fullmatch("0x[0-9a-f]+", value):
            return "0x0"
        case str():
            return "" if re.fullmatch("[0-9a-f]*", value) else "?"
        case bool() | None:
            return value
        case int():
            return 1 if value > 0 else value and -1
    raise AssertionError(f"{value!r} is not JSON of ours")


def validate(objects: Iterable[dict[str, Json]]) -> None:
    """Validate objects and the values in them; those that look alike once."""
    for each in objects:
        whole = dict(each)
        if "args" in each:
            # One by one: there are far fewer looks of arguments than of calls.
            for value in each["args"].values():
                _valid("value", json.dumps(_outline(value)))
            whole["args"] = dict.fromkeys(each["args"])
        _valid("", json.dumps(_outline(whole)))


@functools.cache
def _valid(definition: str, look: str) -> None:
    validator = _validator()
    if definition:
        validator = validator.evolve(schema={"$ref": f"#/$defs/{definition}", **_DEFS})
    error = jsonschema.exceptions.best_match(validator.iter_errors(json.loads(look)))
    assert error is None, f"{look}\n{error}"


def calls_of(objects: Iterable[dict[str, Json]]) -> dict[int, list[dict[str, Json]]]:
    """Sort the calls by task."""
    found: dict[int, list[dict[str, Json]]] = {}
    for each in objects:
        if each["type"] == "syscall":
            found.setdefault(each["tid"], []).append(each)
    return found


def compare(text: str, objects: list[dict[str, Json]], whole: bool) -> int:
    """Compare with the text of ``-f -o FILE``; ``whole``: made with -v -N. Returns how many calls.

    Errors: AssertionError that shows the line and the object.
    """
    told = calls_of(objects)
    written = {
        tid: [line.text for line in stitch(lines) if _is_call(line)]
        for tid, lines in split_log(text).items()
    }
    count = 0
    for tid in told | written:
        lines, calls = written.get(tid, []), told.get(tid, [])
        for line, call in zip(lines, calls, strict=False):
            wrong = list(_differences(line, call, whole))
            assert not wrong, f"{'; '.join(wrong)}\n{line}\n{json.dumps(call)}"
        assert len(lines) == len(calls), f"{tid}: {len(lines)} lines, {len(calls)} objects"
        count += len(calls)
    return count


def _is_call(line: Line) -> bool:
    # A thread's execve is told of as the call of the first thread, whose id it gets.
    moved = " <pid changed to " in line.text or line.text.endswith(UNFINISHED)
    return not moved and not line.text.startswith(("---", "+++", "["))


def _differences(line: str, call: dict[str, Json], whole: bool) -> Iterator[str]:
    if name_of(line) != call["syscall"].removesuffix("#64"):
        yield f"the text says {name_of(line)}"
    if not any(re.search(rf"\) *= {re.escape(end)}(?![\w])", line) for end in _results(call)):
        yield f"the result is not {' or '.join(_results(call))}"
    if line.startswith("<... "):
        return
    for name, value in call["args"].items():
        if whole and not name.startswith("_") and f"{name}=" not in line:
            yield f"no argument is called {name}"
        for expected in _expected(value, whole):
            if not any(each in line for each in expected):
                yield f"{name} is not {' or '.join(expected)}"


def _results(call: dict[str, Json]) -> list[str]:
    ret = call["ret"]
    if ret is None:
        return [f"? {call['errno']}"] if "errno" in call else ["?"]
    if "errno_number" in call:
        error = call["errno"] or f"(errno {call['errno_number']})"
        return [f"{ret} {error}"]
    return _spellings(ret)


def _spellings(number: int) -> list[str]:
    return [str(number), hex(number), f"0{number:o}", f"{number:03o}", f"0{number:x}"]


def _expected(value: Json, whole: bool) -> Iterator[list[str]]:
    """What the text must have for a value: lists of spellings, one of which will do."""
    match value:
        case None:
            yield ["NULL"]
        case int():
            yield _spellings(value)
        case str():
            yield [f'"{quote(value.encode())}"', value]
        case list():
            for inner in value if whole else ():
                yield from _expected(inner, whole)
        case {"text": str(text)}:
            data = bytes.fromhex(value["hex"]) if "hex" in value else text.encode()
            yield [f'"{quote(data)}"{"..." if "truncated" in value else ""}']
        case {"fd": int(number), "path": path}:
            data = bytes.fromhex(path["hex"]) if isinstance(path, dict) else path.encode()
            yield [f"{value.get('name', number)}<{quote_inside(data)}"]
        case {"fd": int(number), "about": str(words)}:
            yield [f"{number}<{words}>"]
        case {"pid": int(number), "comm": str(comm)}:
            yield [f"{number}<{comm}>"]
        case {"flags": list(names)}:
            yield from ([name] for name in names)
        case {"name": str(name), "value": int()} | {"fd": int(), "name": str(name)}:
            yield [name]
        case {"name": None, "value": int(number)} | {"fd": int(number)} | {"pid": int(number)}:
            yield _spellings(number)
        case {"unreadable": _, "address": str(address)}:
            yield [address]
        case {"before": before, "after": after}:
            if whole:
                yield from _expected(before, whole)
                yield from _expected(after, whole)
        case {"phrase": str(text)}:
            yield [text]
        case {"hex": str(text)}:
            yield ["".join(f"\\x{byte:02x}" for byte in bytes.fromhex(text))]
