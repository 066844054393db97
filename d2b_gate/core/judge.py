"""From readings to statuses: the formula that decides, pure and the same for every predictor."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from d2b_gate.core.calibration import NEAR
from d2b_gate.core.conditions import Asked, Condition, Way
from d2b_gate.core.interval import Estimate, estimate, holm
from d2b_gate.core.noise import Calibrated, Move
from d2b_gate.core.reading import Measured, Unmeasured
from d2b_gate.core.verdict import Finding, NoShift, Shift, Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from d2b_gate.core.calibration import Extent
    from d2b_gate.core.interval import Table
    from d2b_gate.core.noise import Noise
    from d2b_gate.core.rules import OnInconclusive, Rule

SIGNIFICANCE = 0.05
"""Adjusted p under which a violation counts; a contract, not a setting."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was measured for one rule: values[replicate][prompt] before and after, and how far that may be off."""

    rule: Rule
    title: str
    unit: str
    before: Table
    after: Table
    noise: Noise
    extent: Extent = NEAR


@dataclass(frozen=True, slots=True)
class Missing:
    """A rule that could not be measured, and why."""

    rule: Rule
    title: str
    unit: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Judged:
    """One rule's numbers before the adjustment over rules."""

    evidence: Evidence
    raw: Estimate
    delta: Estimate
    before: Estimate
    after: Estimate
    floor: float
    p: float


def judge(
    evidence: Sequence[Evidence | Missing], *, confidence: float, seed: int, on_inconclusive: OnInconclusive
) -> tuple[Finding, ...]:
    """Judge every rule, worst first. Holm's adjustment runs over the measured rules."""
    measured = [one for one in evidence if isinstance(one, Evidence)]
    missing = [_missing(one) for one in evidence if isinstance(one, Missing)]
    found = judge_each(measured, confidence=confidence, seed=seed, on_inconclusive=on_inconclusive)
    return worst_first([*found, *missing])


def judge_each(
    evidence: Sequence[Evidence], *, confidence: float, seed: int, on_inconclusive: OnInconclusive
) -> tuple[Finding, ...]:
    """One finding for each piece of evidence, in its order; the adjustment of p runs over all of them."""
    numbers = [_numbers(one, confidence, seed) for one in evidence]
    adjusted = holm([one.p for one in numbers])
    return tuple(_finding(one, p_adjusted, on_inconclusive) for one, p_adjusted in zip(numbers, adjusted, strict=True))


