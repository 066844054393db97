"""Markdown for a step summary or a comment of at most 65 536 characters: the verdict, what is not ok, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.core.verdict import Status
from d2b_gate.reports.describe import PATH, SENTENCE, control_in_words, in_short, tally, worst_first
from d2b_gate.reports.escape import ascii_only
from d2b_gate.reports.escape_markdown import code, prose
from d2b_gate.reports.full_head import totals
from d2b_gate.reports.layout import word
from d2b_gate.reports.markdown_explained import explained
from d2b_gate.reports.markdown_findings import Told, details, quiet, table, waivers
from d2b_gate.reports.markdown_tail import advised, broken_rows, method, notes, policy_edits

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from d2b_gate.core.verdict import Verdict
    from d2b_gate.reports.bounded import Section
    from d2b_gate.reports.interface import RenderOptions

_EACH = "every one: `d2b-gate report RESULT --format json`"
_SINCE = " since the baseline"


def render(verdict: Verdict, options: RenderOptions) -> str:
    """The verdict first, then what is not ok, worst first; what is ok is collapsed."""
    told = [(finding, "") for finding in worst_first(verdict.findings)]
    told_since = [(finding, _SINCE) for since in verdict.since for finding in worst_first(since.findings)]
    loud, loud_since = _loud(told), _loud(told_since)
    sections: list[Section[Any]] = [  # each of items of its own
        table("", [finding for finding, _ in loud], 12_000),
        table("Since the baseline", [finding for finding, _ in loud_since], 5_000),
        details([*loud, *loud_since]),
        waivers([*loud, *loud_since]),
        broken_rows(verdict),
        policy_edits(verdict),
        notes(verdict),
        advised(verdict, options),
        explained([*loud, *loud_since]),
        quiet([one for one in (*told, *told_since) if one[0].status is Status.OK]),
        method(verdict),
    ]
    shown = ascii_only if options.ascii else str  # before anything is measured, for escapes are longer
    blocks = [shown(_head(verdict)), *(_block(section, shown) for section in sections if section.items)]
    return "\n\n".join(blocks) + "\n"


def _loud(told: list[Told]) -> list[Told]:
    return [one for one in told if one[0].status is not Status.OK]


def _block(section: Section[Any], shown: Callable[[str], str]) -> str:
    return "\n".join(section.lines(lambda hidden: f"and {hidden}; {_EACH}", shown)).rstrip("\n")


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
