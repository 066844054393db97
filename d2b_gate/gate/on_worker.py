"""What a worker of a cluster opens: the model of its own machine, perhaps behind a store of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from d2b_gate.gate.caching import CachingBackend
from d2b_gate.registry import load
from d2b_gate.store.bound import bound_of_machine
from d2b_gate.store.paths import cache_root
from d2b_gate.store.sqlite import open_store

if TYPE_CHECKING:
    from d2b_gate.core.ports import Backend, Progress
    from d2b_gate.core.rules import ModelSpec


def open_backend(spec: ModelSpec, cache: Path, checkout: Path | None, progress: Progress, url: str = "") -> Backend:
    """Return the local backend of a model that lies in this machine's cache; the caller's directories are not here.

    ``url`` names a directory on this machine's own disk: rows whose features it holds are not computed again. How large
    it may grow is what this machine's environment says.
    """
    del cache, checkout
    backend: Backend = load("backends", "local").open_backend(spec, cache_root(), None, progress)
    return CachingBackend(backend, open_store(Path(url), bound_of_machine()), progress) if url else backend
