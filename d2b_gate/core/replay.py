"""A stored result judged by other limits: from its intervals alone, without the model and without its readings."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import TYPE_CHECKING

from d2b_gate.core.finding_id import finding_id
from d2b_gate.core.interval import holm
from d2b_gate.core.judge import beyond, direction_of, status_of
from d2b_gate.core.reading import Measured
from d2b_gate.core.verdict import Shift, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from d2b_gate.core.audit import Label
    from d2b_gate.core.rules import Rule
    from d2b_gate.core.verdict import Finding, Verdict


@dataclass(frozen=True, slots=True)
class Replayed:
    """One rule on one stored result; ``before`` is how it ended then, in the finding called ``finding``."""

    rule: str
    finding: str
    before: Status
    after: Status


@dataclass(frozen=True, slots=True)
class Hindsight:
    """Of findings that somebody found to be right (``label``), or wrong: how many failed, and how many would now."""

    label: bool
    count: int
    failed: int
    fail: int


def in_hindsight(told: Sequence[Replayed], labels: Sequence[Label]) -> tuple[Hindsight, ...]:
    """Hold a replay against what people found out, what was right first; nothing where no finding is labelled."""
    by_name = {label.finding: label.label for label in labels}
    sides = [(label, [one for one in told if by_name.get(one.finding) is label]) for label in (True, False)]
    return tuple(
        Hindsight(label, len(side), _failing(one.before for one in side), _failing(one.after for one in side))
        for label, side in sides
        if side
    )


def _failing(statuses: Iterable[Status]) -> int:
    return sum(status in (Status.FAIL, Status.WAIVED) for status in statuses)


@dataclass(frozen=True, slots=True)
class _Case:
    rule: Rule
    finding: Finding
    shift: Shift
    after: Measured
    confidence: float

    def error(self, low: float, high: float) -> float:
        """Standard error told by an interval."""
        width = 2 * NormalDist().inv_cdf(0.5 + self.confidence / 2)
        return max(0.0, (high - low) / width)


def replay(verdict: Verdict, rules: Sequence[Rule], confidence: float) -> tuple[tuple[Replayed, ...], tuple[str, ...]]:
    """Judge a result again by other rules; the second part names the rules whose question it does not hold.

    Where the rule as it stands would be judged as it was, the stored status is kept. Otherwise p is that of a normal
    error as wide as the stored interval, Holm-adjusted over the rules: close to, and not the same as, a new check. A
    part of the change that the dilution guard saw past the limit makes a rule warn.
    """
    by_question = {_question(finding.rule): finding for finding in verdict.findings}
    known = [(rule, by_question[_question(rule)]) for rule in rules if _question(rule) in by_question]
    unknown = tuple(rule.id for rule in rules if _question(rule) not in by_question)
    cases = [
        _Case(rule, finding, finding.shift, finding.after, confidence)
        for rule, finding in known
        if isinstance(finding.shift, Shift) and isinstance(finding.after, Measured)
    ]
    adjusted = dict(zip((case.rule.id for case in cases), holm([_p(case) for case in cases]), strict=True))
    told = {case.rule.id: _status(case, adjusted[case.rule.id]) for case in cases}
    return tuple(
        Replayed(rule.id, finding_id(verdict, finding), finding.status, told.get(rule.id, finding.status))
        for rule, finding in known
    ), unknown


def _question(rule: Rule) -> tuple[str, str, tuple[str, ...]]:
    return rule.probe, rule.target, rule.datasets


def _p(case: _Case) -> float:
    """P of a shift (or level) this far past its limit, were the truth at the limit."""
    rule = case.rule
    shift = case.shift
    excess = direction_of(rule, shift.delta) * shift.delta - rule.fail_delta
    p = _tail(excess, case.error(shift.low, shift.high))
    if rule.direction == "either":
        p *= 2
    if math.isfinite(rule.max_level):
        p = 2 * min(p, _tail(case.after.level - rule.max_level, case.error(case.after.low, case.after.high)))
    return min(1.0, p)


def _tail(excess: float, error: float) -> float:
    if error == 0.0:
        return 0.0 if excess > 0 else 1.0
    return 1 - NormalDist().cdf(excess / error)


def _status(case: _Case, p: float) -> Status:
    if _limits(case.rule) == _limits(case.finding.rule):
        return case.finding.status
    status = status_of(case.rule, replace(case.shift, p_adjusted=p), case.after.low, case.after.high)[0]
    hidden = any(beyond(case.rule, view.shift) for view in case.finding.views)
    return Status.WARN if hidden and status is Status.OK else status


def _limits(rule: Rule) -> tuple[object, ...]:
    return rule.direction, rule.warn_delta, rule.fail_delta, rule.max_level
