"""Names of findings that stay the same wherever the same change is judged again.

A fingerprint names model, method, questions and rows, and no limit: judging the same change again, under other limits
or on another machine of the same kind, gives the same names; one row more gives others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from d2b_gate.core.verdict import Finding, Verdict

PREFIX = 12  # characters of the fingerprint, as reports show it (pins: result): 48 bits, and the rule's name besides
SINCE = "+since"
"""Marks a finding of the comparison with the baseline: its rule has another limit there."""


def finding_id(verdict: Verdict, finding: Finding) -> str:
    """``rule@fingerprint``: a finding of the change itself."""
    return f"{finding.rule.id}@{verdict.fingerprint[:PREFIX]}"


def since_id(verdict: Verdict, finding: Finding) -> str:
    """``rule+since@fingerprint``: a finding of the comparison with the baseline."""
    return f"{finding.rule.id}{SINCE}@{verdict.fingerprint[:PREFIX]}"


def named_findings(verdict: Verdict) -> Iterator[tuple[str, Finding]]:
    """Every finding of a verdict with its name, those since the baseline last."""
    for finding in verdict.findings:
        yield finding_id(verdict, finding), finding
    for since in verdict.since:
        for finding in since.findings:
            yield since_id(verdict, finding), finding