def worst_first(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Order by status, then by how far past the limit, then by name."""
    severity = list(Status)

    def key(finding: Finding) -> tuple[int, float, str]:
        shift = finding.shift
        excess = _towards(finding.rule, shift.delta) - finding.rule.fail_delta if isinstance(shift, Shift) else 0.0
        unit = excess / finding.rule.fail_delta if finding.rule.fail_delta > 0 else excess
        return severity.index(finding.status), -unit, finding.rule.id

    return tuple(sorted(findings, key=key))


def settled(findings: Sequence[Finding]) -> bool:
    """Whether measuring more could change nothing: every rule failed, or lies under its limit altogether."""
    return all(
        finding.status in (Status.FAIL, Status.ERROR)
        or (isinstance(finding.shift, Shift) and far_end(finding.rule, finding.shift) < finding.rule.fail_delta)
        for finding in findings
    )


def within(finding: Finding) -> bool:
    """Whether a rule surely passes without a word: OK, and all of the interval under the warning limit."""
    shift = finding.shift
    return (
        finding.status is Status.OK
        and isinstance(shift, Shift)
        and far_end(finding.rule, shift) < finding.rule.warn_delta
    )


def _numbers(evidence: Evidence, confidence: float, seed: int) -> _Judged:
    differences: Table = tuple(
        tuple(after - before for before, after in zip(*rows, strict=True))
        for rows in zip(evidence.before, evidence.after, strict=True)
    )
    before = estimate(evidence.before, confidence, seed)
    raw = estimate(differences, confidence, seed)
    move = Move(before.mean, raw, evidence.unit, len(evidence.before[0]), evidence.extent)
    delta = evidence.noise.shift(move, confidence)
    after = estimate(evidence.after, confidence, seed)
    if isinstance(evidence.noise, Calibrated):
        after = _moved(before, delta, evidence.unit)
    p = _p_value(evidence, move, delta, after)
    return _Judged(evidence, raw, delta, before, after, evidence.noise.floor(move, confidence), p)


def _moved(before: Estimate, delta: Estimate, unit: str) -> Estimate:
    """The level to expect after a calibrated shift, with the errors of both joined; a share stays a share."""
    low, high = (0.0, 1.0) if unit == "share" else (-math.inf, math.inf)
    mean = before.mean + delta.mean
    below = math.hypot(before.mean - before.low, delta.mean - delta.low)
    above = math.hypot(before.high - before.mean, delta.high - delta.mean)
    ends = [min(high, max(low, end)) for end in (mean, mean - below, mean + above)]
    return Estimate(ends[0], ends[1], ends[2], math.hypot(before.error, delta.error))


def _p_value(evidence: Evidence, move: Move, delta: Estimate, after: Estimate) -> float:
    """P of a shift (or level) this far past its limit, were the truth exactly at the limit."""
    rule = evidence.rule
    p = evidence.noise.tail(move, delta, rule.fail_delta, direction_of(rule, delta.mean))
    if rule.direction == "either":
        p *= 2
    if math.isfinite(rule.max_level):
        room = rule.max_level - move.before
        p = 2 * min(p, evidence.noise.tail(move, replace(delta, error=after.error), room, 1.0))
    return min(1.0, p)


def direction_of(rule: Rule, delta: float) -> float:
    """1 where the rule limits an increase, -1 where a decrease; of either, the way the shift goes."""
    if rule.direction == "either":
        return math.copysign(1.0, delta)
    return 1.0 if rule.direction == "increase" else -1.0


def _towards(rule: Rule, delta: float) -> float:
    """How far a shift goes in the direction that the rule limits."""
    return direction_of(rule, delta) * delta


def _near_end(rule: Rule, shift: Shift) -> float:
    """The end of the interval that is closer to no shift, counted in the rule's direction."""
    return min(direction_of(rule, shift.delta) * end for end in (shift.low, shift.high))


def beyond(rule: Rule, shift: Shift) -> bool:
    """Whether a shift surely lies past the rule's limit and past what clean changes do, multiplicity aside."""
    return _near_end(rule, shift) > rule.fail_delta and abs(shift.delta) > shift.noise


def far_end(rule: Rule, shift: Shift) -> float:
    """The end of the interval that is farther out in the rule's direction."""
    if rule.direction == "either":
        return max(abs(shift.low), abs(shift.high))
    return max(direction_of(rule, shift.delta) * end for end in (shift.low, shift.high))


def lies_past(rule: Rule, shift: Shift) -> bool:
    """Whether the shift itself, apart from its interval, is past the limit and the noise floor."""
    return abs(shift.delta) > shift.noise and _towards(rule, shift.delta) > rule.fail_delta


def _finding(judged: _Judged, p_adjusted: float, on_inconclusive: OnInconclusive) -> Finding:
    evidence = judged.evidence
    rule = evidence.rule
    shift = Shift(judged.delta.mean, judged.delta.low, judged.delta.high, judged.floor, judged.p, p_adjusted)
    status, reason = status_of(rule, shift, judged.after.low, judged.after.high)
    finding = Finding(
        rule=rule,
        status=status,
        title=evidence.title,
        unit=evidence.unit,
        before=Measured(judged.before.mean, judged.before.low, judged.before.high),
        after=Measured(judged.after.mean, judged.after.low, judged.after.high),
        shift=shift,
        reason=reason,
        blocks=status is Status.FAIL,
        raw_delta=judged.raw.mean,
    )
    return _resolve(finding, on_inconclusive) if status is Status.INCONCLUSIVE else finding


def status_of(rule: Rule, shift: Shift, low: float, high: float) -> tuple[Status, str]:
    """How a rule ends whose level after the change is predicted to lie between ``low`` and ``high``, and why."""
    taken = next(way for way in ways(rule, shift, low, high) if way.open)
    return taken.status, taken.reason


def ways(rule: Rule, shift: Shift, low: float, high: float) -> tuple[Way, ...]:
    """Every way in which such a rule can end, in the order in which they are tried; the last one is always open."""
    distinct, significant = _real(shift)
    past_ceiling = Condition(Asked.LEVEL_LOW, low, ">", rule.max_level)
    past_warning = Condition(Asked.POINT, _towards(rule, shift.delta), ">", rule.warn_delta)
    undecided = Condition(Asked.FAR_END, far_end(rule, shift), ">=", rule.fail_delta)
    under_ceiling = Condition(Asked.LEVEL_HIGH, high, "<", rule.max_level)
    return (
        past_limit(rule, shift),
        Way(Status.FAIL, _PAST_CEILING, (past_ceiling, distinct, significant)),
        Way(Status.WARN, "the predicted shift is past the warning limit and the noise floor", (past_warning, distinct)),
        Way(Status.INCONCLUSIVE, _UNDECIDED, (undecided,)),
        Way(Status.OK, "the whole interval lies under the limit", (under_ceiling,)),
        # a change that moves nothing is not to blame for where the base already is, and would be stopped for ever
        Way(Status.INCONCLUSIVE, _MAYBE_ABOVE, (distinct,)),
        Way(Status.WARN, _MAYBE_ABOVE_ANYWAY, ()),
    )


def past_limit(rule: Rule, shift: Shift) -> Way:
    """The way to fail by the limit on shifts, which a part of a change can be held against as well."""
    near_end = Condition(Asked.NEAR_END, _near_end(rule, shift), ">", rule.fail_delta)
    return Way(Status.FAIL, _PAST_LIMIT, (near_end, *_real(shift)))


def _real(shift: Shift) -> tuple[Condition, Condition]:
    """What tells a shift from those of clean changes: its size, and p."""
    return (
        Condition(Asked.SIZE, abs(shift.delta), ">", shift.noise),
        Condition(Asked.P, shift.p_adjusted, "<", SIGNIFICANCE),
    )


_PAST_LIMIT = "the whole interval lies past the limit, and clean changes do not shift this far"
_PAST_CEILING = "the predicted level lies above the ceiling, and clean changes do not shift this far"
_UNDECIDED = "the interval reaches past the limit, and the shift cannot be told from noise"
_MAYBE_ABOVE = "the predicted level may lie above the ceiling, and the interval does not settle it"
_MAYBE_ABOVE_ANYWAY = "the predicted level may lie above the ceiling, but this change cannot be told from clean ones"


def _resolve(finding: Finding, on_inconclusive: OnInconclusive) -> Finding:
    """Say what the policy makes of an inconclusive rule; the status itself stays visible."""
    blocks = on_inconclusive == "fail"
    said = {"pass": "lets it pass", "warn": "warns", "fail": "blocks"}[on_inconclusive]
    return replace(finding, blocks=blocks, reason=f"{finding.reason}; the policy {said} here")


def _missing(missing: Missing) -> Finding:
    return Finding(
        rule=missing.rule,
        status=Status.ERROR,
        title=missing.title,
        unit=missing.unit,
        before=Unmeasured(missing.reason),
        after=Unmeasured(missing.reason),
        shift=NoShift(missing.reason),
        reason=missing.reason,
        blocks=True,
    )
