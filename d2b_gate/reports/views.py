"""What the dilution guard looked at, in words: which rows, weighted as how many, with which shift, and which fired."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.core.judge import past_limit
from d2b_gate.core.verdict import Shift
from d2b_gate.reports.describe import NAME, blamed, headed, interval_in_brief, significance
from d2b_gate.reports.numbers import counted

if TYPE_CHECKING:
    from d2b_gate.core.verdict import Blame, Finding, View

MOST_VIEWS = 10  # our choice: the guard looks at two; a result may have been edited


def fired(finding: Finding) -> list[View]:
    """The views that are past the rule's limit by themselves."""
    return [view for view in finding.views[:MOST_VIEWS] if view.fired]


def deciding(finding: Finding) -> list[View]:
    """The views that fired though the whole change is not past the limit: what the status comes from."""
    whole = isinstance(finding.shift, Shift) and past_limit(finding.rule, finding.shift).open
    return [] if whole else fired(finding)


def runs_behind(finding: Finding) -> list[Blame]:
    """The rows that a finding points at: those of a view that decided, then those to blame for the shift."""
    return [*(run for view in deciding(finding) for run in view.places), *finding.blame]


def view_in_words(view: View, unit: str) -> str:
    """``worst cluster: 12 rows weighted as 64 FIRED: predicted +22.0 pt [...], noise 1.1 pt, adjusted p 0.0004``."""
    rows = f"{counted(view.rows, 'row')} weighted as {view.standing_for:.6g}"
    told = f"predicted {interval_in_brief(view.shift, unit)}, {significance(view.shift, unit)}"
    return f"{headed(view.name, NAME)} {rows} {'FIRED' if view.fired else 'did not fire'}: {told}"


def places_of_view(view: View, most: int) -> list[str]:
    """``data/sft.jsonl:10-21 (12 rows)``, the first few."""
    shown = [f"{blamed(run)} ({counted(run.rows, _noun(run.side))})" for run in view.places[:most]]
    hidden = len(view.places) - len(shown)
    return [*shown, f"and {counted(hidden, 'more run')} of rows"] if hidden else shown


def _noun(side: str) -> str:
    return "removed row" if side == "removed" else "row"
