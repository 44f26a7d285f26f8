"""What the user wants, as data: the values that options and keys of the configuration file take.

A key of the file is an option's long name. What the command line says goes before what the file
says; targets of both are watched.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Final, TypeAlias

from pytracer.decode.callsets import ALL_CALLS, BadCallSet, CallSet
from pytracer.decode.callsets import read as read_calls
from pytracer_exporter import buckets as bounds
from pytracer_exporter.buckets import BadBuckets, Buckets
from pytracer_exporter.folding import DEFAULT_LIMIT, reserve
from pytracer_exporter.log import LEVELS
from pytracer_exporter.reading import Watched

DEFAULT_PORT: Final = 9435
_MOST_SERIES: Final = 1_000_000
_MOST_PIDS: Final = 1 << 22
_NAME_LENGTH: Final = 200

# A name before "=", as in --unit web=nginx.service.
_NAMED = re.compile(r"([A-Za-z0-9_][A-Za-z0-9_.:@-]*)=(.*)", re.DOTALL)
# Source: systemd.unit(5).
_UNIT = re.compile(r"[A-Za-z0-9:_.\\@-]{1,255}")
_ADDRESS = re.compile(r"(?:\[([0-9A-Fa-f:.%a-z]+)\]|([A-Za-z0-9._-]*)):([0-9]{1,5})")


class BadSetting(ValueError):
    """A value cannot be used; the text says why, and what to do."""


class Backend(Enum):
    """How system calls are seen. AUTO is ebpf where it works, otherwise ptrace."""

    AUTO = "auto"
    EBPF = "ebpf"
    PTRACE = "ptrace"


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen; port 0 is any that is free, an empty host all of them."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Settings:
    """How the exporter is to be. ``calls``: those that are counted."""

    targets: tuple[Watched, ...] = ()
    listen: tuple[Address, ...] = (Address("127.0.0.1", DEFAULT_PORT),)
    calls: CallSet = ALL_CALLS
    backend: Backend = Backend.AUTO
    buckets: Buckets = bounds.DEFAULT
    max_series: int = DEFAULT_LIMIT
    fd_type: bool = False
    cpu_time: bool = True
    program_time: bool = False
    user: str | None = None
    web_config: Path | None = None
    log_level: str = "info"

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the targets."""
        return tuple(target.name for target in self.targets)


Given: TypeAlias = Mapping[str, object]
_Reader: TypeAlias = Callable[[object], object]


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise BadSetting(f"{_told(value)} is no text: put it in quotes")
    return value


