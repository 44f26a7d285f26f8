"""The house rules that a program can check."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
MODULES = sorted(
    path
    for package in ("pytracer", "exporters/pytracer_exporter")
    for path in (CHECKOUT / package).rglob("*.py")
)
NAMELESS = {"utils", "util", "helpers", "helper", "misc", "common"}
LONGEST = 400

# Data, not code: they grow with the kernel.
DATA = ("pytracer/tables/",)


def _name(path: Path) -> str:
    return str(path.relative_to(CHECKOUT))


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_module_says_what_it_is(path: Path) -> None:
    assert path.stem not in NAMELESS
    source = path.read_text()
    tree = ast.parse(source)
    assert not tree.body or ast.get_docstring(tree), "a module begins with its docstring"
    if not _name(path).startswith(DATA):
        length = source.count("\n")
        assert length <= LONGEST, f"{length} lines: look for the two things that it is"


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_module_catches_no_blind_exception(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ExceptHandler):
            caught = node.type
            names = caught.elts if isinstance(caught, ast.Tuple) else [caught]
            for name in names:
                assert name is not None, f"line {node.lineno}: a bare except"
                blind = isinstance(name, ast.Name) and name.id in ("Exception", "BaseException")
                reraised = any(
                    isinstance(inner, ast.Raise) and inner.exc is None for inner in ast.walk(node)
                )
                assert not blind or reraised, f"line {node.lineno}: except {ast.unparse(name)}"
