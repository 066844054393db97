"""Opens the remote backend: a token of the user's for the policy's address, and the card of the server's model."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from d2b_gate.core.errors import UnavailableError
from d2b_gate.core.fingerprint import FEATURE_VERSION
from d2b_gate.core.remote import PROTOCOL

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from d2b_gate.backends.remote.backend import RemoteBackend
    from d2b_gate.backends.remote.binding import Bound
    from d2b_gate.core.ports import Progress
    from d2b_gate.core.rules import ModelSpec

GREETING = 10.0  # seconds of trying to reach a server at all; a hook may then leave the judgement to CI
LIBRARIES = ("numpy", "safetensors")


def open_backend(
    spec: ModelSpec, cache: Path, checkout: Path | None, progress: Progress, url: str = ""
) -> RemoteBackend:
    """Return the backend of a policy's model on the server at ``url``; no rows are sent yet.

    Raises:
        UsageError: no token of the user's belongs to that address, or the server refuses token or model.
        UnavailableError: the server cannot be reached, is of another version, or a library is missing here.
    """
    from d2b_gate.backends.remote.binding import bound

    del checkout
    server = bound(url)
    require_libraries()
    _tell_once(server, cache, progress)
    return connect(server, spec, progress)


def connect(server: Bound, spec: ModelSpec, progress: Progress, patience: float = GREETING) -> RemoteBackend:
    """Ask a server for its model's card, trying for ``patience`` seconds to reach it."""
    from d2b_gate.backends.remote.backend import RemoteBackend
    from d2b_gate.backends.remote.heard import card
    from d2b_gate.backends.remote.jobs import Jobs
    from d2b_gate.backends.remote.line import Line

    line = Line(server, patience)
    model = said_model(spec)
    table = line.ask("POST", "/v1/model", {"model": model}).table
    ours = (PROTOCOL, FEATURE_VERSION)
    if (table.get("protocol"), table.get("feature_version")) != ours:
        theirs = str(table.get("gate_version"))[:20]
        raise UnavailableError(
            f"{server.origin} runs d2b-gate {theirs!r}, which computes features differently",
            remedy="install the same version on both sides",
        )
    return RemoteBackend(card(table.get("card")), model, Jobs(line, progress.advance))


def said_model(spec: ModelSpec) -> Mapping[str, object]:
    """The policy's model as a server is asked for it; which device it runs on is the server's affair."""
    return {
        "id": spec.id,
        "revision": spec.revision,
        "dtype": spec.dtype,
        "max_length": spec.max_length,
        "sha256": spec.sha256,
    }


def require_libraries() -> None:
    """See that the light libraries of a client are here.

    Raises:
        UnavailableError: one is not.
    """
    missing = [library for library in LIBRARIES if importlib.util.find_spec(library) is None]
    if missing:
        raise UnavailableError(
            f"a remote backend needs {' and '.join(missing)} here", remedy='run: pip install "d2b-gate[remote]"'
        )


def _tell_once(server: Bound, cache: Path, progress: Progress) -> None:
    """At the first use of an address the person is told that rows go there; every report says it anyway."""
    import hashlib

    mark = cache / "remotes" / hashlib.sha256(server.origin.encode()).hexdigest()[:16]
    if mark.exists():
        return
    progress.note(f"rows of the change are sent to {server.origin}, which runs the model; this is said once")
    try:
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.write_text(server.origin + "\n", encoding="utf-8")
    except OSError:
        return  # then it is said again
