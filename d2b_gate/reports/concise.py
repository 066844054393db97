"""One line per finding that is not ok, for editors and logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.core.verdict import NoShift, Status
from d2b_gate.reports.describe import (
    NAME,
    SENTENCE,
    blamed,
    control_in_words,
    failed_controls,
    headed,
    in_short,
    interval_in_brief,
    limits_of,
    name_of,
    place,
    shift_in_brief,
    worst_first,
)
from d2b_gate.reports.escape import ascii_only, terminal
from d2b_gate.reports.layout import painted, word
from d2b_gate.reports.numbers import probability
from d2b_gate.reports.policy_changes import line
from d2b_gate.reports.views import deciding, runs_behind
from d2b_gate.reports.waiving import waivers_of

if TYPE_CHECKING:
    from d2b_gate.core.verdict import Finding, RowFinding, Verdict, View
    from d2b_gate.reports.interface import RenderOptions


def render(verdict: Verdict, options: RenderOptions) -> str:
    """``where: STATUS rule predicted shift, limit (p)`` per finding, then one line of counts."""
    findings = worst_first(verdict.findings)
    since = [finding for one in verdict.since for finding in one.findings]
    lines = [
        *(_finding(finding, options) for finding in findings if finding.status is not Status.OK),
        *(_since(finding, options) for finding in worst_first(since) if finding.status is not Status.OK),
        *(_row(row, options) for row in verdict.row_findings),
        *(
            f"controls: {_word(Status.ERROR, options)} {control_in_words(control)}"
            for control in failed_controls(verdict)
        ),
        *(f"{line(change)} (no influence on this verdict)" for change in verdict.policy_changes),
        in_short(verdict),
    ]
    text = "\n".join(lines) + "\n"
    return ascii_only(text) if options.ascii else text


def _finding(finding: Finding, options: RenderOptions) -> str:
    runs = runs_behind(finding)
    where = f"{blamed(runs[0])}:" if runs else headed(finding.rule.id, NAME)
    waived = "".join(f"; waived {said}" for said in waivers_of(finding))
    return f"{where} {_word(finding.status, options)} {name_of(finding.rule)} {_shift(finding)}{waived}"


def _since(finding: Finding, options: RenderOptions) -> str:
    return f"{_finding(finding, options)} since the baseline"


def _shift(finding: Finding) -> str:
    if isinstance(finding.shift, NoShift):
        return f"{shift_in_brief(finding)}: {terminal(finding.reason, SENTENCE)}"
    p = probability(finding.shift.p_adjusted)
    views = "".join(f"; view {_view(view, finding)}" for view in deciding(finding))
    return f"predicted {shift_in_brief(finding)}, {', '.join(limits_of(finding))} (p {p}){views}"


def _view(view: View, finding: Finding) -> str:
    return f"{headed(view.name, NAME)} {interval_in_brief(view.shift, finding.unit)}"


def _row(row: RowFinding, options: RenderOptions) -> str:
    head = f"{place(row.path, str(row.line))}: {_word(Status.FAIL, options)}"
    return f"{head} row schema of {headed(row.dataset, NAME)} {terminal(row.message, SENTENCE)}"


def _word(status: Status, options: RenderOptions) -> str:
    return painted(word(status), status, options.color)
