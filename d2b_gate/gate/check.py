"""`check`: the main job, one short function per stage, in the order in which a change meets them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.core.errors import EvaluationError, UnavailableError, UsageError
from d2b_gate.core.fingerprint import fingerprint_with_keys
from d2b_gate.core.row_lists import in_key_order
from d2b_gate.core.verdict import Provenance, Verdict
from d2b_gate.gate.dataset import compare, file_changes
from d2b_gate.gate.evaluate import evaluate, judged, noise_from
from d2b_gate.gate.explaining import explained
from d2b_gate.gate.guard import guarded
from d2b_gate.gate.row_schemas import schema_findings
from d2b_gate.gate.waiving import touched_by, waived, waiver_notes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from d2b_gate.core.rules import Policy
    from d2b_gate.core.verdict import RowFinding
    from d2b_gate.gate.dataset import DatasetChange
    from d2b_gate.gate.explaining import Explaining
    from d2b_gate.gate.ports import Ports, Request


def run(request: Request, ports: Ports, explain: Explaining = explained) -> Verdict:
    """Judge a change by its policy; ``explain`` adds what is for people, and no status.

    Raises:
        GateError: the data, the model or a control cannot be used; a rule that cannot be measured becomes a finding.
    """
    started = ports.clock()
    changes = [compare(spec, request.scope, ports) for spec in request.policy.datasets]
    _refuse_unjudged(request.policy, changes)
    row_findings = tuple(finding for change in changes for finding in schema_findings(change, ports))
    try:
        evaluation = evaluate(changes, request, ports, started)
    except UnavailableError as error:
        raise _with_broken_rows(error, row_findings) from error
    measured = evaluation.measured
    changes_by_group = [(one.group.rules, touched_by(one.group.job)) for one in measured]
    touched = {rule.id: change for rules, change in changes_by_group for rule in rules}
    findings, looked = guarded(judged(measured, request), measured, request, ports, started)
    findings, rechecked = explain(findings, measured, request, ports, started)
    findings = waived(findings, request.waivers, touched)
    return Verdict(
        provenance=_provenance(request, ports, noise_from(measured)),
        files=file_changes(changes),
        rows_before=sum(change.diff.before_count for change in changes),
        rows_after=sum(change.diff.after_count for change in changes),
        rows_cached=sum(change.cached for change in changes),
        findings=findings,
        row_findings=row_findings,
        controls=evaluation.controls,
        notes=(*evaluation.notes, *looked, *rechecked, *waiver_notes(findings, request.waivers, touched)),
        seconds=ports.clock() - started,
        fingerprint=_fingerprint(request, changes, ports),
    )


def fingerprint_of(request: Request, ports: Ports) -> str:
    """What the verdict of `run` would be called; needs no model."""
    return _fingerprint(request, [compare(spec, request.scope, ports) for spec in request.policy.datasets], ports)


def _with_broken_rows(error: UnavailableError, broken: Sequence[RowFinding]) -> EvaluationError:
    """An unavailable model may be left to CI; rows that break their schema may not, and need no model to be seen."""
    if not broken:
        return error
    what = (
        f"{len(broken)} rows break their schema, the first at {broken[0].path}:{broken[0].line}; besides, {error.what}"
    )
    return EvaluationError(what, where=error.where, remedy=error.remedy)


def _refuse_unjudged(policy: Policy, changes: Sequence[DatasetChange]) -> None:
    """A changed dataset that no rule judges would pass without a word."""
    if any(not rule.datasets for rule in policy.rules):
        return
    judged = {name for rule in policy.rules for name in rule.datasets}
    for change in changes:
        if change.spec.name not in judged and not change.diff.empty:
            raise UsageError(
                f"no rule judges the dataset {change.spec.name!r}, and its rows changed",
                where=change.spec.origin or policy.path,
                remedy="name it in a rule's 'datasets', or let a rule judge all of them",
            )


def _provenance(request: Request, ports: Ports, null: str) -> Provenance:
    card = ports.backend.card
    method, regime = request.policy.method, request.policy.method.regime
    return Provenance(
        gate_version=ports.version,
        policy_path=request.policy.path,
        policy_digest=request.policy.digest,
        scope=request.scope.label,
        model_id=card.id,
        model_revision=card.revision,
        tokenizer_hash=card.tokenizer_hash,
        dtype=card.dtype,
        device=card.device,
        predictor=method.predictor,
        regime=f"{regime.kind} r={regime.rank} alpha={regime.alpha:g} {regime.optimizer} lr={regime.learning_rate:g} "
        f"{regime.epochs:g} epochs, batch {regime.batch_size}",
        seed=method.seed,
        versions=card.versions,
        null=null,
        base_commit=request.scope.before.commit,
        commit=request.scope.after.commit,
    )


def _fingerprint(request: Request, changes: Sequence[DatasetChange], ports: Ports) -> str:
    """Name of the readings behind this verdict; limits are no part of it."""
    rows = (
        (
            (key for key, _, _ in in_key_order(part))
            for part in (change.diff.added, change.diff.removed, change.diff.kept)
        )
        for change in changes
    )
    asked = [(rule.probe, rule.target, rule.datasets) for rule in request.policy.rules]
    return fingerprint_with_keys("verdict", (ports.backend.card, request.policy.method, asked), rows)
