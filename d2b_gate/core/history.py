"""What earlier results said of the same rules: a line of predicted shifts over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from d2b_gate.core.verdict import Shift

if TYPE_CHECKING:
    from collections.abc import Sequence

    from d2b_gate.core.rules import Rule
    from d2b_gate.core.verdict import Finding, Status, Verdict


@dataclass(frozen=True, slots=True)
class Past:
    """An earlier result, and when it was stored (UTC, as people read it)."""

    when: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class PastShift:
    """What one earlier result predicted for a rule."""

    when: str
    scope: str
    result: str  # the fingerprint of the earlier result
    status: Status
    shift: Shift


def comparable(one: Verdict, other: Verdict) -> bool:
    """Whether two results come from the same policy file, model and predictor, so that their shifts form one line."""
    return _standing(one) == _standing(other)


def _standing(verdict: Verdict) -> tuple[str, str, str, str]:
    provenance = verdict.provenance
    return provenance.policy_path, provenance.model_id, provenance.model_revision, provenance.predictor


def past_shifts(finding: Finding, past: Sequence[Past]) -> tuple[PastShift, ...]:
    """The shifts that earlier results predicted for the finding's question, in the order given.

    A rule that asked something else under the same name then, or that was not measured, has no point in the line.
    """
    return tuple(
        PastShift(one.when, one.verdict.provenance.scope, one.verdict.fingerprint, then.status, then.shift)
        for one in past
        for then in one.verdict.findings
        if isinstance(then.shift, Shift)
        and _question(then.rule) == _question(finding.rule)
        and then.unit == finding.unit
    )


def _question(rule: Rule) -> tuple[str, str, str, tuple[str, ...]]:
    return rule.id, rule.probe, rule.target, rule.datasets
