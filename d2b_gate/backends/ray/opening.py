"""Opens the cluster backend: which cluster, and what its workers hold. A local cluster starts when a verb needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate import __version__
from d2b_gate.backends.ray.backend import RayBackend
from d2b_gate.backends.ray.cluster import require_ray
from d2b_gate.backends.ray.pool import Pool
from d2b_gate.backends.ray.settings import LOCAL, address_of, workers_store
from d2b_gate.backends.ray.worker import Opened, Recipe, open_by
from d2b_gate.backends.told import RAYS, apart, tell_once
from d2b_gate.core.fingerprint import SPOKEN
from d2b_gate.core.printable import printable

if TYPE_CHECKING:
    from pathlib import Path

    from d2b_gate.core.ports import Progress
    from d2b_gate.core.rules import ModelSpec

ON_A_WORKER = "d2b_gate.gate.on_worker:open_backend"
"""What another machine's worker calls: it knows its own cache. A string, as in the registry: imported over there."""


_pools: dict[tuple[str, Recipe], Pool] = {}
"""One set of workers per model in a process: a second would wait for the cores and GPUs of the first."""


def open_backend(spec: ModelSpec, cache: Path, checkout: Path | None, progress: Progress, url: str = "") -> RayBackend:
    """Return the backend of a policy's model on the cluster at ``url``; no rows are sent yet.

    Raises:
        UsageError: nothing of the user's names that cluster.
        UnavailableError: Ray is not installed, nothing answers there, or the model is not where it runs.
    """
    address = address_of(url)
    require_ray()
    if address == LOCAL:
        return on_this_machine(Recipe(spec, str(cache), str(checkout or "")), progress)
    text = f"rows of the change are sent to the ray cluster {printable(address)}; this is said once"
    tell_once(kept_of(address, cache), address, text, progress)
    pool = _pool(address, Recipe(spec, "", "", workers_store(), ON_A_WORKER))
    return RayBackend(pool.card(), pool, progress)


def on_this_machine(recipe: Recipe, progress: Progress) -> RayBackend:
    """The backend of a local cluster, its card read here: what is known already starts no cluster."""
    card = open_by(recipe, progress).card
    return RayBackend(card, _pool(LOCAL, recipe, Opened(__version__, SPOKEN, card)), progress)


def kept_of(address: str, cache: Path) -> Path:
    """Where everything lies that a cluster said; one of this machine is no other's."""
    return cache if address == LOCAL else apart(cache, RAYS, address)


def _pool(address: str, recipe: Recipe, expected: Opened | None = None) -> Pool:
    """The workers of this model; those of another one are let go."""
    key = (address, recipe)
    for other in [one for one in _pools if one != key]:
        _pools.pop(other).close()
    return _pools.setdefault(key, Pool(address, recipe, expected))
