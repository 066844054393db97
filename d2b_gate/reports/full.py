"""The report for people: the predicted behaviour before and after, as a diff."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from d2b_gate.core.finding_id import finding_id, since_id
from d2b_gate.core.verdict import Status
from d2b_gate.reports.describe import SENTENCE, worst_first
from d2b_gate.reports.escape import ascii_only, terminal
from d2b_gate.reports.full_block import block, hunk, one_line, waiver_lines
from d2b_gate.reports.full_head import head, states, states_since
from d2b_gate.reports.full_tail import broken_rows, controls, following, method, notes, summary
from d2b_gate.reports.layout import wrapped
from d2b_gate.reports.policy_changes import policy_edits

if TYPE_CHECKING:
    from collections.abc import Callable

    from d2b_gate.core.verdict import Finding, Verdict
    from d2b_gate.reports.interface import RenderOptions

_BLOCKS_SHOWN = 20  # past it a finding gets one line, so that a broken policy does not scroll its cause away


def render(verdict: Verdict, options: RenderOptions) -> str:
    """The diff, worst first: ``-`` is the base state, ``+`` the changed state, ``!`` the shift against the limit."""
    lines = [
        *head(verdict, options),
        *_judged(verdict, options),
        *_deferred(verdict, options),
        *policy_edits(verdict, options),
        *notes(verdict, options),
        *summary(verdict, options),
        *following(verdict, options),
    ]
    text = "\n".join(lines) + "\n"
    return ascii_only(text) if options.ascii else text


def _judged(verdict: Verdict, options: RenderOptions) -> list[str]:
    findings = worst_first(verdict.findings)
    lines = [
        *(states(verdict) if findings else []),
        *_findings(findings, partial(finding_id, verdict), options),
        *_since(verdict, options),
        *broken_rows(verdict, options),
        *(method(verdict, options) if findings else []),
        *(controls(verdict, options) if findings or verdict.controls else []),
    ]
    return ["", *lines] if lines else []


def _since(verdict: Verdict, options: RenderOptions) -> list[str]:
    return [
        line
        for since in verdict.since
        for line in [
            *states_since(since),
            *_findings(worst_first(since.findings), partial(since_id, verdict), options),
        ]
    ]


def _findings(findings: list[Finding], name: Callable[[Finding], str], options: RenderOptions) -> list[str]:
    loud = [finding for finding in findings if finding.status is not Status.OK]
    quiet = [finding for finding in findings if finding.status is Status.OK]
    told = len(loud) if options.verbose else _BLOCKS_SHOWN
    lines = [line for finding in loud[:told] for line in block(finding, name(finding), options)]
    for finding in loud[told:]:
        lines += [one_line(finding, options), *waiver_lines(finding, options)]
    return lines + _quiet(quiet, options)


def _quiet(findings: list[Finding], options: RenderOptions) -> list[str]:
    if options.verbose or len(findings) == 1:
        return [one_line(finding, options) for finding in findings]
    if not findings:
        return []
    left = f"@@ {len(findings)} rules @@  predicted to stay within their limits; -v lists them"
    return [hunk(left, Status.OK, options)]


def _deferred(verdict: Verdict, options: RenderOptions) -> list[str]:
    return wrapped(terminal(verdict.deferred, SENTENCE), options.width, "deferred  ")
