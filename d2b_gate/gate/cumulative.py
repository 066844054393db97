"""The same training set held against the blessed baseline, so that many small shifts do not pass one by one."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from d2b_gate.core.baseline import Blessed, sorted_digest
from d2b_gate.core.change import Scope
from d2b_gate.core.errors import EvaluationError
from d2b_gate.core.fingerprint import fingerprint
from d2b_gate.core.row_lists import in_key_order
from d2b_gate.core.verdict import Since
from d2b_gate.gate.check import fingerprint_of, run
from d2b_gate.gate.dataset import rows_in
from d2b_gate.gate.explaining import explained
from d2b_gate.gate.ports import Request

if TYPE_CHECKING:
    from collections.abc import Sequence

    from d2b_gate.core.baseline import Baseline
    from d2b_gate.core.change import Snapshot
    from d2b_gate.core.rules import DatasetSpec, Policy, Rule
    from d2b_gate.core.verdict import Verdict
    from d2b_gate.gate.explaining import Explaining
    from d2b_gate.gate.ports import Ports, RowPorts


@dataclass(frozen=True, slots=True)
class Start:
    """Where the cumulative shift is counted from: the record, the files of its commit, and where it was written."""

    baseline: Baseline
    snapshot: Snapshot
    path: str


def with_cumulative(
    verdict: Verdict, request: Request, start: Start, ports: Ports, explain: Explaining = explained
) -> Verdict:
    """Add the findings since the baseline; a change without rows, and a policy without such limits, adds none.

    The second comparison is predicted as any change is: rows of the blessed commit before, rows of the head after,
    with the change's own rules whose fail_delta is their budget_delta. Holm's adjustment runs over those rules.

    Raises:
        EvaluationError: the blessed rows are not those that were recorded.
    """
    return held_against(verdict, request, start, ports, explain) if verdict.files else verdict


def held_against(
    verdict: Verdict, request: Request, start: Start, ports: Ports, explain: Explaining = explained
) -> Verdict:
    """As `with_cumulative`, and of a change without rows too: what stands since the baseline anyway."""
    policy = cumulative_policy(request.policy)
    if not policy.rules:
        return verdict
    refuse_other_rows(policy.datasets, start, ports)
    whole = run(Request(Scope(start.snapshot, request.scope.after), policy, request.context), ports, explain)
    added, removed = (sum(getattr(file, side) for file in whole.files) for side in ("added", "removed"))
    notes = [f"since the baseline: {note}" for note in whole.notes if note not in verdict.notes]
    return replace(
        verdict,
        since=(Since(whole.provenance.scope, added, removed, whole.findings),),
        notes=(*verdict.notes, *notes),
        seconds=verdict.seconds + whole.seconds,
        fingerprint=_joined(verdict.fingerprint, whole.fingerprint),
    )


def fingerprint_since(change: str, request: Request, start: Start, ports: Ports) -> str:
    """What the verdict of `with_cumulative` would be called, ``change`` being that on the change alone."""
    policy = cumulative_policy(request.policy)
    whole = Request(Scope(start.snapshot, request.scope.after), policy, request.context)
    return _joined(change, fingerprint_of(whole, ports)) if policy.rules else change


def _joined(change: str, whole: str) -> str:
    return fingerprint("since", (change, whole))


def cumulative_policy(policy: Policy) -> Policy:
    """The rules with a budget, which takes the place of their limits, and the datasets that they judge.

    A ceiling and a row schema are about the state or the row, and the guard about the rows of the change: the change's
    own findings hold them already.
    """
    rules = tuple(_budgeted(rule) for rule in policy.rules if math.isfinite(rule.budget_delta))
    judged = {name for rule in rules for name in rule.datasets}
    everything = any(not rule.datasets for rule in rules)
    datasets = tuple(replace(spec, row_schema="") for spec in policy.datasets if everything or spec.name in judged)
    return replace(policy, rules=rules, datasets=datasets, dilution_guard="off")


def _budgeted(rule: Rule) -> Rule:
    return replace(rule, fail_delta=rule.budget_delta, warn_delta=rule.budget_delta, max_level=math.inf)


def bless(datasets: Sequence[DatasetSpec], snapshot: Snapshot, ports: RowPorts) -> tuple[Blessed, ...]:
    """What every dataset holds in a state."""
    return tuple(_held(spec, snapshot, ports) for spec in datasets)


def _held(spec: DatasetSpec, snapshot: Snapshot, ports: RowPorts) -> Blessed:
    rows = rows_in(spec, snapshot, ports)
    return Blessed(spec.name, len(rows), sorted_digest(key for key, _, _ in in_key_order(rows)))


def other_rows(datasets: Sequence[DatasetSpec], start: Start, ports: RowPorts) -> tuple[str, ...]:
    """Datasets that, as the policy reads them, held other rows at the blessed commit than were recorded."""
    return tuple(spec.name for spec in datasets if _held(spec, start.snapshot, ports) != start.baseline.held(spec.name))


def refuse_other_rows(datasets: Sequence[DatasetSpec], start: Start, ports: RowPorts) -> None:
    """Refuse a baseline whose commit was edited by hand, or whose datasets were defined otherwise since."""
    if names := other_rows(datasets, start, ports):
        raise EvaluationError(
            f"the rows of {', '.join(map(repr, names))} at {start.baseline.commit[:7]} are not those that were blessed",
            where=start.path,
            remedy="the policy, or this version, reads them otherwise since, or the record was edited: look, then run "
            "d2b-gate baseline update",
        )
