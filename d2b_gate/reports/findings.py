"""What a finding says, sentence by sentence, for reports that list findings; every text from outside is escaped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.core.reading import Unmeasured
from d2b_gate.core.verdict import NoShift
from d2b_gate.reports.describe import NAME, SENTENCE, blamed, limits_of, shift_in_brief, significance
from d2b_gate.reports.escape import terminal
from d2b_gate.reports.full_block import carried
from d2b_gate.reports.numbers import counted, scale_of
from d2b_gate.reports.views import fired, view_in_words
from d2b_gate.reports.waiving import waivers_of

if TYPE_CHECKING:
    from d2b_gate.core.reading import Reading
    from d2b_gate.core.verdict import Blame, Finding

RUNS_SHOWN = 5


def sentences(finding: Finding) -> list[str]:
    """The prediction against the limit, rows behind it, views that fired, waivers, the reason, why the rule is."""
    told = [
        terminal(finding.title, SENTENCE),
        f"{_predicted(finding)}{shift_in_brief(finding)}, {', '.join(limits_of(finding))}{_significance(finding)}",
        f"before {level(finding.before, finding.unit)}, after {level(finding.after, finding.unit)}",
        *rows_behind(finding.blame),
        *(f"view {view_in_words(view, finding.unit)}" for view in fired(finding)),
        *(f"waived {waiver}" for waiver in waivers_of(finding)),
        f"reason: {terminal(finding.reason, SENTENCE)}" if finding.reason else "",
        f"why: {terminal(finding.rule.why, SENTENCE)}" if finding.rule.why else "",
        f"owner: {terminal(finding.rule.owner, NAME)}" if finding.rule.owner else "",
    ]
    return [sentence for sentence in told if sentence]


def level(reading: Reading, unit: str) -> str:
    """``6.1 % [5.0, 7.2]``, or that it was not measured, and why."""
    if isinstance(reading, Unmeasured):
        return f"unmeasured ({terminal(reading.reason, SENTENCE)})" if reading.reason else "unmeasured"
    scale = scale_of(unit)
    return f"{scale.level(reading.level)} {scale.level_unit} [{scale.level(reading.low)}, {scale.level(reading.high)}]"


def rows_behind(blame: tuple[Blame, ...]) -> list[str]:
    """``because data/sft.jsonl:2351-2490: 140 rows carry 92 % of the predicted shift (checked)``, the first few."""
    shown = [f"because {blamed(run)}: {carried(run)}" for run in blame[:RUNS_SHOWN]]
    hidden = len(blame) - len(shown)
    return [*shown, f"and {counted(hidden, 'more run')} of rows"] if hidden else shown


def _predicted(finding: Finding) -> str:
    return "" if isinstance(finding.shift, NoShift) else "predicted "


def _significance(finding: Finding) -> str:
    shift = finding.shift
    if isinstance(shift, NoShift):
        return f" ({terminal(shift.reason, SENTENCE)})" if shift.reason else ""
    return f" ({significance(shift, finding.unit)})"
