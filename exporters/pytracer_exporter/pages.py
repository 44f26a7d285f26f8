"""What is answered to which request."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.exposition import choose_encoder, gzip_accepted
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from pytracer import __version__
from pytracer.backend.base import BackendUnavailable
from pytracer_exporter.collector import SourceCollector
from pytracer_exporter.exposition import Writer
from pytracer_exporter.log import LOG

_TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
_OPENMETRICS: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"
_PLAIN: Final = "text/plain; charset=utf-8"
_LANDING: Final = f"""\
<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>pytracer-exporter</title></head>
<body>
<h1>pytracer-exporter</h1>
<p>System calls of services. Version {__version__}.</p>
<ul>
<li><a href="/metrics">Metrics</a></li>
<li><a href="/-/healthy">Health</a></li>
<li><a href="/-/ready">Readiness</a></li>
</ul>
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, headers besides those that every answer has, and what is answered."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = (("Content-Type", _PLAIN),)


def plain(status: int, text: str, *headers: tuple[str, str]) -> Answer:
    """Answer a line of text."""
    return Answer(status, f"{text}\n".encode(), (("Content-Type", _PLAIN), *headers))


class Pages:
    """The paths that there are.

    ``collector``: gives the metrics; what it writes is kept for as long as its reading is.
    """

    def __init__(self, collector: SourceCollector) -> None:
        self._collector = collector
        self._writer = Writer()
        self._process = CollectorRegistry()
        ProcessCollector(registry=self._process)
        self._kept: dict[tuple[bool, bool], tuple[int, bytes]] = {}
        self._failing = False
        self._paths: dict[str, Callable[[str, str], Answer]] = {
            "/": self._landing,
            "/metrics": self._metrics,
            "/-/healthy": partial(self._state, "healthy"),
            "/-/ready": self._ready,
        }

    def answer(self, method: str, path: str, accept: str, accept_encoding: str) -> Answer:
        """Answer a request."""
        page = self._paths.get(path)
        if page is None:
            return plain(404, "There is no such page; /metrics is one.")
        if method not in ("GET", "HEAD"):
            return plain(405, "Only GET and HEAD are answered.", ("Allow", "GET, HEAD"))
        return page(accept, accept_encoding)

    def _metrics(self, accept: str, accept_encoding: str) -> Answer:
        openmetrics, packed = _openmetrics_wanted(accept), gzip_accepted(accept_encoding)
        try:
            body = self._body(openmetrics, packed)
        except (OSError, BackendUnavailable) as error:
            if not self._failing:
                LOG.error("what was counted cannot be read: %s", error)
            self._failing = True
            return plain(503, "What was counted cannot be read; the exporter's log tells why.")
        if self._failing:
            LOG.info("what was counted can be read again")
        self._failing = False
        headers = [("Content-Type", _OPENMETRICS if openmetrics else _TEXT)]
        headers.append(("Vary", "Accept, Accept-Encoding"))
        if packed:
            headers.append(("Content-Encoding", "gzip"))
        return Answer(200, body, tuple(headers))

    def _body(self, openmetrics: bool, packed: bool) -> bytes:
        read_ns, families = self._collector.current()
        kept = self._kept.get((openmetrics, packed))
        if kept is not None and kept[0] == read_ns:
            return kept[1]
        if packed:
            # The first level: what is written here is four times as small with it, and five
            # times with the last one, which takes ten times as long.
            body = gzip.compress(self._body(openmetrics, False), 1, mtime=0)
        elif openmetrics:
            own = generate_openmetrics(self._process)  # type: ignore[no-untyped-call]
            body = self._writer.openmetrics(families).encode() + own
        else:
            body = self._writer.text(families).encode() + generate_latest(self._process)
        self._kept[openmetrics, packed] = read_ns, body
        return body

    def _landing(self, accept: str, accept_encoding: str) -> Answer:
        return Answer(200, _LANDING.encode(), (("Content-Type", "text/html; charset=utf-8"),))

    def _state(self, word: str, accept: str, accept_encoding: str) -> Answer:
        return plain(200, f"pytracer-exporter is {word}.")

    def _ready(self, accept: str, accept_encoding: str) -> Answer:
        if self._failing:
            return plain(503, "pytracer-exporter cannot read what was counted.")
        return self._state("ready", accept, accept_encoding)


def _openmetrics_wanted(accept: str) -> bool:
    try:
        _, content_type = choose_encoder(accept)
    except TypeError:  # a version that is no number cannot be compared
        return False
    return content_type.startswith("application/openmetrics-text")
