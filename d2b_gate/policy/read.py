"""A policy file, and what it extends, to the core `Policy`; every problem at once, with file and line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from d2b_gate.core.errors import PolicyError, UsageError
from d2b_gate.policy import models
from d2b_gate.policy.build import build
from d2b_gate.policy.check_rules import ProbeShelf, dataset_name_faults, limit_faults, probe_faults
from d2b_gate.policy.checks import backend_faults, dataset_faults, method_faults, model_faults
from d2b_gate.policy.known import Known
from d2b_gate.policy.layers import readable_layers
from d2b_gate.policy.merge import merge
from d2b_gate.policy.sentences import MISSING, shape_problems

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from d2b_gate.core.errors import GateError
    from d2b_gate.core.ports import ProbeKind
    from d2b_gate.core.reading import Probe
    from d2b_gate.core.rules import Policy
    from d2b_gate.policy.checks import Faults
    from d2b_gate.policy.layers import Packs
    from d2b_gate.policy.locate import KeyPath
    from d2b_gate.policy.merge import Merged

_Table = TypeVar("_Table", bound=models.Strict)
_KNOWN = Known()
_DELTAS = ("warn_delta", "fail_delta")
_ENTANGLED: dict[type[models.Strict], frozenset[str]] = {
    models.ModelTable: frozenset({"id", "revision", "sha256"}),
    models.BackendTable: frozenset({"kind", "url"}),
    models.RuleTable: frozenset({"target"}),
}
"""Keys that explain each other: where one has the wrong shape, a check of the others would mislead."""


@dataclass(frozen=True, slots=True)
class Effective:
    """A policy, and the table that it was built from, which knows where every value was set."""

    policy: Policy
    merged: Merged


def read_effective(
    text: str,
    path: str,
    *,
    packs: Packs,
    probes: Callable[[str], Probe],
    kinds: Mapping[str, ProbeKind],
    known: Known = _KNOWN,
) -> Effective:
    """Read the policy in ``text``, and keep where its values come from; ``path`` is its display path.

    ``packs`` returns (text, display path) of an entry of ``extends``, ``probes`` the probe of a reference; both raise
    `UsageError` for what they do not have. ``known`` are the names of the registry.

    Raises:
        PolicyError: every problem of the policy, in the order of its lines.
    """
    layers, unread = readable_layers(text, path, packs)
    if not layers:
        raise PolicyError(unread)
    merged = merge(layers)
    shelf = ProbeShelf(probes, kinds)
    problems = [*unread, *merged.problems, *_table_problems(merged, known)]
    if unread:  # what is missing may stand in the files that cannot be read
        seen = {problem.where for problem in unread}
        problems += [
            one for one in shape_problems(merged.table, merged.where, without=MISSING) if one.where not in seen
        ]
    else:
        problems += [*shape_problems(merged.table, merged.where), *_emptiness(merged)]
        problems += [*_rule_problems(merged, shelf), *shelf.problems]
    if problems:
        raise PolicyError(sorted({str(problem): problem for problem in problems}.values(), key=_position))
    return Effective(build(models.PolicyTable.model_validate(merged.table), path, merged.where), merged)


def _emptiness(merged: Merged) -> Iterator[GateError]:
    """A policy that judges nothing would let everything pass."""
    for key in ("dataset", "rule"):
        if not merged.table.get(key):
            yield UsageError(
                f"the policy has no [[{key}]]", where=merged.where((key,)), remedy="nothing would be judged"
            )


def _table_problems(merged: Merged, known: Known) -> Iterator[GateError]:
    """Check every table that has the right shape, whatever is wrong with the others."""
    if model := _valid(models.ModelTable, merged.table.get("model", {})):
        yield from _placed(model_faults(model), ("model",), merged)
    if method := _valid(models.MethodTable, merged.table.get("method", {})):
        yield from _placed(method_faults(method, known), ("method",), merged)
    if backend := _valid(models.BackendTable, merged.table.get("backend", {})):
        yield from _placed(backend_faults(backend), ("backend",), merged)
    for index, entry in enumerate(_entries(merged, "dataset")):
        if dataset := _valid(models.DatasetTable, entry):
            yield from _placed(dataset_faults(dataset, known), ("dataset", index), merged)


def _rule_problems(merged: Merged, shelf: ProbeShelf) -> Iterator[GateError]:
    names = [str(entry.get("name")) for entry in _entries(merged, "dataset") if isinstance(entry, dict)]
    for index, entry in enumerate(_entries(merged, "rule")):
        at: KeyPath = ("rule", index)
        if rule := _valid(models.RuleTable, entry):
            yield from _placed(limit_faults(rule, merged.latest(at, _DELTAS)), at, merged)
            yield from _placed(dataset_name_faults(rule, names), at, merged)
            if probe := shelf.get(rule.probe, merged.where((*at, "probe"))):
                yield from _placed(probe_faults(rule, probe, shelf.targets(probe)), at, merged)


def _entries(merged: Merged, key: str) -> list[object]:
    entries = merged.table.get(key, [])
    return entries if isinstance(entries, list) else []


def _valid(kind: type[_Table], entry: object) -> _Table | None:
    """Return the table without its misshapen keys (`shape_problems` tells them); None if it cannot do without."""
    try:
        return kind.model_validate(entry)
    except ValidationError as error:
        wrong = {detail["loc"][0] for detail in error.errors(include_url=False) if detail["loc"]}
    if not isinstance(entry, dict) or wrong & _ENTANGLED.get(kind, frozenset()):
        return None
    try:
        return kind.model_validate({key: value for key, value in entry.items() if key not in wrong})
    except ValidationError:
        return None


def _placed(faults: Faults, at: KeyPath, merged: Merged) -> Iterator[GateError]:
    for path, what, remedy in faults:
        yield UsageError(what, where=merged.where((*at, *path)), remedy=remedy)


def _position(problem: GateError) -> tuple[str, int]:
    path, _, line = problem.where.rpartition(":")
    return path, int(line) if line.isdecimal() else 0
