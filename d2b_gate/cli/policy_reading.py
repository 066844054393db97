"""The whole policy, read with the registry's names and the probes of its own state; needs no numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.policy.known import Known
from d2b_gate.policy.packs import pack_reader
from d2b_gate.policy.read import read_policy
from d2b_gate.probes.catalogue import Catalogue, pack_root
from d2b_gate.registry import PREDICTORS, load_all

if TYPE_CHECKING:
    from collections.abc import Callable

    from d2b_gate.core.rules import Policy
    from d2b_gate.policy.find import Found


def read_the_policy(found: Found, reader: Callable[[str], str | None]) -> tuple[Policy, Catalogue]:
    """Read the policy and the catalogue of probes it draws on, both from the state that ``reader`` reads."""
    kinds = load_all("probe_kinds")
    catalogue = Catalogue(pack_root(), reader, kinds)
    policy = read_policy(
        found.text,
        found.path,
        packs=pack_reader(pack_root(), reader),
        probes=catalogue,
        kinds=kinds,
        known=known_names(),
    )
    return policy, catalogue


def known_names() -> Known:
    """The registry's names, for the policy's checks."""
    shapes = load_all("shapes")
    roles = dict.fromkeys(column for shape in shapes.values() for column in shape.COLUMNS)
    return Known(tuple(PREDICTORS), tuple(load_all("containers")), tuple(shapes), tuple(roles))
