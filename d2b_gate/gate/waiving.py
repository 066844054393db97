"""Waivers over the findings of one check, and what a reader must know of those that did not help."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.core.row_lists import counts_of
from d2b_gate.core.waivers import Hindrance, Touched, hindrances, rows_hash, waivable, waive
from d2b_gate.reports.describe import shift_in_brief
from d2b_gate.reports.waiving import cap_of
from d2b_gate.sources.globs import Globs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from d2b_gate.core.verdict import Finding
    from d2b_gate.core.waivers import Waiver, Waivers
    from d2b_gate.gate.measure import Job


def touched_by(job: Job) -> Touched:
    """What a change did to the datasets of one group of rules."""
    paths = {*counts_of(job.added), *counts_of(job.removed)}
    return Touched(tuple(sorted(paths)), rows_hash([(change.spec.name, change.diff) for change in job.changes]))


def waived(findings: Sequence[Finding], waivers: Waivers, touched: Mapping[str, Touched]) -> tuple[Finding, ...]:
    """Apply the waivers; ``touched`` is by rule id."""
    return waive(findings, waivers, touched, _matches)


def waiver_notes(findings: Sequence[Finding], waivers: Waivers, touched: Mapping[str, Touched]) -> tuple[str, ...]:
    """Why waivers of a rule that blocks do not cover it, and which waivers were of no use in this run.

    Nothing is said here of an expired one: that it expired is for every run to tell, whatever changed.
    """
    standing = [waiver for waiver in waivers.entries if waivers.today <= waiver.expires]
    notes = [
        _missed(waiver, finding, hindered)
        for finding in findings
        if waivable(finding) and finding.rule.id in touched
        for waiver in standing
        if waiver.rule == finding.rule.id
        and (hindered := hindrances(waiver, finding, touched[finding.rule.id], waivers.today, _matches))
    ]
    used = {waiver for finding in findings for waiver in finding.waived_by}
    unused = [waiver.origin for waiver in standing if waiver not in used]
    if unused:
        notes.append(f"not used in this run: the waivers at {', '.join(unused)}")
    return tuple(notes)


def _missed(waiver: Waiver, finding: Finding, hindered: Sequence[Hindrance]) -> str:
    cap = cap_of(waiver, finding.rule, finding.unit)
    said = {
        Hindrance.FILES: "other files changed than it is for",
        Hindrance.ROWS: "other rows changed than it is for",
        Hindrance.SHIFT: f"it covers {cap}, and the shift may be larger ({shift_in_brief(finding)})",
    }
    reasons = "; ".join(said[one] for one in hindered if one in said)
    return f"{waiver.origin}: the waiver does not cover {finding.rule.id}: {reasons}"


def _matches(globs: tuple[str, ...], path: str) -> bool:
    return Globs(globs).matches(path)
