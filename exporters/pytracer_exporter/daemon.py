"""The running exporter: serves what a source counts until it is told to end.

Nothing here needs a privilege, nor a library that the kernel's programs are compiled with.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pytracer import __version__
from pytracer.backend.base import BackendUnavailable, TargetError
from pytracer_exporter import systemd, webconfig
from pytracer_exporter.authentication import BasicAuth, Verdict
from pytracer_exporter.collector import SourceCollector
from pytracer_exporter.configuration import BadConfiguration, Configuration
from pytracer_exporter.families import Form
from pytracer_exporter.listening import told
from pytracer_exporter.log import LOG
from pytracer_exporter.pages import Answer, Pages, plain
from pytracer_exporter.reading import Source, Unwatchable
from pytracer_exporter.server import Protection, Server, raise_limit
from pytracer_exporter.settings import Settings
from pytracer_exporter.tls import protection
from pytracer_exporter.webconfig import BadWebConfig, WebConfig

# What the programs in the kernel and the sockets were made for.
_FIXED: Final = {
    "listen": "listen",
    "calls": "trace",
    "backend": "backend",
    "fd_type": "fd-type",
    "cpu_time": "cpu-time",
    "program_time": "program-time",
    "user": "user",
}
_UNAUTHORIZED: Final = (
    "WWW-Authenticate",
    'Basic realm="pytracer-exporter", charset="UTF-8"',
)


@dataclass(frozen=True, slots=True)
class Task:
    """What the exporter is to do: settings and the web's, and where they come from."""

    configuration: Configuration
    settings: Settings
    web: WebConfig


def serve(task: Task, source: Source, sockets: Sequence[socket.socket]) -> None:
    """Serve until SIGTERM or SIGINT. ``source`` and ``sockets`` are closed then."""
    raise_limit()
    try:
        asyncio.run(Daemon(task, source, sockets).run())
    finally:
        source.close()


class Daemon:
    """Errors: BadWebConfig."""

    def __init__(self, task: Task, source: Source, sockets: Sequence[socket.socket]) -> None:
        self._configuration = task.configuration
        self._settings = task.settings
        self._source = source
        self._sockets = sockets
        settings = task.settings
        self._collector = SourceCollector(
            source, _form(settings), settings.max_series, settings.names
        )
        self._pages = Pages(self._collector)
        self._auth: BasicAuth | None = None
        self._server = Server(sockets, self._respond)
        self._use(task.web, _protection(task.web))
        self._ended = asyncio.Event()

    async def run(self) -> None:
        """Serve until a signal says to end."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(_tell)
        for signo in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signo, self._ended.set)
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        self._server.start()
        scheme = "https" if self._server.protection else "http"
        for each in self._sockets:
            LOG.info("listening on %s://%s/metrics", scheme, told(each))
        # Whatever is there now stays: it need not be looked through for garbage.
        gc.freeze()
        LOG.info(
            "pytracer-exporter %s counts with %s: %s",
            __version__,
            self._source.backend,
            ", ".join(self._settings.names),
        )
        systemd.notify("READY=1")
        watchdog = asyncio.create_task(_watchdog())
        await self._ended.wait()
        systemd.notify("STOPPING=1")
        watchdog.cancel()
        await self._server.close()
        if self._auth is not None:
            self._auth.close()
        LOG.info("ended")

    async def _respond(self, method: str, path: str, headers: dict[str, str]) -> Answer:
        if self._auth is not None:
            match await self._auth.verify(headers.get("authorization", "")):
                case Verdict.REFUSED:
                    return plain(401, "Who are you?", _UNAUTHORIZED)
                case Verdict.BUSY:
                    return plain(503, "Too many ask at once.", ("Retry-After", "1"))
        return self._pages.answer(
            method, path, headers.get("accept", ""), headers.get("accept-encoding", "")
        )

    def _use(self, web: WebConfig, protected: Protection | None) -> None:
        if self._auth is not None:
            self._auth.close()
        self._auth = BasicAuth(web.users) if web.users else None
        self._server.headers = web.headers
        self._server.protection = protected

    def _reload(self) -> None:
        systemd.notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
        try:
            settings = self._configuration.read()
            _same(self._settings, settings)
            web = self._web(settings.web_config)
            protected = _protection(web) if web is not None else None
            self._source.watch(settings.targets)
        except (BadConfiguration, BadWebConfig, Unwatchable, TargetError, BackendUnavailable) as e:
            self._collector.refused()
            LOG.error("the configuration is not reloaded, all goes on as before: %s", e)
        else:
            if web is not None:
                self._use(web, protected)
            self._settings = settings
            LOG.setLevel(settings.log_level.upper())
            self._collector.change(_form(settings), settings.max_series, settings.names)
            LOG.info("reloaded the configuration; counted are: %s", ", ".join(settings.names))
        systemd.notify("READY=1")

    def _web(self, path: Path | None) -> WebConfig | None:
        """Read the web's file again; None when what there is is to be kept."""
        if path is None:
            return WebConfig()
        try:
            return webconfig.read(path)
        except BadWebConfig as error:
            # What root could read when we began may be kept from the user we have become.
            if not error.denied or path != self._settings.web_config:
                raise
            LOG.warning("%s: certificates and users stay as they were", error)
            return None


def _form(settings: Settings) -> Form:
    return Form(settings.buckets, settings.fd_type)


def _protection(web: WebConfig) -> Protection | None:
    return protection(web.tls) if web.tls is not None else None


def _same(before: Settings, now: Settings) -> None:
    """See that nothing has changed that cannot change while we run. Errors: BadConfiguration."""
    for name, key in _FIXED.items():
        if getattr(before, name) != getattr(now, name):
            raise BadConfiguration(f"{key} has changed, which takes a restart")


async def _watchdog() -> None:
    expected_s = systemd.watchdog_s()
    while expected_s is not None:
        systemd.notify("WATCHDOG=1")
        await asyncio.sleep(expected_s / 3)


def _tell(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what went wrong where nobody else could be told."""
    error = context.get("exception")
    LOG.error("internal error: %s%s", context.get("message"), f": {error!r}" if error else "")
