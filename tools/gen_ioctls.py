"""Generate ``pytracer/tables/constants/ioctl_codes*.py``: ioctl request codes and their names.

``python -m tools.gen_ioctls`` scans every installed kernel header, ``--check`` only
compares, ``--newer FOLDER...`` first records what a newer tree knows. A request is a
macro that is made with _IO() and its like, or whose name tools/ioctls.toml knows.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tools.probe import (
    SYSTEM,
    ProbeError,
    Tree,
    compile_and_read,
    macros_defined,
    preamble,
    read_known,
)

ROOT = Path(__file__).resolve().parent.parent
INPUT = ROOT / "tools" / "ioctls.toml"
NEWER = ROOT / "tools" / "newer_ioctls.toml"
OUTPUT = ROOT / "pytracer" / "tables" / "constants"
WIDTH = 100
MODULES = {"x86_64": "ioctl_codes", "i386": "ioctl_codes_i386", "x32": "ioctl_codes_x32"}
SYSTEM_FOLDERS = (Path("/usr/include"), Path("/usr/include/x86_64-linux-gnu"))
_FAMILIES = (
    "asm", "asm-generic", "cxl", "drm", "fwctl", "linux", "misc", "mtd", "rdma", "scsi",
    "sound", "video", "xen",
)  # fmt: skip
# Headers do not include all that they use. The first of these serves nearly all of them.
_PRELUDES: tuple[tuple[str, ...], ...] = (
    ("stdint.h", "sys/types.h", "sys/socket.h", "linux/types.h", "linux/if.h", "linux/ioctl.h"),
    ("stdint.h", "stddef.h", "sys/types.h", "linux/types.h"),
    ("stdint.h", "sys/types.h", "sys/socket.h", "time.h", "netinet/in.h", "linux/ioctl.h"),
    (),
)
_MAKER = re.compile(r"\b[A-Z0-9_]*IO(C|R|W|WR|RW)?(_BAD|_OLD|_NR)?\s*\(")


@dataclass(frozen=True, slots=True)
class Input:
    """tools/ioctls.toml: requests that their headers do not make with _IO() and its like."""

    plain: Mapping[str, re.Pattern[str]]
    dropped: re.Pattern[str]
    before: Mapping[str, tuple[str, ...]]
    internal: Mapping[str, Mapping[str, str]]
    rename: Mapping[str, Mapping[str, str]]


def load() -> Input:
    """Read tools/ioctls.toml."""
    with INPUT.open("rb") as file:
        data = tomllib.load(file)
    return Input(
        plain={header: re.compile(text) for header, text in data["plain"].items()},
        dropped=re.compile("|".join(data["drop"]["names"].split())),
        before={header: tuple(lines) for header, lines in data["before"].items()},
        internal=data["internal"],
        rename=data["rename"],
    )


def headers_of(folders: Iterable[Path], known: Input) -> list[str]:
    """List the headers in some include folders that may define requests, as they are included."""
    found = set()
    for folder in folders:
        for family in _FAMILIES:
            for path in (folder / family).rglob("*.h"):
                header = str(path.relative_to(folder))
                if header in known.plain or "_IO" in path.read_text(errors="replace"):
                    found.add(header)
    return sorted(found)


def scan(
    header: str, abi: str, tree: Tree, known: Input, preludes: Iterable[tuple[str, ...]] = _PRELUDES
) -> tuple[dict[str, int], tuple[str, ...]]:
    """Give the ioctl requests that one header defines, and what had to be included before it.

    Shape: no requests when the header does not compile after any of the preludes.
    """
    best: dict[str, int] = {}
    served: tuple[str, ...] = ()
    for prelude in preludes:
        source = preamble([*prelude, *known.before.get(header, ()), header])
        try:
            macros = macros_defined(source, abi, tree)
        except ProbeError:
            continue
        names = _requests(macros, header, known.plain.get(header))
        names = {name for name in names if not known.dropped.fullmatch(name)}
        if not names:
            break
        try:
            values = read_known(source, sorted(names), abi, tree)
        except ProbeError:
            continue
        if len(values) > len(best):
            best, served = values, prelude
        if len(best) == len(names):
            break
    return {name: value & 0xFFFFFFFF for name, value in best.items()}, served


def _requests(
    macros: Mapping[str, tuple[str, str]], header: str, plain: re.Pattern[str] | None
) -> set[str]:
    own = {name: body for name, (body, owner) in macros.items() if owner.endswith("/" + header)}
    names = {name for name, body in own.items() if _MAKER.search(body)}
    if plain:
        names |= {name for name in own if plain.fullmatch(name)}
    return {name for name in names if not name.startswith("__")}


# What served a header for one ABI serves it for the next.
_served: dict[tuple[Tree, str], tuple[str, ...]] = {}


@cache
def scan_all(folders: tuple[Path, ...], abi: str, tree: Tree) -> Mapping[str, int]:
    """Give the ioctl requests of a whole tree of headers."""
    known = load()
    found: dict[str, int] = {}
    for header in headers_of(folders, known):
        before = _served.get((tree, header))
        preludes = _PRELUDES if before is None else (before,)
        requests, _served[tree, header] = scan(header, abi, tree, known, preludes)
        for name, code in requests.items():
            found.setdefault(name, code)
    for name, other in known.rename.get(abi, {}).items():
        found[other] = found.pop(name)
    internal = {**known.internal["all"], **known.internal.get(abi, {})}
    source = preamble(["linux/ioctl.h"])
    for name, value in compile_and_read(source, internal, abi, tree).items():
        found[name] = value & 0xFFFFFFFF
    return found


def load_newer() -> dict[str, dict[str, int]]:
    """Read what newer headers know, by ABI."""
    if not NEWER.exists():
        return {}
    with NEWER.open("rb") as file:
        data: dict[str, dict[str, int]] = tomllib.load(file)
    return data


def render(abi: str, codes: Mapping[str, int]) -> str:
    """Write one module's source."""
    names: dict[int, list[str]] = {}
    for name in sorted(codes):
        names.setdefault(codes[name], []).append(name)
    lines = [
        f'"""ioctl request codes of {abi}: a line each, with its names in alphabetical order.',
        "",
        "One string, as a program meets a handful of thousands; a dict of them all takes longer to",
        "read than the rest of the tables that a trace needs.",
        "",
        "Generated by tools/gen_ioctls.py.",
        '"""',
        "",
        'CODES = """',
    ]
    lines += [f"{code:X} {' '.join(names[code])}" for code in sorted(names)]
    return "\n".join([*lines, '"""', ""])


