"""The schema that is handed out is the one that the code follows."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest

from pytracer.output.ndjson.schema import schema, write
from pytracer.output.ndjson.shapes import LINES, VALUES
from tools.gen_schema import TARGET

DOCS = Path(__file__).resolve().parents[2] / "docs/json.md"
_EXAMPLE = re.compile(r"^```json\n(.*?)^```", re.MULTILINE | re.DOTALL)


def test_the_committed_schema_is_generated() -> None:
    assert TARGET.read_text() == write(), "run python -m tools.gen_schema"


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("name", LINES)
def test_every_type_of_object_is_documented(name: str) -> None:
    assert f"`{name}`" in DOCS.read_text()


def test_examples_of_the_documentation_are_valid() -> None:
    examples = "".join(_EXAMPLE.findall(DOCS.read_text())).splitlines()
    assert len(examples) >= 3
    for line in examples:
        jsonschema.Draft202012Validator(schema()).validate(json.loads(line))


def test_every_kind_of_value_has_a_definition() -> None:
    assert {cls.__name__ for cls in VALUES} <= set(schema()["$defs"])
