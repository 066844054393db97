"""What the user's environment says of a cluster: which one rows may go to, and what each worker gets."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from d2b_gate.core.errors import UsageError
from d2b_gate.core.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

LOCAL = "local"
"""The address of a cluster that this process starts on this machine and ends with itself."""
ADDRESS = "D2B_GATE_RAY_ADDRESS"
"""The one cluster elsewhere that the user lets rows go to."""
WORKERS, CPUS, GPUS = "D2B_GATE_RAY_WORKERS", "D2B_GATE_RAY_CPUS", "D2B_GATE_RAY_GPUS"
WAIT = "D2B_GATE_RAY_WAIT"
STORE = "D2B_GATE_RAY_STORE"
PATIENCE = 300  # seconds without any worker; a cluster that grows by itself takes minutes for a machine
CORES_EACH = 8  # our choice: past this a forward pass of short rows gains little from one more
_ADDRESS = re.compile(r"(ray://[^@\s?#/]+:\d+|auto|local)\Z")


@dataclass(frozen=True, slots=True)
class Crew:
    """How many workers there are, and the logical resources of each."""

    count: int
    cpus: int
    gpus: int


def address_of(url: str) -> str:
    """The cluster of a policy's address; without one the user's own, and without that a local one.

    A repository alone may not choose where rows go, and whoever runs a cluster's head runs code in its clients.

    Raises:
        UsageError: the policy names a cluster that the user's environment does not, or that is no address.
    """
    own = os.environ.get(ADDRESS, "").strip()
    if own and not _is_address(own):
        raise UsageError(f"{ADDRESS}={printable(own[:80])} is no address", remedy="write ray://host:port or auto")
    if not url:
        return own or LOCAL
    if url not in (LOCAL, own):
        raise UsageError(
            f"the policy names the ray cluster {printable(url[:80])}, and nothing of yours does; nothing was sent",
            remedy=f"if rows may go there, set {ADDRESS} to that address",
        )
    return url


def _is_address(said: str) -> bool:
    """Whether it has the form of an address, with a host that can be looked up and a port that there can be."""
    if not _ADDRESS.match(said):
        return False
    if not said.startswith("ray://"):
        return True
    try:
        parts = urlsplit(said)
        return bool(parts.port and parts.hostname and parts.hostname.encode("idna"))
    except ValueError:  # a port past 65535, half a bracket, a name with an empty label
        return False


def crew_of(cpus: Sequence[float], gpus: float) -> Crew:
    """Deal a cluster's GPUs to workers, or each machine's cores, as the environment says or one GPU to each.

    A worker lies on one machine: one with more cores than any machine has would be waited for in vain.
    """
    gpus_each = _number(GPUS, 1 if gpus >= 1 else 0, least=0)
    wanted = min(CORES_EACH, max(1, int(max(cpus, default=0))))
    count = int(gpus // gpus_each) if gpus_each else _places(cpus, wanted)
    count = _number(WORKERS, max(1, count), least=1)
    return Crew(count, _number(CPUS, 1 if gpus_each else _most_each(cpus, count), least=1), gpus_each)


def _places(cpus: Sequence[float], each: int) -> int:
    """How many workers of so many cores the machines hold."""
    return sum(int(cores // each) for cores in cpus)


def _most_each(cpus: Sequence[float], count: int) -> int:
    """The most cores that each of so many workers can have at once; 1 where even that is too much."""
    sizes = range(int(max(cpus, default=0)), 1, -1)
    return next((each for each in sizes if _places(cpus, each) >= count), 1)


def local_cores() -> dict[str, object]:
    """How a local cluster counts its cores: as Ray finds them, or one per worker where more workers are wanted."""
    wanted = _number(WORKERS, 1, least=1)
    return {"num_cpus": wanted} if wanted > (os.cpu_count() or 1) else {}


def patience() -> int:
    """Seconds to wait for the first worker."""
    return _number(WAIT, PATIENCE, least=1)


def workers_store() -> str:
    """A directory on the workers' machines where features are kept; empty: only this process keeps them."""
    return os.environ.get(STORE, "").strip()


def _number(name: str, default: int, least: int) -> int:
    said = os.environ.get(name, "").strip()
    if not said:
        return default
    if not said.isdecimal() or int(said) < least:
        raise UsageError(f"{name}={printable(said[:20])} is no whole number of at least {least}", remedy="correct it")
    return int(said)
