"""The dilution guard: few bad rows vanish in a big mean, so parts of a change are judged besides the whole."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from d2b_gate.core.errors import EvaluationError
from d2b_gate.core.judge import Evidence
from d2b_gate.core.verdict import Status
from d2b_gate.gate.parts import Judged, Looked, look
from d2b_gate.gate.remembered import UNLOOKED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from d2b_gate.core.rules import Policy
    from d2b_gate.core.verdict import Finding, View
    from d2b_gate.gate.evaluate import GroupEvidence
    from d2b_gate.gate.ports import Ports, Request


def guarded(
    findings: Sequence[Finding], measured: Sequence[GroupEvidence], request: Request, ports: Ports, started: float
) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """Return the findings with what the guard saw, and notes on it.

    It looks whatever the findings are, so that a limit can change without the model being asked again.

    Raises:
        EvaluationError: the policy lets the guard block, nothing else does, and it could not look at every added row.
    """
    policy = request.policy
    if policy.dilution_guard == "off" or not measured:
        return tuple(findings), ()
    must = policy.dilution_guard == "fail" and not any(one.blocks for one in findings)
    if ports.clock() - started > policy.budget.seconds:
        if must:
            raise _no_time("the dilution guard did not look")
        return tuple(findings), ("the dilution guard did not look: the time budget was spent (budget.seconds)",)
    try:
        looks = [_looked(group, policy, ports, started) for group in measured]
    except EvaluationError as error:
        if must:
            raise
        return tuple(findings), (f"{UNLOOKED} ({error.what})",)
    seen = [one for looked in looks for one in looked.views]
    notes = tuple(dict.fromkeys(looked.note for looked in looks if looked.note))
    guarded = tuple(_with(one, [view for rule, view in seen if rule == one.rule.id], policy) for one in findings)
    if must and not all(looked.whole for looked in looks) and not any(one.blocks for one in guarded):
        raise _no_time("the dilution guard did not look at every added row")
    return guarded, notes


def _no_time(what: str) -> EvaluationError:
    return EvaluationError(
        f"{what}: the time budget was spent",
        remedy='run again, it goes on where it stopped; or raise budget.seconds, or write dilution_guard = "warn"',
    )


def _looked(group: GroupEvidence, policy: Policy, ports: Ports, started: float) -> Looked:
    rules = [one.rule for one in group.evidence if isinstance(one, Evidence)]
    asked = [Judged(rule, question) for rule, question in zip(rules, group.asked, strict=True)]
    return look(group.group.job, asked, policy.method, ports, lambda: ports.clock() - started > policy.budget.seconds)


def _with(finding: Finding, views: Sequence[View], policy: Policy) -> Finding:
    """The finding with its views; one that fired makes it worse than the whole change alone would."""
    finding = replace(finding, views=tuple(views))
    fired = next((view for view in views if view.fired), None)
    if fired is None or finding.status in (Status.FAIL, Status.WAIVED, Status.ERROR):
        return finding
    said = (
        f"the {fired.name} ({fired.rows} of the added rows, weighted as {fired.standing_for:g}) would shift it past the"
        " limit; the whole change is not predicted to"
    )
    blame = tuple(replace(place, basis="checked") for place in fired.places)
    if policy.dilution_guard == "fail":
        return replace(finding, status=Status.FAIL, blocks=True, reason=said, blame=blame)
    if finding.status is Status.INCONCLUSIVE:
        return replace(finding, reason=f"{finding.reason}; besides, {said}", blame=blame)
    return replace(finding, status=Status.WARN, reason=said, blame=blame)
