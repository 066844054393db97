"""The formula with its numbers: from the raw shift to the calibrated one, then every condition that decides."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from d2b_gate.core.conditions import Asked
from d2b_gate.core.judge import ways
from d2b_gate.core.reading import Measured
from d2b_gate.core.verdict import NoShift, Shift, Status
from d2b_gate.reports.describe import NAME, PATH, SENTENCE, interval_in_brief
from d2b_gate.reports.escape import terminal
from d2b_gate.reports.findings import level
from d2b_gate.reports.layout import GAP, painted, word, wrapped
from d2b_gate.reports.numbers import probability, scale_of
from d2b_gate.reports.views import fired

if TYPE_CHECKING:
    from collections.abc import Callable

    from d2b_gate.core.conditions import Condition, Way
    from d2b_gate.core.verdict import Finding
    from d2b_gate.reports.interface import RenderOptions

_LABEL = 11
_MORE_DIGITS = 9  # shown where a number and its bound look alike otherwise
_P_DIGITS = 3
_NAMES = {
    Asked.NEAR_END: ("near end of the interval", "limit"),
    Asked.POINT: ("predicted shift", "warning limit"),
    Asked.FAR_END: ("far end of the interval", "limit"),
    Asked.SIZE: ("size of the shift", "noise floor"),
    Asked.P: ("adjusted p", "significance"),
    Asked.LEVEL_LOW: ("low end of the level after", "ceiling"),
    Asked.LEVEL_HIGH: ("high end of the level after", "ceiling"),
}
_LEVELS = frozenset({Asked.LEVEL_LOW, Asked.LEVEL_HIGH})
_COUNTED = {"increase": "", "decrease": "; shifts count downwards", "either": "; shifts count in the way that they go"}


def formula(finding: Finding, null: str, options: RenderOptions) -> list[str]:
    """The numbers, then the ways to end that were tried, each condition with whether it holds."""
    if isinstance(finding.shift, NoShift):
        reason = terminal(finding.shift.reason, SENTENCE)
        return ["formula", *wrapped(f"no shift was predicted: {reason}", options.width, GAP)]
    return [
        "formula",
        *_numbers(finding, finding.shift, null, options),
        *_decision(finding, finding.shift, options),
    ]


def _numbers(finding: Finding, shift: Shift, null: str, options: RenderOptions) -> list[str]:
    scale = scale_of(finding.unit)
    told = {
        "before": level(finding.before, finding.unit),
        "raw shift": f"{scale.delta(finding.raw_delta)} {scale.delta_unit}, as predicted"
        if finding.raw_delta or not shift.delta
        else "not kept in this result",
        "shift": f"{interval_in_brief(shift, finding.unit)}, {_calibration(finding, shift)}",
        "after": level(finding.after, finding.unit),
        "noise": f"{scale.level(shift.noise)} {scale.delta_unit}, what clean changes stay under"
        + (f"; from {terminal(null, PATH)}" if null else ""),
        "p": f"{probability(shift.p)}: how probable so large a shift were if the truth lay at the limit; "
        f"{probability(shift.p_adjusted)} when adjusted over all rules (Holm)",
    }
    return [line for label, text in told.items() for line in _labelled(label, text, options)]


def _calibration(finding: Finding, shift: Shift) -> str:
    if not finding.raw_delta:
        return "with its interval"
    if finding.raw_delta == shift.delta:
        return "the same: nothing is known of how predictions and trainings differ here"
    return "as real fine-tunes say of such a prediction"


def _decision(finding: Finding, shift: Shift, options: RenderOptions) -> list[str]:
    if not isinstance(finding.after, Measured):
        told = "the level after the change was not measured, so nothing was held against limits"
        return wrapped(told, options.width, GAP)
    tried = ways(finding.rule, shift, finding.after.low, finding.after.high)
    number = next(index for index, way in enumerate(tried) if way.open)
    shown = [way for way in tried[: number + 1] if _applies(way)]
    told = f"it ends by the first of these whose conditions all hold{_COUNTED[finding.rule.direction]}"
    return [
        *_labelled("decision", told, options),
        *(line for way in shown for line in _way(way, finding.unit, options)),
        *wrapped(_ending(finding, tried[number].status), options.width, GAP),
    ]


def _applies(way: Way) -> bool:
    """Whether a way means something to a rule: none that asks for being past a ceiling does without one."""
    return not any(condition.bound == math.inf and condition.comparison != "<" for condition in way.conditions)


def _way(way: Way, unit: str, options: RenderOptions) -> list[str]:
    head = f"{GAP}{painted(word(way.status), way.status, options.color)}"
    reason = wrapped(way.reason, options.width, f"{GAP}{word(way.status)}: ")  # wrapped by its plain width
    return [reason[0].replace(f"{GAP}{word(way.status)}", head, 1), *reason[1:], *condition_lines(way, unit)]


def condition_lines(way: Way, unit: str) -> list[str]:
    """``yes  near end of the interval +15.9 pt > limit +5.0 pt`` and so on."""
    return [f"{GAP * 2}{_condition(one, unit)}" for one in way.conditions]


def _condition(condition: Condition, unit: str) -> str:
    mark = "yes" if condition.holds else "no "
    name, bound_name = _NAMES[condition.asked]
    if condition.bound == math.inf:
        return f"{mark}  the rule has no {bound_name}"
    value, bound = _apart(condition, _teller(condition.asked, unit))
    return f"{mark}  {name} {value} {condition.comparison} {bound_name} {bound}"


def _apart(condition: Condition, told: Callable[[float, int], str]) -> tuple[str, str]:
    """Number and bound with as many more digits as it takes to see which is larger."""
    shown = [(told(condition.value, more), told(condition.bound, more)) for more in range(_MORE_DIGITS)]
    return next((both for both in shown if both[0] != both[1]), shown[0])


def _teller(asked: Asked, unit: str) -> Callable[[float, int], str]:
    """What tells a number of the condition, given how many digits more than usual."""
    if asked is Asked.P:
        return _probability
    scale = scale_of(unit)
    sign = "" if asked in _LEVELS or asked is Asked.SIZE else "+"
    shown = scale.level_unit if asked in _LEVELS else scale.delta_unit

    def told(value: float, more: int) -> str:
        places = scale.places + more
        return f"{round(value * scale.factor, places) + 0.0:{sign}.{places}f} {shown}"

    return told


def _probability(p: float, more: int) -> str:
    return f"{p:.{_P_DIGITS + more}g}" if more else probability(p)


def _ending(finding: Finding, by_numbers: Status) -> str:
    ended = word(finding.status)
    if finding.status is by_numbers:
        return f"so it ends as {ended}"
    would = f"so it would end as {word(by_numbers)}"
    if finding.status is Status.WAIVED:
        return f"{would}; a waiver covers it, so it ends as {ended}"
    if names := [terminal(view.name, NAME) for view in fired(finding)]:
        return f"{would} by the whole change; the view {' and the view '.join(names)} fired, so it ends as {ended}"
    reason = f": {terminal(finding.reason, SENTENCE)}" if finding.reason else ""
    return f"{would} by these numbers alone; the result says {ended}{reason}"


def _labelled(label: str, text: str, options: RenderOptions) -> list[str]:
    return wrapped(terminal(text, SENTENCE * 2), options.width, f"{GAP}{label:<{_LABEL}}")
