"""The first thing on the page: how it ended, and why, in one sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from d2b_gate.core.errors import Exit
from d2b_gate.core.verdict import NoShift, Status
from d2b_gate.reports.describe import (
    SENTENCE,
    control_in_words,
    failed_controls,
    limits_of,
    name_of,
    shift_in_brief,
    worst_first,
)
from d2b_gate.reports.escape import terminal
from d2b_gate.reports.numbers import counted, grouped

if TYPE_CHECKING:
    from d2b_gate.core.verdict import Finding, Verdict


@dataclass(frozen=True, slots=True)
class Headline:
    """A title, the sentence below it, and the status whose colour and symbol they wear."""

    status: Status
    title: str
    sentence: str


_TITLES = {
    Exit.VIOLATED: (Status.FAIL, "The policy is violated"),
    Exit.UNEVALUATED: (Status.ERROR, "The change could not be judged"),
    Exit.INCONCLUSIVE: (Status.INCONCLUSIVE, "Inconclusive, and the policy blocks that"),
}


def headline(verdict: Verdict) -> Headline:
    """Why the exit code is what it is."""
    if verdict.exit in _TITLES:
        status, title = _TITLES[verdict.exit]
        return Headline(status, title, _cause(verdict, status) + _besides(verdict, status))
    if verdict.deferred:
        return Headline(Status.WARN, "Left to CI", f"Not judged here: {terminal(verdict.deferred, SENTENCE)}.")
    return _passing(verdict)


def _cause(verdict: Verdict, status: Status) -> str:
    if status is Status.ERROR and (failed := failed_controls(verdict)):
        return f"A control of the gate itself failed: {control_in_words(failed[0])}."
    own = [finding for finding in verdict.findings if finding.status is status]
    since = [finding for one in verdict.since for finding in one.findings if finding.status is status]
    if own:
        return _of_finding(worst_first(own)[0], "", len(own) + len(since) - 1)
    if since:
        return _of_finding(worst_first(since)[0], " since the baseline", len(since) - 1)
    rows = len(verdict.row_findings)
    return f"{counted(rows, 'row')} {'breaks' if rows == 1 else 'break'} the schema of the dataset."


def _besides(verdict: Verdict, status: Status) -> str:
    """What an error must not hide: a rule that is violated all the same."""
    failed = verdict.count(Status.FAIL) if status is Status.ERROR else 0
    return (
        f" Besides, {counted(failed, 'rule')} {'is' if failed == 1 else 'are'} predicted to be violated."
        if failed
        else ""
    )


def _of_finding(finding: Finding, since: str, others: int) -> str:
    more = f" {counted(others, 'more rule')} ended the same way." if others else ""
    return f"{name_of(finding.rule)}{since}: {_unbroken(_numbers(finding))}{terminal(finding.reason, SENTENCE)}.{more}"


def _unbroken(numbers: str) -> str:
    """Numbers that a line break does not part from their units."""
    return numbers.replace(" %", "\u00a0%").replace(" pt", "\u00a0pt").replace(" nats", "\u00a0nats")


def _numbers(finding: Finding) -> str:
    if isinstance(finding.shift, NoShift):
        return ""
    return f"predicted {shift_in_brief(finding)}, {', '.join(limits_of(finding))}; "


def _passing(verdict: Verdict) -> Headline:
    found = [*verdict.findings, *(finding for since in verdict.since for finding in since.findings)]
    if not found:
        return Headline(Status.OK, "Nothing blocks this change", "No rule was judged.")
    worst = worst_first(found)[0].status
    alike = sum(finding.status is worst for finding in found)
    one, many = _SENTENCES[worst]
    sentence = one if alike == 1 else many.format(grouped(alike))
    return Headline(worst, "Nothing blocks this change", sentence)


_SENTENCES = {
    Status.INCONCLUSIVE: (
        "One rule ended inconclusive, which the policy lets pass here.",
        "{} rules ended inconclusive, which the policy lets pass here.",
    ),
    Status.WARN: (
        "One rule is predicted past its warning limit, and not past its limit.",
        "{} rules are predicted past their warning limits, and not past their limits.",
    ),
    Status.WAIVED: ("One finding would block and is waived.", "{} findings would block and are waived."),
    Status.OK: (
        "The one rule is predicted to stay within its limit.",
        "All {} rules are predicted to stay within their limits.",
    ),
}