def _told(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return "a list"
    return "a table" if isinstance(value, dict) else str(value)


def _whole(least: int, most: int) -> _Reader:
    def read(value: object) -> int:
        if isinstance(value, str) and re.fullmatch("[0-9]{1,9}", value):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise BadSetting(f"{_told(value)} is no whole number of {least} to {most}")
        return value

    return read


def _yes_or_no(value: object) -> bool:
    if not isinstance(value, bool):
        raise BadSetting(f"{_told(value)} is neither true nor false")
    return value


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _word(words: Sequence[str]) -> Callable[[object], str]:
    def read(value: object) -> str:
        text = _text(value)
        if text not in words:
            raise BadSetting(f"there is no '{text}': choose one of {', '.join(words)}")
        return text

    return read


def _calls(value: object) -> CallSet:
    text = _text(value)
    kind, equals, rest = text.partition("=")
    if equals and kind in ("trace", "t"):
        text = rest
    elif equals and kind.isalpha():
        raise BadSetting(f"'{kind}=' is not among what can be restricted: use trace=SET")
    try:
        found = read_calls(text)
    except BadCallSet as error:
        raise BadSetting(
            f"{error}: give names, or classes such as %file, as pytracer -e"
        ) from error
    if found.empty:
        raise BadSetting("no system call is left to be counted")
    return found


def _buckets(value: object) -> Buckets:
    try:
        if isinstance(value, int) and not isinstance(value, bool):
            return bounds.evenly(value)
        if isinstance(value, (list, tuple)):
            return bounds.at([_text(each) for each in value])
        return bounds.read(_text(value))
    except BadBuckets as error:
        raise BadSetting(str(error)) from error


def _addresses(value: object) -> tuple[Address, ...]:
    found = tuple(_address(_text(each)) for each in _list(value))
    if not found:
        raise BadSetting("there is no address: leave it out for 127.0.0.1:9435")
    return found


def _address(text: str) -> Address:
    found = _ADDRESS.fullmatch(text)
    if found is None or int(found[3]) > 0xFFFF:
        raise BadSetting(f"'{text}' is no HOST:PORT: write 127.0.0.1:9435, [::1]:9435 or :9435")
    return Address(found[1] or found[2], int(found[3]))


_READERS: Final[Mapping[str, tuple[str, _Reader]]] = {
    "listen": ("listen", _addresses),
    "trace": ("calls", _calls),
    "backend": ("backend", lambda v: Backend(_word([each.value for each in Backend])(v))),
    "buckets": ("buckets", _buckets),
    "max-series": ("max_series", _whole(1, _MOST_SERIES)),
    "fd-type": ("fd_type", _yes_or_no),
    "cpu-time": ("cpu_time", _yes_or_no),
    "program-time": ("program_time", _yes_or_no),
    "user": ("user", _text),
    "web-config": ("web_config", lambda value: Path(_text(value))),
    "log-level": ("log_level", _word(LEVELS)),
}
KEYS: Final = tuple(_READERS)


def value(key: str, given: object) -> dict[str, object]:
    """Read the value of a key of Settings.

    Errors: BadSetting.
    """
    name, read = _READERS[key]
    return {name: read(given)}


def _pid(value: object) -> int:
    pid = _whole(1, _MOST_PIDS)(value)
    assert isinstance(pid, int)
    return pid


def _unit(value: object) -> str:
    text = _text(value)
    if not _UNIT.fullmatch(text):
        raise BadSetting(f"'{text}' is no unit's name: systemctl list-units prints those there are")
    return text


def _filled(value: object) -> str:
    text = _text(value)
    if not text or "\0" in text:
        raise BadSetting("there has to be something")
    return text


_CRITERIA: Final[Mapping[str, tuple[str, Callable[[object], object]]]] = {
    "pid": ("pids", _pid),
    "unit": ("units", _unit),
    "cgroup": ("cgroups", _filled),
    "container": ("containers", _filled),
    "comm": ("comms", _filled),
}
CRITERIA: Final = (*_CRITERIA, "all")


def target(name: str, criterion: str, given: object) -> Watched:
    """Make a target of what a criterion is given: a value, or a list of them.

    Errors: BadSetting.
    """
    if not name or len(name) > _NAME_LENGTH or not name.isprintable():
        raise BadSetting(f"a target's name is printable and has 1 to {_NAME_LENGTH} letters")
    if criterion == "all":
        return Watched(name, everyone=_yes_or_no(given))
    field, read = _CRITERIA[criterion]
    return replace(Watched(name), **{field: tuple(read(each) for each in _list(given))})  # type: ignore[arg-type]


def named(text: str) -> tuple[str, str]:
    """Split ``NAME=VALUE``; a value alone is its own name."""
    found = _NAMED.fullmatch(text)
    return (found[1], found[2]) if found is not None else (text, text)


def together(targets: Sequence[Watched]) -> tuple[Watched, ...]:
    """Make one of those that have the same name."""
    found: dict[str, Watched] = {}
    for each in targets:
        before = found.get(each.name, Watched(each.name))
        found[each.name] = Watched(
            each.name,
            before.pids + each.pids,
            before.units + each.units,
            before.cgroups + each.cgroups,
            before.containers + each.containers,
            before.comms + each.comms,
            before.everyone or each.everyone,
        )
    return tuple(found.values())


def checked(settings: Settings) -> Settings:
    """See that settings go together.

    Errors: BadSetting.
    """
    if not settings.targets:
        raise BadSetting(
            "there is nothing to watch: give --unit, --pid, --cgroup, --container, --comm or "
            "--all, or targets in the file of --config"
        )
    empty = [each.name for each in settings.targets if each == Watched(each.name)]
    if empty:
        raise BadSetting(
            f"target {empty[0]} has no criterion: give it one of {', '.join(CRITERIA)}"
        )
    least = reserve(len(settings.buckets.edges)) * len(settings.targets)
    if settings.max_series < least:
        raise BadSetting(
            f"--max-series {settings.max_series} is too few: {len(settings.targets)} targets need "
            f"{least} for what is counted as other; give more, or fewer --buckets"
        )
    return settings
