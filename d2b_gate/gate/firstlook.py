"""A first look: a shorter prediction that decides alone where it leaves nothing open.

It is a prediction like the whole one, by fewer steps, with lines of its own that were fitted on the same real
fine-tunes. Where it is sure that every rule stays within its warning limit, the whole one is not made.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from d2b_gate.core.calibration import FURTHEST
from d2b_gate.core.calibration_file import fitted_line, matching
from d2b_gate.core.judge import far_end, within
from d2b_gate.core.mixture import tune_plan
from d2b_gate.core.noise import Calibrated, Move
from d2b_gate.core.verdict import Shift
from d2b_gate.gate.measure import extent_of, untouched
from d2b_gate.gate.null import calibrated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from d2b_gate.core.interval import Estimate
    from d2b_gate.core.ports import Question
    from d2b_gate.core.rules import MethodSpec, Rule
    from d2b_gate.core.verdict import Finding
    from d2b_gate.gate.measure import Replicate
    from d2b_gate.gate.ports import Ports


def shorter(method: MethodSpec) -> MethodSpec:
    """The method of a first look, as its calibration knows it."""
    return replace(method, steps=method.first_look, first_look=0)


def worth_it(
    drawn: Replicate, rules: Sequence[Rule], questions: Sequence[Question], method: MethodSpec, ports: Ports
) -> bool:
    """Whether a first look may be enough, and is shorter for these rows.

    It may where a line holds for every question, the declared training does not visit the changed rows more often than
    is known to be foreseeable from so few steps, and no rule's interval is too wide even around no shift at all: after
    long trainings it is, and then looking first would only cost more.
    """
    if not 0 < method.first_look < method.steps or not questions or not calibrated(questions, method, ports):
        return False
    quick = shorter(method)
    holding = matching(ports.calibrations, ports.backend.card, quick)
    known = [fitted_line(holding, question) for question in questions]
    lines = [one[0] for one in known if one is not None]
    extent = extent_of(drawn, quick, ports)
    if len(lines) < len(questions) or extent.reach > FURTHEST:
        return False
    still = ports.predictor.read(questions, untouched(ports), method, ports.backend)
    for rule, question, line, replies in zip(rules, questions, lines, still, strict=True):
        move = Move.exact(replies.level, 0.0, question.probe.unit, extent)
        if not _narrow(rule, Calibrated(line).shift(move, method.confidence)):
            return False
    return any(
        len(tune_plan(state, quick).steps) < len(tune_plan(state, method).steps)
        for state in (drawn.before, drawn.after)
        if not state.empty
    )


def _narrow(rule: Rule, shift: Estimate) -> bool:
    """Whether a shift of nothing would lie within the rule's warning limit with all of its interval."""
    return far_end(rule, Shift(0.0, shift.low, shift.high, 0.0, 1.0, 1.0)) < rule.warn_delta


def enough(findings: Sequence[Finding]) -> bool:
    """Whether the whole prediction could only say the same: every rule is OK with all of its interval to spare."""
    return all(within(finding) for finding in findings)
