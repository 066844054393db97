"""What a server is told at its start; checked by `cli.serve`, and never changed afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from d2b_gate.core.rules import ModelSpec
    from d2b_gate.server.tokens import Tokens

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request, one job and one token may cost. The defaults are our choice."""

    body_bytes: int = 64 * 2**20  # a request; clients send rows in portions of four million characters
    rows: int = 10_000  # rows in a request
    row_bytes: int = 16 * 2**20  # one row, as ASCII JSON; the largest that is read from a file
    job_seconds: float = 6 * 3600.0  # one job, once it runs
    waiting: int = 64  # queued jobs of a token
    waiting_bytes: int = 128 * 2**20  # of what they ask, all those of a token together
    result_bytes: int = 2 * 2**30  # arrays of one result; clients ask for 16 MiB of features of rows at once
    arrival_seconds: float = 60.0  # until the whole of a request has arrived
    head_seconds: float = 10.0  # until the head of a request has arrived
    connections: int = 512  # open at once, of all clients
    requests: int = 128  # of one token, being answered at once; a stream of events is one
    kept_seconds: float = 14 * DAY  # rows and results that nobody asked for in this time are forgotten
    kept_bytes: int = 20 * 2**30  # of one token: rows, results and features, each


@dataclass(frozen=True, slots=True)
class Place:
    """Where the server listens; ``certificate`` and ``key`` are empty where it speaks plain HTTP."""

    host: str = "127.0.0.1"
    port: int = 8443
    certificate: str = ""
    key: str = ""

    @property
    def scheme(self) -> str:
        """``https`` or ``http``."""
        return "https" if self.certificate else "http"


@dataclass(frozen=True, slots=True)
class Settings:
    """One server. ``idle_seconds`` 0 means that it never stops by itself."""

    tokens: Tokens
    state: Path
    cache: Path
    models: tuple[ModelSpec, ...]
    backend: str = "local"
    devices: tuple[str, ...] = ("auto",)
    limits: Limits = field(default_factory=Limits)
    grace_seconds: float = 30.0
    idle_seconds: float = 0.0
    preload: bool = False
    open_metrics: bool = False
