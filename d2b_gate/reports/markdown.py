"""Markdown for a step summary or a comment of at most 65 536 characters: the verdict, what is not ok, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.core.verdict import Status
from d2b_gate.reports.bounded import Section, lines_of
from d2b_gate.reports.describe import PATH, SENTENCE, control_in_words, in_short, tally, worst_first
from d2b_gate.reports.escape import ascii_only
from d2b_gate.reports.escape_markdown import code, prose
from d2b_gate.reports.full_head import totals
from d2b_gate.reports.layout import word
from d2b_gate.reports.markdown_findings import details, quiet, table, waivers
from d2b_gate.reports.markdown_tail import advised, broken_rows, method, notes, policy_edits

if TYPE_CHECKING:
    from collections.abc import Callable

    from d2b_gate.core.verdict import Verdict
    from d2b_gate.reports.interface import RenderOptions

_EACH = "every one: `d2b-gate report RESULT --format json`"


def render(verdict: Verdict, options: RenderOptions) -> str:
    """The verdict first, then what is not ok, worst first; what is ok is collapsed."""
    findings = worst_first(verdict.findings)
    loud = [finding for finding in findings if finding.status is not Status.OK]
    since = [finding for one in verdict.since for finding in worst_first(one.findings)]
    loud_since = [finding for finding in since if finding.status is not Status.OK]
    sections = [
        table("", loud, 15_000),
        table("Since the baseline", loud_since, 5_000),
        details(loud),
        waivers([*loud, *loud_since]),
        broken_rows(verdict),
        policy_edits(verdict),
        notes(verdict),
        advised(verdict, options),
        quiet([finding for finding in [*findings, *since] if finding.status is Status.OK]),
        method(verdict),
    ]
    shown = ascii_only if options.ascii else str  # before anything is measured, for escapes are longer
    blocks = [shown(_head(verdict)), *(_block(section, shown) for section in sections if section.items)]
    return "\n\n".join(blocks) + "\n"


def _block(section: Section, shown: Callable[[str], str]) -> str:
    return "\n".join(lines_of(section, lambda hidden: f"and {hidden}; {_EACH}", shown)).rstrip("\n")


def _head(verdict: Verdict) -> str:
    counts = tally(verdict)
    ended = "DEFERRED" if verdict.deferred else word(counts[0][0]) if counts else "ok"
    controls = ", ".join(map(control_in_words, verdict.controls))
    lines = [
        f"**d2b-gate: {ended}** ({prose(in_short(verdict), SENTENCE)})",
        f"{code(verdict.provenance.scope, PATH)} {prose(totals(verdict.files), PATH)}".strip(),
        f"controls: {prose(controls, PATH)}" if controls else "",
        "Every number is a prediction: nothing was trained." if verdict.findings else "",
    ]
    return "  \n".join(line for line in lines if line)
