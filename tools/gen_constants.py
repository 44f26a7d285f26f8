"""Generate ``pytracer/tables/constants/*.py`` from kernel headers.

``python -m tools.gen_constants`` writes every module described in
``tools/constants/*.toml``; ``--check`` only compares; ``--newer FOLDER...``
first records what a newer tree of headers knows and the installed one does not.
See tools/README.md.
"""

from __future__ import annotations

import argparse
import math
import re
import sys
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.probe import SYSTEM, Tree, names_defined, preamble, read_known

ROOT = Path(__file__).resolve().parent.parent
INPUT = ROOT / "tools" / "constants"
NEWER = ROOT / "tools" / "newer.toml"
OUTPUT = ROOT / "pytracer" / "tables" / "constants"
VERSION_HEADER = Path("/usr/include/linux/version.h")
WIDTH = 100


class InputError(Exception):
    """A description that cannot be turned into a table, in one line."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table as described; see tools/README.md for what each key means."""

    name: str
    headers: tuple[str, ...]
    unknown: str = ""
    names: tuple[str, ...] = ()
    match: str = ""
    drop: frozenset[str] = frozenset()
    values: Mapping[str, int] = field(default_factory=dict)
    source: str = ""
    unsigned: int = 0
    strip: str = ""
    bits: tuple[int, ...] = ()
    within: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Module:
    """One generated module: a one-line summary and its tables."""

    name: str
    summary: str
    tables: tuple[Table, ...]


def load(path: Path) -> Module:
    """Read one description.

    Errors: InputError naming the file, the table and the key.
    """
    try:
        data: dict[str, Any] = tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path.name}: {error}") from error
    summary = data.pop("summary")
    headers = data.pop("headers", [])
    tables = []
    for name, body in data.items():
        allowed = {
            "headers",
            "also",
            "unknown",
            "names",
            "match",
            "drop",
            "values",
            "source",
            "unsigned",
            "strip",
            "bits",
            "within",
        }
        if extra := set(body) - allowed:
            raise InputError(f"{path.name}: {name}: unknown key {sorted(extra)[0]}")
        if "values" in body and "source" not in body:
            raise InputError(f"{path.name}: {name}: values need a source")
        tables.append(
            Table(
                name=name,
                headers=tuple(body.get("headers", headers)) + tuple(body.get("also", ())),
                unknown=body.get("unknown", ""),
                names=tuple(body.get("names", "").split()),
                match=body.get("match", ""),
                drop=frozenset(body.get("drop", "").split()),
                values=body.get("values", {}),
                source=body.get("source", ""),
                unsigned=body.get("unsigned", 0),
                strip=body.get("strip", ""),
                bits=tuple(body.get("bits", ())),
                within=tuple(body.get("within", ())),
            )
        )
    return Module(path.stem, summary, tuple(tables))


class Facts:
    """What one tree of headers says; each set of headers is looked at once."""

    def __init__(self, tree: Tree = SYSTEM) -> None:
        self._tree = tree
        self._defined: dict[tuple[str, ...], dict[str, str]] = {}
        self._values: dict[tuple[str, ...], dict[str, int]] = {}
        self._tried: dict[tuple[str, ...], set[str]] = {}

    def names(self, table: Table) -> list[str]:
        """Give the names that a table asks for, in header order."""
        wanted = [name for name in table.names if name not in table.values]
        if table.match:
            pattern = re.compile(table.match)
            listed = set(table.names) | table.drop | set(table.values)
            wanted += [
                name
                for name in self._scan(table)
                if name not in listed and not name.endswith("_MAX") and pattern.fullmatch(name)
            ]
        return wanted

    def _scan(self, table: Table) -> dict[str, str]:
        if table.headers not in self._defined:
            headers = preamble(self._present(table.headers))
            self._defined[table.headers] = names_defined(headers, tree=self._tree)
        return self._defined[table.headers]

    def values(self, tables: Iterable[Table]) -> dict[str, dict[str, int]]:
        """Give each table's values by name; what these headers lack is left out."""
        batches: dict[tuple[str, ...], list[str]] = {}
        wanted = {table.name: self.names(table) for table in tables}
        for table in tables:
            batches.setdefault(table.headers, []).extend(wanted[table.name])
        for headers, names in batches.items():
            new = dict.fromkeys(n for n in names if n not in self._tried.get(headers, ()))
            if new:
                source = preamble(self._present(headers))
                known = read_known(source, new, tree=self._tree)
                self._values.setdefault(headers, {}).update(known)
                self._tried.setdefault(headers, set()).update(new)
        return {
            table.name: {
                name: self._values[table.headers][name]
                for name in wanted[table.name]
                if name in self._values[table.headers]
            }
            for table in tables
        }

    def _present(self, headers: Iterable[str]) -> list[str]:
        # A header younger than this tree is the newer facts' business.
        return [
            f"#if __has_include(<{h}>)\n#include <{h}>\n#endif" if h.endswith(".h") else h
            for h in headers
        ]


def made_from_these_headers() -> bool:
    """Tell whether the installed headers are the release that the tables are made from."""
    if not VERSION_HEADER.exists():
        return False
    found = re.search(r"LINUX_VERSION_CODE (\d+)", VERSION_HEADER.read_text())
    return found is not None and int(found[1]) >> 8 == 6 << 8 | 1


def load_newer() -> dict[str, dict[str, int]]:
    """Read what headers newer than the installed ones know, by ``module.TABLE``."""
    if not NEWER.exists():
        return {}
    with NEWER.open("rb") as file:
        data = tomllib.load(file)
    return {
        f"{module}.{table}": values
        for module, tables in data.items()
        if isinstance(tables, dict)
        for table, values in tables.items()
    }


