"""The whole policy, read with the registry's names and the probes of its own state; needs no numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.core.policy_change import Stated
from d2b_gate.policy.known import Known
from d2b_gate.policy.packs import pack_reader
from d2b_gate.policy.read import read_effective
from d2b_gate.probes.catalogue import Catalogue, pack_root
from d2b_gate.registry import PREDICTORS, load_all

if TYPE_CHECKING:
    from collections.abc import Callable

    from d2b_gate.core.rules import Policy
    from d2b_gate.policy.find import Found
    from d2b_gate.policy.read import Effective


def read_the_policy(found: Found, reader: Callable[[str], str | None]) -> tuple[Policy, Catalogue]:
    """Read the policy and the catalogue of probes it draws on, both from the state that ``reader`` reads."""
    effective, catalogue = read_the_effective(found, reader)
    return effective.policy, catalogue


def read_the_effective(found: Found, reader: Callable[[str], str | None]) -> tuple[Effective, Catalogue]:
    """Like `read_the_policy`, keeping where each value was set."""
    kinds = load_all("probe_kinds")
    catalogue = Catalogue(pack_root(), reader, kinds)
    effective = read_effective(
        found.text,
        found.path,
        packs=pack_reader(pack_root(), reader),
        probes=catalogue,
        kinds=kinds,
        known=known_names(),
    )
    return effective, catalogue


def read_stated(found: Found, reader: Callable[[str], str | None]) -> Stated:
    """The policy with its probes and places, to compare with another."""
    effective, catalogue = read_the_effective(found, reader)
    return Stated(effective.policy, catalogue, effective.merged.where)


def known_names() -> Known:
    """The registry's names, for the policy's checks."""
    shapes = load_all("shapes")
    roles = dict.fromkeys(column for shape in shapes.values() for column in shape.COLUMNS)
    return Known(tuple(PREDICTORS), tuple(load_all("containers")), tuple(shapes), tuple(roles))
