"""Listens until it is told to end: signals, idleness, and the file that says where it listens."""

from __future__ import annotations

import json
import os
import socket
import ssl
import time
from typing import TYPE_CHECKING

import uvicorn

from d2b_gate.core.errors import UsageError
from d2b_gate.server.answering import Answering
from d2b_gate.server.app import make_app
from d2b_gate.server.connection import bounded_protocol
from d2b_gate.server.house import House

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import FrameType

    from d2b_gate.server.gatekeeper import Gatekeeper
    from d2b_gate.server.journal import Journal
    from d2b_gate.server.settings import Place, Settings

_PARKING = 5.0  # seconds for a job that is parked to reach its next step
_KEEP_ALIVE = 20  # seconds that a connection may be idle between requests; opening one costs a handshake
_LAST_ANSWERS = 5  # seconds for answers that are under way at the end


def serve(settings: Settings, place: Place, journal: Journal, ready: Callable[[str], None]) -> bool:
    """Serve until a signal or idleness ends it; ``ready`` is told the address once it listens.

    False where a job is still in the middle of a step, which nothing can end but the process; the job itself is safe.

    Raises:
        GateError: it cannot listen there, a model is not here, or the state cannot be used.
    """
    server, listener = make_server(settings, place, journal, ready)
    return server.work(listener)


def make_server(
    settings: Settings, place: Place, journal: Journal, ready: Callable[[str], None]
) -> tuple[Server, socket.socket]:
    """A server that does not work yet, and the socket on which it will.

    Raises:
        GateError: as `serve`.
    """
    _refuse_bad_certificate(place)
    house = House(settings, journal)
    listener = _listener(place)
    address = _address(place, listener)
    journal.line("start", url=address, pid=str(os.getpid()), backend=settings.backend)
    return Server(_config(house, place), house, lambda: ready(address)), listener


class Server(uvicorn.Server):
    """uvicorn that ends in two steps: first no new jobs, and when those that run have ended or are parked, all."""

    def __init__(self, config: uvicorn.Config, house: House, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._house = house
        self._ready = ready
        self._began = time.monotonic()
        self._ends_at: list[float] = []
        self._gatekeeper: Gatekeeper = config.app  # type: ignore[assignment] # uvicorn types it as any application

    def work(self, listener: socket.socket) -> bool:
        """Listen and work until the end; whether all work has ended."""
        self._house.start()
        self.run(sockets=[listener])
        ended = self._house.end(_PARKING)
        self._house.journal.line("end")
        return ended

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so."""
        await super().startup(sockets)
        self._house.bell.hang()
        self._ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End after the running jobs; at once where it is asked a second time."""
        del sig, frame
        self.should_exit = bool(self._ends_at)
        self.end_soon()

    async def on_tick(self, counter: int) -> bool:
        """Look whether the end has come."""
        if self._ends_at and (self._house.desk.counts()[1] == 0 or time.monotonic() > self._ends_at[0]):
            self.should_exit = True
        if not self._ends_at and self._is_idle():
            self._house.journal.line("idle", seconds=self._house.settings.idle_seconds)
            self.end_soon()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Park what still runs, end streams, and close."""
        self._house.desk.park_all()
        self._house.going = False
        self._house.bell.ring_all()
        await super().shutdown(sockets)

    def end_soon(self) -> None:
        """Take no more jobs; end when those that run have ended, at the latest after the grace."""
        self._ends_at.append(time.monotonic() + self._house.settings.grace_seconds)
        self._house.desk.close()

    def _is_idle(self) -> bool:
        seconds = self._house.settings.idle_seconds
        if not seconds or self._gatekeeper.busy or any(self._house.desk.counts()):
            return False
        return time.monotonic() - max(self._began, self._gatekeeper.last_asked) > seconds


def write_ready_file(path: Path, url: str) -> None:
    """Say where the server listens and which process it is; whole or not at all, for this user alone."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump({"url": url, "pid": os.getpid()}, file)
    unfinished.replace(path)


def _config(house: House, place: Place) -> uvicorn.Config:
    app = make_app(house)
    answering = Answering(house.journal, house.metrics)
    return uvicorn.Config(
        app,
        http=bounded_protocol(house.settings.limits, answering),
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        timeout_keep_alive=_KEEP_ALIVE,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_LAST_ANSWERS,
        ssl_certfile=place.certificate or None,
        ssl_keyfile=place.key or None,
    )


def _refuse_bad_certificate(place: Place) -> None:
    if not place.certificate:
        return
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(place.certificate, place.key, password="")
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise UsageError(
            f"the certificate or its key cannot be used ({error})",
            where=place.certificate,
            remedy="name a PEM file of each, the key without a passphrase",
        ) from error


def _listener(place: Place) -> socket.socket:
    try:
        found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        listener = socket.socket(family, kind, protocol)
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(1024)
    except OSError as error:
        raise UsageError(
            f"cannot listen on {place.host}:{place.port} ({error.strerror})", remedy="name another --host or --port"
        ) from error
    return listener


def _address(place: Place, listener: socket.socket) -> str:
    host = f"[{place.host}]" if ":" in place.host else place.host
    return f"{place.scheme}://{host}:{listener.getsockname()[1]}"
