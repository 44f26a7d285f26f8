"""The configuration file, and how it and the command line become settings, again at each reload.

listen = "127.0.0.1:9435"
trace = "%network,read,write"

[target.web]
unit = "nginx.service"

[target.workers]
comm = ["php*", "python3"]
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from pytracer_exporter import settings
from pytracer_exporter.reading import Watched
from pytracer_exporter.settings import BadSetting, Settings

_TARGETS: Final = "target"
_MOST_BYTES: Final = 1 << 20


class BadConfiguration(Exception):
    """The configuration cannot be used; the text is one line that says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """Where settings come from: the command line's own, and a file's."""

    words: Mapping[str, Any] = field(default_factory=dict)
    targets: tuple[Watched, ...] = ()
    path: Path | None = None

    def read(self) -> Settings:
        """Make settings of both, as the file is now.

        Errors: BadConfiguration.
        """
        values: dict[str, Any] = {}
        targets: list[Watched] = []
        if self.path is not None:
            values, targets = _read(self.path)
        try:
            return settings.checked(
                replace(
                    Settings(),
                    **{**values, **self.words},
                    targets=settings.together([*targets, *self.targets]),
                )
            )
        except BadSetting as error:
            where = f"{self.path}: " if self.path is not None else ""
            raise BadConfiguration(f"{where}{error}") from error


def _read(path: Path) -> tuple[dict[str, Any], list[Watched]]:
    values: dict[str, Any] = {}
    targets: list[Watched] = []
    for key, given in _load(path).items():
        if key == _TARGETS:
            targets = _targets(path, given)
            continue
        if key not in settings.KEYS:
            raise BadConfiguration(f"{path}: {key}: {_unknown((*settings.KEYS, _TARGETS))}")
        try:
            values |= settings.value(key, given)
        except BadSetting as error:
            raise BadConfiguration(f"{path}: {key}: {error}") from error
    if "web_config" in values:
        values["web_config"] = path.parent / values["web_config"]
    return values, targets


def _load(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise BadConfiguration(f"{path}: is larger than a configuration can be (1 MiB)")
        return tomllib.loads(data.decode())
    except OSError as error:
        raise BadConfiguration(
            f"{path}: {error.strerror}: name a file that this user can read"
        ) from error
    except UnicodeDecodeError as error:
        raise BadConfiguration(f"{path}: is not UTF-8: save it as such") from error
    except tomllib.TOMLDecodeError as error:
        raise BadConfiguration(f"{path}: is not TOML: {error}") from error


def _targets(path: Path, given: object) -> list[Watched]:
    if not isinstance(given, dict):
        raise BadConfiguration(f"{path}: target: write a table for each, such as [target.web]")
    found = []
    for name, criteria in given.items():
        where = f"{path}: target.{name}"
        if not isinstance(criteria, dict):
            raise BadConfiguration(f"{where}: write a table, [target.{name}]")
        if not criteria:
            found.append(Watched(name))
        for criterion, wanted in criteria.items():
            if criterion not in settings.CRITERIA:
                raise BadConfiguration(f"{where}.{criterion}: {_unknown(settings.CRITERIA)}")
            try:
                found.append(settings.target(name, criterion, wanted))
            except BadSetting as error:
                raise BadConfiguration(f"{where}.{criterion}: {error}") from error
    return found


def _unknown(known: Iterable[str]) -> str:
    return f"there is no such key: there are {', '.join(known)}"
