"""`doctor`, for models that run in another process: who may be asked, and whether it answers. No rows are sent."""

from __future__ import annotations

import importlib.util
from importlib import metadata
from typing import TYPE_CHECKING

from d2b_gate.cli.doctor_check import Check
from d2b_gate.core.errors import GateError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from d2b_gate.core.rules import Policy


def remote(policy: Policy) -> Iterator[Check]:
    """The token that the user bound to the policy's address, and the server's card."""
    yield from _light()
    from d2b_gate.backends.remote.binding import bound
    from d2b_gate.backends.remote.opening import connect
    from d2b_gate.cli.progress import Silent

    try:
        server = bound(policy.backend.url)
    except GateError as error:
        yield Check("backend", "missing", error.what, error.remedy)
        return
    try:
        card = connect(server, policy.model, Silent(quiet=True), patience=1.0).card
    except GateError as error:
        yield Check("backend", "missing", error.what, error.remedy)
        return
    yield Check("backend", "ok", f"{server.origin} runs {card.id} on {card.device} as {card.dtype}")


def warm() -> Iterator[Check]:
    """What it takes to start a server here."""
    from d2b_gate.backends.remote.warm import SERVING

    yield from _light()
    missing = [library for library in SERVING if importlib.util.find_spec(library) is None]
    if missing:
        yield Check("backend", "missing", f"no {', '.join(missing)}", 'run: pip install "d2b-gate[serve]"')
    else:
        yield Check("backend", "ok", "a server on this machine, started by the first check that needs it")


def ray(policy: Policy) -> Iterator[Check]:
    """The library, and the cluster that the user lets rows go to; none is started or joined."""
    from d2b_gate.backends.ray.cluster import require_ray
    from d2b_gate.backends.ray.settings import LOCAL, address_of

    try:
        require_ray()
        address = address_of(policy.backend.url)
    except GateError as error:
        yield Check("backend", "missing", error.what, error.remedy)
        return
    where = "started on this machine when it is needed" if address == LOCAL else f"at {address}, not asked now"
    yield Check("backend", "ok", f"ray {metadata.version('ray')}, a cluster {where}")


def is_local(policy: Policy) -> bool:
    """Whether the workers of a policy's cluster are this machine's."""
    from d2b_gate.backends.ray.settings import LOCAL, address_of

    try:
        return address_of(policy.backend.url) == LOCAL
    except GateError:
        return False


def _light() -> Iterator[Check]:
    from d2b_gate.backends.remote.opening import require_libraries

    try:
        require_libraries()
    except GateError as error:
        yield Check("libraries", "missing", error.what, error.remedy)