def parse(codes: str) -> dict[int, tuple[str, ...]]:
    """Read what :func:`render` wrote: the names of each request."""
    rows = (line.split() for line in codes.split("\n") if line)
    return {int(code, 16): tuple(names) for code, *names in rows}


def generate(abis: Iterable[str] = tuple(MODULES)) -> dict[Path, str]:
    """Give the text of each module, by the path that it belongs to."""
    newer = load_newer()
    return {
        OUTPUT / f"{MODULES[abi]}.py": render(
            abi, {**scan_all(SYSTEM_FOLDERS, abi, SYSTEM), **newer.get(abi, {})}
        )
        for abi in abis
    }


def record_newer(folders: tuple[Path, ...]) -> str:
    """Write tools/newer_ioctls.toml: what these headers know and the installed ones do not."""
    lines = [
        "# Requests that Linux 7.2's headers know, and Linux 6.1's do not know or know otherwise.",
        "# Written by `python -m tools.gen_ioctls --newer`; see tools/README.md.",
    ]
    for abi in MODULES:
        before = scan_all(SYSTEM_FOLDERS, abi, SYSTEM)
        after = scan_all(folders, abi, Tree(folders))
        lines += ["", f"[{abi}]"]
        lines += [
            f"{name} = {code:#x}"
            for name, code in sorted(after.items(), key=lambda item: (item[1], item[0]))
            if before.get(name) != code
        ]
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Write, or with ``--check`` compare, the generated modules."""
    parser = argparse.ArgumentParser(prog="gen_ioctls", description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, fail on a difference")
    parser.add_argument(
        "--newer",
        nargs="+",
        type=Path,
        metavar="FOLDER",
        help="include folders of a newer kernel's headers to record first",
    )
    options = parser.parse_args(arguments)
    if options.newer:
        NEWER.write_text(record_newer(tuple(options.newer)))
    made = generate()
    stale = [path for path, text in made.items() if not path.exists() or path.read_text() != text]
    for path in stale:
        print(f"{'differs' if options.check else 'writes'}: {path.relative_to(ROOT)}")
        if not options.check:
            path.write_text(made[path])
    return 1 if options.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
