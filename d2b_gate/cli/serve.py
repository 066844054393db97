"""`serve`: settings checked, then a server until it is told to end."""

from __future__ import annotations

import importlib.util
import ipaddress
import os
from pathlib import Path
from typing import TYPE_CHECKING

from d2b_gate.cli.console import say
from d2b_gate.core.errors import EvaluationError, Exit, UsageError
from d2b_gate.core.rules import ModelSpec
from d2b_gate.store.paths import cache_root

if TYPE_CHECKING:
    from argparse import Namespace

    from d2b_gate.server.settings import Limits, Place, Settings

LIBRARIES = ("fastapi", "uvicorn", "prometheus_client", "numpy", "safetensors")
_DAY = 86_400.0
_HEAD = 10.0  # seconds for a request's head, or less where the whole of it has less


def run(arguments: Namespace) -> int:
    """Serve; returns when a signal or idleness has ended it."""
    _require_libraries()
    place, settings = _place(arguments), _settings(arguments)
    ready_file = Path(arguments.ready_file).absolute() if arguments.ready_file else None
    from d2b_gate.server.journal import Journal
    from d2b_gate.server.listening import serve, write_ready_file

    def ready(url: str) -> None:
        if ready_file is not None:
            write_ready_file(ready_file, url)

    if not serve(settings, place, Journal(say), ready):
        os._exit(int(Exit.OK))  # a thread inside of torch; taking the interpreter down around it would abort instead
    return int(Exit.OK)


def _require_libraries() -> None:
    missing = [name for name in LIBRARIES if importlib.util.find_spec(name) is None]
    if missing:
        raise EvaluationError(f"serve needs {' and '.join(missing)}", remedy='run: pip install "d2b-gate[serve]"')


def _place(arguments: Namespace) -> Place:
    from d2b_gate.server.settings import Place

    if bool(arguments.tls_cert) != bool(arguments.tls_key):
        raise UsageError(
            "a certificate needs its key, and a key its certificate", remedy="give --tls-cert and --tls-key"
        )
    if not arguments.tls_cert and not arguments.behind_proxy and not _is_loopback(arguments.host):
        raise UsageError(
            f"{arguments.host} can be reached by others, and tokens and rows would travel in the open",
            remedy="give --tls-cert and --tls-key, or --behind-proxy where a proxy in front ends TLS",
        )
    return Place(arguments.host, arguments.port, arguments.tls_cert, arguments.tls_key)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _settings(arguments: Namespace) -> Settings:
    from d2b_gate.server.settings import Settings
    from d2b_gate.server.tokens import ENVIRONMENT, read_tokens

    tokens = read_tokens(arguments.tokens, os.environ)
    os.environ.pop(ENVIRONMENT, None)  # what is started from here has no need of it
    return Settings(
        tokens=tokens,
        state=Path(arguments.state).absolute() if arguments.state else cache_root() / "serve",
        cache=cache_root(),
        models=tuple(dict.fromkeys(_spec(text, arguments.dtype) for text in arguments.model or [ModelSpec().id])),
        backend=arguments.backend,
        devices=tuple(dict.fromkeys(arguments.device or ["auto"])),
        limits=_limits(arguments),
        grace_seconds=arguments.grace,
        idle_seconds=arguments.idle,
        preload=arguments.preload,
        open_metrics=arguments.open_metrics,
    )


def _spec(text: str, dtype: str) -> ModelSpec:
    id_, _, revision = text.partition("@")
    if not id_:
        raise UsageError(f"{text!r} names no model", remedy="write --model ID or --model ID@REVISION")
    return ModelSpec(id_, revision, dtype)


def _limits(arguments: Namespace) -> Limits:
    from d2b_gate.server.settings import Limits

    return Limits(
        body_bytes=arguments.max_body,
        rows=arguments.max_rows,
        row_bytes=arguments.max_row_bytes,
        job_seconds=arguments.max_seconds,
        waiting=arguments.max_queue,
        arrival_seconds=arguments.max_arrival,
        head_seconds=min(_HEAD, arguments.max_arrival),
        connections=arguments.max_connections,
        kept_seconds=arguments.keep_days * _DAY,
        kept_bytes=arguments.keep_bytes,
    )
