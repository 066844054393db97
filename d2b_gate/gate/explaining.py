"""What explains the judged rules: examples and blame for each that a person must act on, and a check of the blame."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from d2b_gate.core.errors import EvaluationError
from d2b_gate.core.verdict import Status
from d2b_gate.gate.blaming import blame_alone
from d2b_gate.gate.explain import explain
from d2b_gate.gate.recheck import recheck
from d2b_gate.gate.remembered import UNHAD
from d2b_gate.gate.samples import with_samples
from d2b_gate.gate.telling import told

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from d2b_gate.core.verdict import Finding
    from d2b_gate.gate.evaluate import GroupEvidence
    from d2b_gate.gate.ports import Ports, Request

    Places = Mapping[str, tuple[GroupEvidence, int]]
    Explaining = Callable[
        [Sequence[Finding], Sequence[GroupEvidence], Request, Ports, float], tuple[tuple[Finding, ...], tuple[str, ...]]
    ]


def explained(
    findings: Sequence[Finding], measured: Sequence[GroupEvidence], request: Request, ports: Ports, started: float
) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """Return the findings with what explains them, and notes on it."""
    places = _places(measured, ports)
    findings, rechecked = _rechecked(_explained(findings, places, request, ports), places, request, ports, started)
    findings = tuple(_sampled(finding, places, request, ports) for finding in findings)
    findings, missing = told(findings, places, request, ports, started)
    return findings, (*rechecked, *missing)


def unexplained(
    findings: Sequence[Finding], measured: Sequence[GroupEvidence], request: Request, ports: Ports, started: float
) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """Return the findings as they are, for a verdict that no person reads."""
    del measured, request, ports, started
    return tuple(findings), ()


def _explained(findings: Sequence[Finding], places: Places, request: Request, ports: Ports) -> tuple[Finding, ...]:
    """Add examples and blame; a verdict stands without them if they cannot be had."""
    most = request.policy.method.max_changed
    explained: list[Finding] = []
    for finding in findings:
        one, index = places.get(finding.rule.id, (None, 0))
        try:
            if one is not None:
                finding = explain(finding, one.asked[index], one.asking, index, one.group.job, most, ports)
        except EvaluationError as error:
            finding = replace(finding, reason=f"{finding.reason} (the rows to blame {UNHAD}: {error.what})")
        explained.append(finding)
    return tuple(explained)


def _places(measured: Sequence[GroupEvidence], ports: Ports) -> Places:
    """Where each rule was measured: its group, and which of the group's questions is its own."""
    return {
        rule.id: (one, index)
        for one in measured
        for rule in one.group.rules
        for index, question in enumerate(one.asked)
        if (question.probe.id, question.target) == (ports.probes(rule.probe).id, rule.target)
    }


def _rechecked(
    findings: Sequence[Finding], places: Places, request: Request, ports: Ports, started: float
) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """Look closer at the blame of the worst failure and check it, if time is left; once a run, whatever fails."""
    worst = next((one for one in findings if one.status is Status.FAIL and not _is_checked(one)), None)
    if worst is None or ports.clock() - started > request.policy.budget.seconds:
        return tuple(findings), ()
    group, index = places[worst.rule.id]
    asked, job, method = group.asked[index], group.group.job, request.policy.method
    try:
        sharper = blame_alone(worst, asked, job, method.max_changed, ports)
        checked, note = recheck(sharper, asked, group.asking, index, job, method, ports)
    except EvaluationError as error:
        checked, note = worst, f"{worst.rule.id}: a check of the blamed rows {UNHAD} ({error.what})"
    return tuple(checked if one is worst else one for one in findings), (note,) if note else ()


def _sampled(finding: Finding, places: Places, request: Request, ports: Ports) -> Finding:
    """Add a few of the blamed rows, as the policy lets them be shown."""
    if not finding.blame:
        return finding
    job = places[finding.rule.id][0].group.job
    return replace(finding, blame=with_samples(finding.blame, job, request.policy.show_samples, ports))


def _is_checked(finding: Finding) -> bool:
    """Whether nothing is blamed, or only rows that were trained on alone."""
    return all(blame.basis == "checked" for blame in finding.blame)
