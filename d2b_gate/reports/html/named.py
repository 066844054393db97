"""Findings in the order of the page, each with an anchor that no text of the repository can choose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from d2b_gate.core.finding_id import finding_id, since_id
from d2b_gate.reports.describe import worst_first

if TYPE_CHECKING:
    from d2b_gate.core.verdict import Finding, Verdict


@dataclass(frozen=True, slots=True)
class Named:
    """A finding, its place on the page, and the name by which commands know it."""

    anchor: str
    name: str
    finding: Finding


def named(verdict: Verdict) -> tuple[list[Named], list[Named]]:
    """The findings of the change, and those since the baseline, worst first."""
    change = [
        Named(f"f{number}", finding_id(verdict, finding), finding)
        for number, finding in enumerate(worst_first(verdict.findings), start=1)
    ]
    past = [finding for since in verdict.since for finding in since.findings]
    since = [
        Named(f"s{number}", since_id(verdict, finding), finding)
        for number, finding in enumerate(worst_first(past), start=1)
    ]
    return change, since
