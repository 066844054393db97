"""Findings in Markdown: a table of what is not ok, then what there is to say about each, then what is ok."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.core.reading import Unmeasured
from d2b_gate.core.verdict import NoShift
from d2b_gate.reports.bounded import Section
from d2b_gate.reports.describe import NAME, PATH, SENTENCE, blamed, limits_of, shift_in_brief, significance
from d2b_gate.reports.escape import terminal
from d2b_gate.reports.escape_markdown import code, fenced, prose
from d2b_gate.reports.full_block import answers_in_words, carried
from d2b_gate.reports.layout import word
from d2b_gate.reports.numbers import counted, scale_of
from d2b_gate.reports.views import fired, view_in_words
from d2b_gate.reports.waiving import in_words as waiver_in_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from d2b_gate.core.reading import Reading
    from d2b_gate.core.verdict import Blame, Finding
    from d2b_gate.core.waivers import Waiver

Told = tuple["Finding", str]
"""A finding, and what its name is followed by: nothing, or what it is held against."""
_RUNS_SHOWN = 5
_COLUMNS = ("rule", "before -> after", "predicted shift", "limit", "verdict")


def table(title: str, loud: Sequence[Finding], size: int) -> Section[Finding]:
    """Behaviour, readings, shift with its interval, limit and status of each finding."""
    head = [f"**{title}**", ""] if title else []
    ruled = [f"| {' | '.join(_COLUMNS)} |", f"|{'---|' * len(_COLUMNS)}"]
    return Section(loud, _row, "rule", most=100, size=size, above=tuple(head + ruled), bullet="\n")


def _row(finding: Finding) -> str:
    cells = (
        rule_in_code(finding),
        f"{_level(finding.before, finding.unit)} -> {_level(finding.after, finding.unit)}",
        shift_in_brief(finding),
        ", ".join(limits_of(finding)),
        f"**{word(finding.status)}**",
    )
    return f"| {' | '.join(cells)} |"


def rule_in_code(finding: Finding) -> str:
    """The rule and its target as one code span, which a name of blanks would not be."""
    rule = finding.rule
    return code(f"{rule.id}: {rule.target}" if rule.target else rule.id, NAME * 2) or "a rule without a name"


def _level(reading: Reading, unit: str) -> str:
    if isinstance(reading, Unmeasured):
        return "unmeasured"
    scale = scale_of(unit)
    return f"{scale.level(reading.level)} {scale.level_unit}"


def details(loud: Sequence[Told]) -> Section[Told]:
    """The rows behind each finding, an example, the reason and whom to ask."""
    return Section(loud, _detail, "rule", most=20, size=13_000)


def _detail(told_of: Told) -> str:
    finding, mark = told_of
    head = f"{rule_in_code(finding)}{mark} **{word(finding.status)}** {prose(finding.title, SENTENCE)}".rstrip()
    told = [
        *(f"view {prose(view_in_words(view, finding.unit), SENTENCE)}" for view in fired(finding)),
        *map(_because, finding.blame[:_RUNS_SHOWN]),
        *_more_runs(finding),
        _significance(finding),
        *_reasons(finding),
        _labelled("why", finding.rule.why),
        _labelled("owner", finding.rule.owner),
    ]
    return "\n".join([head, "", *(f"- {line}" for line in told if line), *_example(finding), ""])


def _because(run: Blame) -> str:
    return f"{code(blamed(run), PATH * 2)}: {prose(carried(run), SENTENCE)}"


def _more_runs(finding: Finding) -> list[str]:
    hidden = len(finding.blame) - _RUNS_SHOWN
    return [f"and {counted(hidden, 'more run')} of rows"] if hidden > 0 else []


def _significance(finding: Finding) -> str:
    shift = finding.shift
    if isinstance(shift, NoShift):
        return _labelled("no shift predicted", shift.reason)
    return significance(shift, finding.unit)


def _reasons(finding: Finding) -> list[str]:
    missing = (reading.reason for reading in (finding.before, finding.after) if isinstance(reading, Unmeasured))
    told = [_labelled("unmeasured", reason) for reason in dict.fromkeys(missing)]
    return [*told, _labelled("reason", finding.reason)]


def _labelled(label: str, text: str) -> str:
    return f"{label}: {prose(text, SENTENCE)}" if text else ""


def _example(finding: Finding) -> list[str]:
    lines = [
        line
        for example in finding.examples[:1]
        for line in (
            f"  {terminal(example.prompt, SENTENCE)}",
            f"- {answers_in_words(example.before, finding.rule.target)}",
            f"+ {answers_in_words(example.after, finding.rule.target)}",
        )
    ]
    return ["", *fenced(lines, SENTENCE, "diff")] if lines else []


def waivers(loud: Sequence[Told]) -> Section[tuple[str, Waiver, Finding]]:
    """Who waived what, up to what and until when."""
    waived = [(mark, waiver, finding) for finding, mark in loud for waiver in finding.waived_by]
    return Section(waived, _waiver, "waiver", most=50, size=5_000, above=("**Waivers**", ""), bullet="- ")


def _waiver(waived: tuple[str, Waiver, Finding]) -> str:
    mark, waiver, finding = waived
    return f"- {rule_in_code(finding)}{mark}: {prose(waiver_in_words(waiver, finding), SENTENCE * 2)}"


def quiet(findings: Sequence[Told]) -> Section[Told]:
    """What is predicted to stay within its limits, collapsed."""
    title = f"{counted(len(findings), 'rule')} predicted to stay within limits"
    above, below = (f"<details><summary>{title}</summary>", ""), ("", "</details>")
    return Section(findings, _quiet, "rule", most=100, size=3_000, above=above, below=below, bullet="- ")


def _quiet(told_of: Told) -> str:
    finding, mark = told_of
    return f"- {rule_in_code(finding)}{mark} {shift_in_brief(finding)}, {', '.join(limits_of(finding))}"
