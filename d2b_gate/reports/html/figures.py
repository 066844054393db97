"""Which findings get plots, and the plots themselves, each with a sentence for who cannot see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from d2b_gate.core.history import past_shifts
from d2b_gate.core.verdict import Status
from d2b_gate.reports.describe import limits_of, name_of, shift_in_brief
from d2b_gate.reports.doses import doses_in_words
from d2b_gate.reports.html.charts import course, levels, response, rows
from d2b_gate.reports.html.drawing import drawn
from d2b_gate.reports.html.finding import Figure
from d2b_gate.reports.html.svg import Name, cleaned
from d2b_gate.reports.numbers import counted, grouped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from d2b_gate.core.history import Past, PastShift
    from d2b_gate.reports.html.charts import Chart
    from d2b_gate.reports.html.named import Named

PLOTTED = 12  # our choice: findings that are not ok, and as many ok ones with a past; a plot takes 30 ms and 3 KB


@dataclass(frozen=True, slots=True)
class Drawn:
    """Plots and earlier shifts by anchor, and a sentence on what has no plot; empty where all have theirs."""

    figures: dict[str, dict[str, Figure]]
    past: dict[str, tuple[PastShift, ...]]
    note: str


def draw_figures(findings: Sequence[Named], history: Sequence[Past]) -> Drawn:
    """Draw for the worst findings; the rest keep their tables, which hold the same numbers."""
    own = [one for one in findings if not one.anchor.startswith("s")]  # a shift since the baseline is another question
    told = {one.anchor: past_shifts(one.finding, history) for one in own}
    loud = [one for one in findings if one.finding.status is not Status.OK]
    quiet = [one for one in findings if one.finding.status is Status.OK and told.get(one.anchor)]
    chosen = [*loud[:PLOTTED], *quiet[:PLOTTED]]
    past = {one.anchor: told.get(one.anchor, ()) for one in chosen}
    figures = {one.anchor: {figure.kind: figure for figure in _figures(one, past[one.anchor])} for one in chosen}
    left = len(loud) + len(quiet) - len(chosen)
    note = f"plots, and earlier results, are shown for {len(chosen)} findings; {grouped(left)} more have tables alone"
    return Drawn(figures, past, note if left else "")


def picture_of(chart: Chart, prefix: str, sentence: str) -> Markup:
    """A chart as an element of the page."""
    return Markup(cleaned(drawn(chart), Name(prefix, sentence)))  # rebuilt from known elements, texts escaped


def _figures(one: Named, past: Sequence[PastShift]) -> Iterator[Figure]:
    """The plots of one finding. A further kind of plot is one more chart here, and its place in the template."""
    finding, rule = one.finding, name_of(one.finding.rule)
    brief = f"{shift_in_brief(finding)}, {', '.join(limits_of(finding))}"
    readings = levels(finding)
    if readings.spans and finding.status is not Status.OK:
        said = f"Predicted level of {rule} before and after: {brief}"
        yield Figure("levels", picture_of(readings, f"{one.anchor}-levels", said), "Level before and after")
    if finding.blame and finding.status is not Status.OK:
        behind = rows(finding.blame)
        said = f"Share of the predicted shift of {rule} that each run of rows carries"
        caption = "Rows behind the shift: filled bars are checked, hollow ones estimated"
        more = f"; {counted(behind.left_out, 'more run')} in the table" if behind.left_out else ""
        yield Figure("rows", picture_of(behind, f"{one.anchor}-rows", said), caption + more)
    curve = response(finding)
    if curve.points and finding.status is not Status.OK:
        said = f"Predicted level of {rule} where the change's effect is scaled: {doses_in_words(finding)}"
        caption = "Level by strength of the effect, as predicted before any calibration; the diamond is this change"
        yield Figure("response", picture_of(curve, f"{one.anchor}-response", said), caption)
    line = course(finding, past)
    if line.spans:
        said = f"Predicted shift of {rule} over {counted(len(line.spans), 'result')}, oldest first"
        yield Figure(
            "course", picture_of(line, f"{one.anchor}-course", said), "Predicted shifts with intervals, oldest first"
        )
