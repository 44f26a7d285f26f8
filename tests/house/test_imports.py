"""Imports run one way: along the data, from the target to the output."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
PACKAGE = CHECKOUT / "pytracer"
MODULES = sorted(PACKAGE.rglob("*.py"))

# Which of our modules a stage may import, itself and the package's __init__ aside.
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "event": (),
    # Types read the target through the Memory protocol, and know of no event.
    "spec": ("event.memory",),
    "tables": ("spec",),
    "target": ("event",),
    "decode": ("event", "spec", "tables"),
    "output": ("event", "spec", "decode"),
    "backend": ("event", "spec", "target"),
    "cli": ("event", "spec", "tables", "target", "decode", "output", "backend"),
}

# Of what is outside of the package: nothing in it imports them.
EXPORTER = CHECKOUT / "exporters" / "pytracer_exporter"
EXPORTER_MODULES = sorted(EXPORTER.rglob("*.py"))
EXPORTER_MAY_IMPORT = ("event", "spec", "tables", "target", "decode", "backend")
EXPORTER_THIRD_PARTY = ("prometheus_client", "typer", "click", "h11", "yaml", "bcrypt")

THIRD_PARTY: dict[str, tuple[str, ...]] = {
    "decode": ("elftools",),
    "cli": ("typer", "click", "rich"),
    "backend": ("bcc",),
}


def _imported(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                yield node.lineno, "." * node.level + (node.module or "")
            elif node.module == "pytracer":
                for alias in node.names:
                    yield node.lineno, f"pytracer.{alias.name}"
            elif node.module:
                yield node.lineno, node.module


def _stage(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return parts[0] if len(parts) > 1 else ""


def _allowed(stage: str, module: str) -> bool:
    if module in ("pytracer", "pytracer.__version__"):
        return True
    below = module.removeprefix("pytracer.")
    return any(
        below == name or below.startswith(f"{name}.") for name in (stage, *MAY_IMPORT[stage])
    )


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_imports_only_what_comes_before(path: Path) -> None:
    stage = _stage(path)
    assert not stage or stage in MAY_IMPORT, f"{stage} is no stage of the design"
    wrong = []
    for line, module in _imported(path):
        top = module.partition(".")[0]
        if module.startswith("."):
            wrong.append(f"line {line}: {module} is relative")
        elif top == "pytracer":
            if stage and not _allowed(stage, module):
                wrong.append(f"line {line}: {stage} must not import {module}")
        elif top not in sys.stdlib_module_names and top not in THIRD_PARTY.get(stage, ()):
            wrong.append(f"line {line}: {stage or 'the package'} must not import {module}")
    assert not wrong, "\n".join(wrong)


def test_every_stage_is_there() -> None:
    assert {_stage(path) for path in MODULES} - {""} == set(MAY_IMPORT)


@pytest.mark.parametrize("path", EXPORTER_MODULES, ids=lambda path: path.name)
def test_the_exporter_imports_stages_alone(path: Path) -> None:
    wrong = []
    for line, module in _imported(path):
        top = module.partition(".")[0]
        if module.startswith("."):
            wrong.append(f"line {line}: {module} is relative")
        elif top == "pytracer":
            _, _, below = module.partition(".")
            stage = below.partition(".")[0]
            if stage not in ("", "__version__", *EXPORTER_MAY_IMPORT):
                wrong.append(f"line {line}: an exporter must not import {module}")
        elif top not in ("pytracer_exporter", *sys.stdlib_module_names, *EXPORTER_THIRD_PARTY):
            wrong.append(f"line {line}: an exporter must not import {module}")
    assert not wrong, "\n".join(wrong)
