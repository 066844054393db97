"""All rules against their limits: one plot and one table, worst first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from d2b_gate.core.verdict import NoShift
from d2b_gate.reports.describe import name_of
from d2b_gate.reports.html.charts import RULES_DRAWN, multiples
from d2b_gate.reports.html.charts import overview as chart_of
from d2b_gate.reports.html.figures import picture_of
from d2b_gate.reports.html.finding import SYMBOLS, Figure
from d2b_gate.reports.layout import word
from d2b_gate.reports.numbers import counted, scale_of, signed_limit

if TYPE_CHECKING:
    from d2b_gate.core.verdict import Finding, Status
    from d2b_gate.reports.html.named import Named


@dataclass(frozen=True, slots=True)
class Line:
    """A rule in the table; the name leads to its finding."""

    anchor: str
    status: Status
    word: str
    symbol: str
    name: str
    shift: str
    interval: str
    limit: str
    times: str


@dataclass(frozen=True, slots=True)
class Overall:
    """The lines beside the plot, those folded below it, and the plot, if any rule has a place in it."""

    lines: tuple[Line, ...]
    folded: tuple[Line, ...]
    figures: tuple[Figure, ...]


def overall(findings: list[Named]) -> Overall:
    """The overview of a verdict's findings, in the order given."""
    lines = tuple(_line(one) for one in findings)
    chart = chart_of([(f"{SYMBOLS[one.finding.status]} {name_of(one.finding.rule)}", one.finding) for one in findings])
    if not chart.spans:
        return Overall(lines[:RULES_DRAWN], lines[RULES_DRAWN:], ())
    said = "Predicted shift of each rule as a multiple of its limit, with intervals; 1 is the limit"
    left = f"; {counted(chart.left_out, 'more rule')} in the table" if chart.left_out else ""
    both = "; the limit at -1 is that of rules that watch both ways" if len(chart.marks) > 1 else ""
    caption = f"Predicted shifts in units of each rule's limit, positive in the direction that it watches{both}{left}"
    figure = Figure("overview", picture_of(chart, "overview", said), caption)
    return Overall(lines[:RULES_DRAWN], lines[RULES_DRAWN:], (figure,))


def _line(one: Named) -> Line:
    finding = one.finding
    shift, interval = _shift(finding)
    times = multiples(finding)
    return Line(
        one.anchor,
        finding.status,
        word(finding.status),
        SYMBOLS[finding.status],
        name_of(finding.rule),
        shift,
        interval,
        signed_limit(finding.rule, finding.rule.fail_delta, finding.unit),
        f"{times[0] + 0.0:.2f} \u00d7" if times else "\u2013",
    )


def _shift(finding: Finding) -> tuple[str, str]:
    shift, scale = finding.shift, scale_of(finding.unit)
    if isinstance(shift, NoShift):
        return "none predicted", ""
    interval = f"[{scale.delta(shift.low)}, {scale.delta(shift.high)}]"
    return f"{scale.delta(shift.delta)} {scale.delta_unit}", interval