def entries_of(
    table: Table, system: Mapping[str, int], newer: Mapping[str, int], where: str
) -> list[tuple[int, str]]:
    """Put a table's names and values in their order.

    Names that are listed keep the listed order; the others follow by value, then by name, so
    that the result does not depend on which headers knew them.

    Errors: InputError when a listed name has no value anywhere.
    """
    values = {**system, **newer, **table.values}
    if table.unsigned:
        mask = (1 << table.unsigned) - 1
        values = {name: value & mask for name, value in values.items()}
    missing = [name for name in table.names if name not in values]
    if missing:
        raise InputError(f"{where}: no header defines {' '.join(missing)}")
    low, high = table.within or (-math.inf, math.inf)
    rest = sorted((v, n) for n, v in values.items() if n not in table.names and low <= v < high)
    entries = [(values[name], name) for name in table.names] + rest
    if table.bits:
        low, high = table.bits
        entries = [(1 << (v - low), f"1<<{name}") for v, name in entries if low <= v < high]
    return entries


def _number(value: int) -> str:
    # As ruff formats it, so that nobody who formats the tree changes a generated file.
    return f"0x{value:X}" if value > 9 else str(value)


def render(module: Module, tables: Mapping[str, list[tuple[int, str]]]) -> str:
    """Write one module's source."""
    plain: dict[str, int] = {}
    clashes: set[str] = set()
    for table in module.tables:
        for value, name in tables[table.name]:
            if not name.isidentifier():
                continue
            if plain.setdefault(name, value) != value:
                clashes.add(name)
    clashes.update(table.name for table in module.tables if table.name in plain)
    if clashes:
        raise InputError(f"{module.name}: two meanings for {' '.join(sorted(clashes))}")
    lines = [
        f'"""{module.summary}',
        "",
        f"Generated by tools/gen_constants.py from tools/constants/{module.name}.toml.",
        '"""',
        "",
    ]
    xlats = [table for table in module.tables if not table.name.startswith("_")]
    if xlats:
        lines += ["from pytracer.spec.xlat import Xlat", ""]
    lines += [f"{name} = {_number(value)}" for name, value in plain.items()]
    for table in xlats:
        lines.append("")
        if table.source:
            lines.append(f"# Source of what no header has: {table.source}")
        lines.append(f"{table.name} = Xlat(")
        lines.append(f'    "{table.unknown}",')
        body = [
            f'({_number(value)}, "{name.removeprefix(table.strip)}")'
            for value, name in tables[table.name]
        ]
        one = "    (" + ", ".join(body) + ("," if len(body) == 1 else "") + "),"
        if len(one) <= WIDTH:
            lines.append(one)
        else:
            lines += ["    (", *(f"        {item}," for item in body), "    ),"]
        lines.append(")")
    return "\n".join(lines) + "\n"


def generate(names: Iterable[str] = (), facts: Facts | None = None) -> dict[Path, str]:
    """Give the text of each module, by the path that it belongs to."""
    chosen = set(names)
    newer = load_newer()
    result: dict[Path, str] = {}
    facts = facts or Facts()
    for path in sorted(INPUT.glob("*.toml")):
        if chosen and path.stem not in chosen:
            continue
        module = load(path)
        system = facts.values(module.tables)
        tables = {}
        for table in module.tables:
            where = f"{module.name}.{table.name}"
            tables[table.name] = entries_of(table, system[table.name], newer.get(where, {}), where)
        result[OUTPUT / f"{module.name}.py"] = render(module, tables)
    return result


def record_newer(folders: Iterable[Path], title: str) -> str:
    """Write tools/newer.toml: what these headers know and the installed ones do not."""
    old, new = Facts(), Facts(Tree(tuple(folders)))
    lines = [
        f"# What {title} knows, and Linux 6.1's headers do not know or know otherwise.",
        "# Written by `python -m tools.gen_constants --newer`; see tools/README.md.",
    ]
    for path in sorted(INPUT.glob("*.toml")):
        module = load(path)
        before, after = old.values(module.tables), new.values(module.tables)
        for table in module.tables:
            values = {
                name: value
                for name, value in after[table.name].items()
                if before[table.name].get(name) != value
            }
            if values:
                lines += ["", f"[{module.name}.{table.name}]"]
                lines += [
                    f"{name} = {_number(value)}"
                    for name, value in sorted(values.items(), key=lambda item: (item[1], item[0]))
                ]
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Write, or with ``--check`` compare, the generated modules."""
    parser = argparse.ArgumentParser(prog="gen_constants", description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="*", help="modules to make; all when none is named")
    parser.add_argument("--check", action="store_true", help="write nothing, fail on a difference")
    parser.add_argument(
        "--newer",
        nargs="+",
        type=Path,
        metavar="FOLDER",
        help="include folders of a newer kernel's headers to record first",
    )
    parser.add_argument("--title", default="Linux 7.2", help="what the newer tree is")
    options = parser.parse_args(arguments)
    try:
        if options.newer:
            NEWER.write_text(record_newer(options.newer, options.title))
        made = generate(options.modules)
    except InputError as error:
        print(f"gen_constants: {error}", file=sys.stderr)
        return 1
    stale = [path for path, text in made.items() if not path.exists() or path.read_text() != text]
    for path in stale:
        print(f"{'differs' if options.check else 'writes'}: {path.relative_to(ROOT)}")
        if not options.check:
            path.write_text(made[path])
    return 1 if options.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
