"""The numbers of every plot as they are shown: in points or nats, or as multiples of a limit. Nothing is drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from d2b_gate.core.reading import Measured
from d2b_gate.core.verdict import Shift, Status
from d2b_gate.reports.describe import NAME, PATH
from d2b_gate.reports.doses import shown_doses, ways_of
from d2b_gate.reports.escape import terminal
from d2b_gate.reports.numbers import percent, scale_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from d2b_gate.core.history import PastShift
    from d2b_gate.core.verdict import Blame, Finding

RULES_DRAWN = 40  # our choice: what fits on one screen; the table has all
RUNS_DRAWN = 12
PAST_DRAWN = 30


@dataclass(frozen=True, slots=True)
class Span:
    """A point with its interval."""

    label: str
    kind: str  # a status, or "before", "after"
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Mark:
    """A line that a point is held against."""

    word: str  # "limit", "warn", "ceiling"
    value: float


@dataclass(frozen=True, slots=True)
class Levels:
    """The reading before and after, and the levels at which the rule warns, fails, or has its ceiling."""

    unit: str
    spans: tuple[Span, ...]
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Overview:
    """Predicted shifts as multiples of each rule's limit; 1 is the limit, in the direction that the rule watches."""

    spans: tuple[Span, ...]
    marks: tuple[Mark, ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class Bar:
    """A run of rows and its share of the shift, in percent."""

    label: str
    said: str  # "92 % checked"
    checked: bool
    percent: float


@dataclass(frozen=True, slots=True)
class Rows:
    """Which rows carry the shift."""

    bars: tuple[Bar, ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class Course:
    """The shift of one rule over earlier results, oldest first; the last one is the result at hand."""

    unit: str
    spans: tuple[Span, ...]
    marks: tuple[Mark, ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class Response:
    """The level where the change's effect is scaled: pairs of strength and level, weakest first."""

    unit: str
    points: tuple[tuple[float, float], ...]
    marks: tuple[Mark, ...]


Chart = Levels | Overview | Rows | Course | Response


def levels(finding: Finding) -> Levels:
    """The chart of a finding's two readings; without a span where neither was measured."""
    scale = scale_of(finding.unit)
    spans = tuple(
        Span(word, word, *(scale.factor * value for value in (reading.level, reading.low, reading.high)))
        for word, reading in (("before", finding.before), ("after", finding.after))
        if isinstance(reading, Measured)
    )
    return Levels(scale.level_unit, spans, tuple(_level_marks(finding)))


def _level_marks(finding: Finding) -> list[Mark]:
    rule, factor = finding.rule, scale_of(finding.unit).factor
    marks: list[Mark] = []
    if isinstance(finding.before, Measured):
        start = finding.before.level * factor
        for word, value in (("warn", rule.warn_delta), ("limit", rule.fail_delta)):
            marks += [Mark(word, start + way * abs(value) * factor) for way in ways_of(rule)]
    if math.isfinite(rule.max_level):
        marks.append(Mark("ceiling", rule.max_level * factor))
    return [mark for mark in marks if finding.unit != "share" or 0 <= mark.value <= factor]  # no share lies elsewhere


def overview(named: Sequence[tuple[str, Finding]]) -> Overview:
    """The chart of all rules with a shift and a limit to hold it against, in the order given."""
    drawable = [(label, finding) for label, finding in named if _has_multiple(finding)]
    drawn = drawable[:RULES_DRAWN]
    both = any(finding.rule.direction == "either" for _, finding in drawn)
    marks = (Mark("limit", -1.0), Mark("limit", 1.0)) if both else (Mark("limit", 1.0),)
    spans = tuple(_multiple(label, finding) for label, finding in drawn)
    return Overview(spans, marks if spans else (), len(drawable) - len(drawn))


def _has_multiple(finding: Finding) -> bool:
    return isinstance(finding.shift, Shift) and abs(finding.rule.fail_delta) > 0


def _multiple(label: str, finding: Finding) -> Span:
    value, *ends = multiples(finding)
    return Span(terminal(label, PATH), finding.status.value, value, min(ends), max(ends))


def multiples(finding: Finding) -> tuple[float, ...]:
    """Shift and interval ends over the limit, positive where the rule watches; nothing without shift or limit."""
    shift, limit = finding.shift, abs(finding.rule.fail_delta)
    if not isinstance(shift, Shift) or not limit:
        return ()
    way = -1.0 if finding.rule.direction == "decrease" else 1.0
    return tuple(way * value / limit for value in (shift.delta, shift.low, shift.high))


def rows(blame: Sequence[Blame]) -> Rows:
    """The chart of the rows behind a shift."""
    bars = tuple(
        Bar(
            terminal(run.where, PATH),
            f"{percent(run.share)} {terminal(run.basis, NAME)}",
            run.basis == "checked",
            100.0 * run.share,
        )
        for run in blame[:RUNS_DRAWN]
    )
    return Rows(bars, len(blame) - len(bars))


def course(finding: Finding, past: Sequence[PastShift]) -> Course:
    """The chart of a rule's shifts over time; without a span where there is no earlier one, or none now."""
    scale, rule = scale_of(finding.unit), finding.rule
    if not past or not isinstance(finding.shift, Shift):
        return Course(scale.delta_unit, (), (), 0)
    told = [(one.when, one.status, one.shift) for one in past[-PAST_DRAWN:]]
    spans = [_point(*one, scale.factor) for one in [*told, ("this result", finding.status, finding.shift)]]
    marks = tuple(Mark("limit", way * abs(rule.fail_delta) * scale.factor) for way in ways_of(rule))
    return Course(scale.delta_unit, tuple(spans), marks, len(past) - len(told))


def _point(when: str, status: Status, shift: Shift, factor: float) -> Span:
    return Span(terminal(when, NAME), status.value, *(factor * value for value in (shift.delta, shift.low, shift.high)))


def response(finding: Finding) -> Response:
    """The chart of a finding's doses; without a point where there are fewer than two."""
    scale = scale_of(finding.unit)
    points = tuple((dose.strength, dose.level * scale.factor) for dose in shown_doses(finding))
    return Response(scale.level_unit, points if len(points) > 1 else (), tuple(_level_marks(finding)))
