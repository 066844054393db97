"""A verdict as a check run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.core.errors import Exit
from d2b_gate.core.verdict import Status
from d2b_gate.forge.checks import Annotation, Check
from d2b_gate.reports.describe import SENTENCE, in_short
from d2b_gate.reports.escape import terminal
from d2b_gate.reports.problems import Level, Most, bounded, problems

if TYPE_CHECKING:
    from d2b_gate.core.verdict import Verdict
    from d2b_gate.reports.problems import Problem

_MOST = Most(rows=20, problems=200)  # our choice: four requests
_LEVELS = {Level.ERROR: "failure", Level.WARNING: "warning", Level.NOTE: "notice"}


def check_of(verdict: Verdict, name: str, key: str, head: str, report: str) -> Check:
    """What the check run says; ``report`` is the verdict in Markdown."""
    shown, _ = bounded(problems(verdict), _MOST)  # the report says what is left out
    return Check(
        name=name,
        head=head,
        key=key,
        conclusion=conclusion_of(verdict),
        title=in_short(verdict),
        summary=report,
        annotations=tuple(map(_annotation, shown)),
    )


def conclusion_of(verdict: Verdict) -> str:
    """Neutral lets a merge pass: so it is only for what the policy lets pass, and nobody could settle."""
    if verdict.exit is not Exit.OK:
        return "failure"
    findings = [*verdict.findings, *(finding for since in verdict.since for finding in since.findings)]
    unsettled = any(finding.status is Status.INCONCLUSIVE for finding in findings)
    return "neutral" if verdict.deferred or unsettled else "success"


def _annotation(problem: Problem) -> Annotation:
    place = problem.places[0]
    return Annotation(
        path=place.path,
        first=place.first,
        last=place.last,
        level=_LEVELS[problem.level],
        title=problem.title.rstrip(),
        message="\n".join(terminal(sentence, SENTENCE * 2) for sentence in problem.sentences),
    )
