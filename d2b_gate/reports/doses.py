"""How the behaviour's level follows the strength of the change's effect, in words."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from d2b_gate.core.reading import Measured
from d2b_gate.reports.numbers import scale_of

if TYPE_CHECKING:
    from d2b_gate.core.rules import Rule
    from d2b_gate.core.verdict import Dose, Finding

MOST_DOSES = 20  # our choice: a curve of more points says no more


def doses_in_words(finding: Finding) -> str:
    """``0: 6.1 %, 0.5: 15.2 %, 1: 24.8 %``; empty where there are none."""
    scale = scale_of(finding.unit)
    told = [f"{dose.strength:.3g}: {scale.level(dose.level)} {scale.level_unit}" for dose in shown_doses(finding)]
    return ", ".join(told)


def shown_doses(finding: Finding) -> list[Dose]:
    """The doses that a report shows, weakest first."""
    return sorted(finding.doses, key=lambda dose: dose.strength)[:MOST_DOSES]


def crossing_in_words(finding: Finding) -> str:
    """Where the curve first meets the limit, between two doses by a straight line; empty where it never does."""
    doses, start = shown_doses(finding), finding.before
    if not isinstance(start, Measured):
        return ""
    for limit in (start.level + way * abs(finding.rule.fail_delta) for way in ways_of(finding.rule)):
        for one, other in pairwise(doses):
            if min(one.level, other.level) <= limit <= max(one.level, other.level) and one.level != other.level:
                part = (limit - one.level) / (other.level - one.level)
                strength = one.strength + part * (other.strength - one.strength)
                return f"it meets the limit at about {strength:.2g} of the change's effect"
    return ""


def ways_of(rule: Rule) -> tuple[int, ...]:
    """1 where the rule limits an increase, -1 where a decrease."""
    return {"increase": (1,), "decrease": (-1,), "either": (-1, 1)}[rule.direction]
