"""Opens the remote backend: a token of the user's for the policy's address, and the card of the server's model."""

from __future__ import annotations

import importlib.util
import os
from typing import TYPE_CHECKING

from d2b_gate.backends.told import REMOTES, apart, tell_once
from d2b_gate.core.errors import UnavailableError
from d2b_gate.core.fingerprint import SPOKEN
from d2b_gate.core.printable import printable
from d2b_gate.core.remote import PROTOCOL

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from d2b_gate.backends.remote.backend import RemoteBackend
    from d2b_gate.backends.remote.binding import Bound
    from d2b_gate.core.ports import ModelCard, Progress
    from d2b_gate.core.rules import ModelSpec

GREETING = 10.0  # seconds of trying to reach a server at all; a hook may then leave the judgement to CI
FAKE, ALLOW_FAKE = "fake", "D2B_GATE_ALLOW_FAKE"
"""The card of a server that runs no model, and the variable with which a user tries one nevertheless."""
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
    opened = connect(server, spec, progress)
    text = f"rows of the change are sent to {server.origin}, which runs the model; this is said once"
    tell_once(kept_of(server, cache), server.origin, text, progress)
    return opened


def connect(server: Bound, spec: ModelSpec, progress: Progress, patience: float = GREETING) -> RemoteBackend:
    """Ask a server for its model's card, trying for ``patience`` seconds to reach it."""
    from d2b_gate.backends.remote.backend import RemoteBackend
    from d2b_gate.backends.remote.heard import card
    from d2b_gate.backends.remote.jobs import Jobs
    from d2b_gate.backends.remote.line import Line

    line = Line(server, patience)
    model = said_model(spec)
    table = line.ask("POST", "/v1/model", {"model": model}).table
    ours = (PROTOCOL, SPOKEN)
    if (table.get("protocol"), table.get("feature_version")) != ours:
        theirs = str(table.get("gate_version"))[:20]
        raise UnavailableError(
            f"{server.origin} runs d2b-gate {theirs!r}, which computes features differently",
            remedy="install the same version on both sides",
        )
    identity = card(table.get("card"))
    _require_asked(identity, spec, server)
    return RemoteBackend(identity, model, Jobs(line, progress.advance))


def _require_asked(theirs: ModelCard, spec: ModelSpec, server: Bound) -> None:
    """A server that answers for another model than the policy's would give a verdict on that one.

    Raises:
        UnavailableError: it does; the fake model only where the user's environment says that it is to be tried.
    """
    if theirs.id == FAKE and os.environ.get(ALLOW_FAKE) == "1":
        return
    asked, found = (spec.id, spec.dtype), (theirs.id, theirs.dtype)
    if asked != found or (spec.revision and spec.revision != theirs.revision) or theirs.max_length > spec.max_length:
        what = f"{server.origin} answers for the model {printable(theirs.id)} ({printable(theirs.dtype)})"
        remedy = f"the policy names {spec.id} ({spec.dtype}): start the server with that one"
        if theirs.id == FAKE:
            remedy = f"that is none; to try the way there and back without a model, set {ALLOW_FAKE}=1"
        raise UnavailableError(what, remedy=remedy)


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


def kept_of(server: Bound, cache: Path) -> Path:
    """Where everything lies that an origin said."""
    return apart(cache, REMOTES, server.origin)
