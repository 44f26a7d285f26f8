"""Ask the C compiler for facts: names that headers define, values, layouts.

Nothing that is compiled here is ever run: values are put into a section of an
object file and read from there, so every ABI works that gcc has headers for.
"""

from __future__ import annotations

import re
import struct
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ABI_FLAGS: dict[str, tuple[str, ...]] = {
    "x86_64": ("-m64",),
    "i386": ("-m32",),
    "x32": ("-mx32",),
}
_COMPILE_SECONDS = 120
_BASE = ("-D_GNU_SOURCE", "-w")
_ERROR_LINE = re.compile(r"^[^\n:]*probe\.c:(\d+):(?:\d+:)? error: (.*)$", re.M)
_MACRO = re.compile(r"^#define ([A-Za-z_]\w*)(?: (.*))?$")
_ENUM = re.compile(r"\benum\b[^{};()]*\{([^{}]*)\}")
_ENUMERATOR = re.compile(r"\s*([A-Za-z_]\w*)")


class ProbeError(Exception):
    """The compiler refused the headers or an expression.

    Attributes: ``expressions`` that it refused, by name; empty when the headers
    themselves do not compile; ``output`` is what the compiler said.
    """

    def __init__(self, expressions: Sequence[str], output: str) -> None:
        what = ", ".join(expressions) or "headers"
        super().__init__(f"the compiler refused {what}:\n{output}")
        self.expressions = tuple(expressions)
        self.output = output


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree of kernel headers; the empty one is the system's own."""

    folders: tuple[Path, ...] = ()

    def flags(self) -> list[str]:
        """Tell gcc to look here first."""
        return [word for folder in self.folders for word in ("-isystem", str(folder))]


SYSTEM = Tree()


def preamble(headers: Iterable[str]) -> str:
    """Include headers; an entry that begins with ``#`` or ends with ``;`` is taken as it is."""
    lines = []
    for header in headers:
        literal = header.startswith("#") or header.endswith(";")
        lines.append(header if literal else f"#include <{header}>")
    return "\n".join(lines) + "\n"


def compile_and_read(
    source: str,
    expressions: Mapping[str, str],
    abi: str = "x86_64",
    tree: Tree = SYSTEM,
) -> dict[str, int]:
    """Evaluate constant expressions after a C preamble, without running anything.

    Shape:  ``expressions`` maps a name of the caller's to C, such as
            ``{"size": "sizeof(struct stat)", "mode": "offsetof(struct stat, st_mode)"}``;
            the answer has the same keys, negative where C says so.
    Errors: ProbeError naming the expressions that are not integer constants.
    """
    values, refused, output = _evaluate(source, expressions, abi, tree)
    if refused:
        raise ProbeError(refused, output)
    return values


def read_known(
    source: str, names: Iterable[str], abi: str = "x86_64", tree: Tree = SYSTEM
) -> dict[str, int]:
    """Evaluate those names that are integer constants here, and leave the others out."""
    return _evaluate(source, {name: name for name in names}, abi, tree)[0]


def _evaluate(
    source: str, expressions: Mapping[str, str], abi: str, tree: Tree
) -> tuple[dict[str, int], list[str], str]:
    names = list(expressions)
    refused: list[str] = []
    output = ""
    head = "#include <stddef.h>\n" + source
    with tempfile.TemporaryDirectory(prefix="pytracer-probe-") as folder:
        probe, target, raw = (Path(folder) / name for name in ("probe.c", "probe.o", "probe.bin"))
        while True:
            # A product refuses pointers, whose addresses gcc would take for constants.
            lines = [
                f"{{ (unsigned long long)({expressions[n]}), "
                f"(({expressions[n]}) < 0) + 0 * ({expressions[n]}) }},"
                for n in names
            ]
            start = head.count("\n") + 2
            probe.write_text(
                head
                + 'const unsigned long long probe[][2] __attribute__((section(".probe"))) = {\n'
                + "\n".join([*lines, "{ 1, 0 } };", ""])
            )
            result = _gcc(abi, tree, ["-c", "-fmax-errors=0", "-o", str(target), str(probe)])
            if result.returncode == 0:
                break
            output = result.stderr
            bad = {int(line) - start for line, _ in _ERROR_LINE.findall(output)}
            bad = {index for index in bad if 0 <= index < len(names)}
            if not bad:
                raise ProbeError((), output)
            refused += [names[index] for index in sorted(bad)]
            names = [name for index, name in enumerate(names) if index not in bad]
        subprocess.run(
            ["objcopy", "-O", "binary", "-j", ".probe", str(target), str(raw)],
            check=True,
            timeout=_COMPILE_SECONDS,
        )
        pairs = struct.iter_unpack("<QQ", raw.read_bytes())
        values = {
            name: value - (1 << 64) if negative else value
            for name, (value, negative) in zip(names, pairs, strict=False)
        }
    return values, refused, output


def _gcc(abi: str, tree: Tree, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["gcc", *ABI_FLAGS[abi], *_BASE, *tree.flags(), *arguments],
        capture_output=True,
        text=True,
        timeout=_COMPILE_SECONDS,
        check=False,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
    )


def _preprocess(source: str, abi: str, tree: Tree) -> str:
    with tempfile.TemporaryDirectory(prefix="pytracer-probe-") as folder:
        probe = Path(folder) / "probe.c"
        probe.write_text(source)
        result = _gcc(abi, tree, ["-E", "-dD", str(probe)])
    if result.returncode:
        raise ProbeError((), result.stderr)
    return result.stdout


def macros_defined(
    source: str, abi: str = "x86_64", tree: Tree = SYSTEM
) -> dict[str, tuple[str, str]]:
    """List the macros without arguments that a preamble brings.

    Shape:  the name, to what it stands for and the header that defines it.
    Errors: ProbeError when the headers do not compile.
    """
    macros: dict[str, tuple[str, str]] = {}
    owner = ""
    for line in _preprocess(source, abi, tree).splitlines():
        if line.startswith("# "):
            owner = line.split('"')[1]
        elif (found := _MACRO.match(line)) and found[2]:
            macros[found[1]] = (found[2], owner)
    return macros


def names_defined(source: str, abi: str = "x86_64", tree: Tree = SYSTEM) -> dict[str, str]:
    """List the macros without arguments and the enumerators that a preamble brings.

    Shape: the name, in the order of definition, to the header that defines it.
    Errors: ProbeError when the headers do not compile.
    """
    names: dict[str, str] = {}
    text: list[str] = []
    owner = ""
    owners: list[tuple[int, str]] = []
    length = 0
    for line in _preprocess(source, abi, tree).splitlines():
        if line.startswith("# "):
            owner = line.split('"')[1]
            owners.append((length, owner))
        elif line.startswith("#"):
            found = _MACRO.match(line)
            if found and found[2]:
                names.setdefault(found[1], owner)
        else:
            text.append(line + "\n")
            length += len(line) + 1
    body = "".join(text)
    position = 0
    for enum in _ENUM.finditer(body):
        while position + 1 < len(owners) and owners[position + 1][0] <= enum.start(1):
            position += 1
        for item in enum[1].split(","):
            found = _ENUMERATOR.match(item)
            if found:
                names.setdefault(found[1], owners[position][1])
    return names
