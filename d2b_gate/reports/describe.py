"""Words about a verdict that more than one report needs; every text that comes from outside is escaped here."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from d2b_gate.core.errors import Exit
from d2b_gate.core.verdict import NoShift, Status
from d2b_gate.reports.escape import terminal
from d2b_gate.reports.numbers import counted, probability, scale_of, signed_limit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from d2b_gate.core.rules import Rule
    from d2b_gate.core.verdict import Blame, Control, Finding, Shift, Verdict

NAME = 80  # characters shown of an id, a version, a scope
PATH = 200  # characters shown of a path
SENTENCE = 600  # characters shown of a reason, a note, a why
_COLON = len(r"\x3a:")

_ORDER = {status: rank for rank, status in enumerate(Status)}  # Status is declared worst first
_CONTROLS = {"canary": ("fired", "did not fire"), "null": ("silent", "was not silent")}


def worst_first(findings: Sequence[Finding]) -> list[Finding]:
    """The findings by status; within a status in the order of the verdict."""
    return sorted(findings, key=lambda finding: _ORDER[finding.status])


def name_of(rule: Rule) -> str:
    """``rule`` or ``rule: target``."""
    return f"{headed(rule.id, NAME)} {terminal(rule.target, NAME)}" if rule.target else terminal(rule.id, NAME)


def headed(text: str, limit: int) -> str:
    """The text and a colon, escaped together: a text that is a colon must not make a command of the two."""
    return terminal(f"{terminal(text, limit)}:", limit + _COLON)


def place(path: str, lines: str) -> str:
    """``path:lines``; a long path is cut, the lines are not."""
    return headed(path, PATH) + lines


def blamed(blame: Blame) -> str:
    """``path:first-last`` of a run of rows."""
    return place(blame.path, blame.where[len(blame.path) + 1 :])


def shift_in_brief(finding: Finding) -> str:
    """``+18.7 pt [+15.9, +21.5]``, or that nothing was predicted."""
    shift = finding.shift
    return "no shift predicted" if isinstance(shift, NoShift) else interval_in_brief(shift, finding.unit)


def interval_in_brief(shift: Shift, unit: str) -> str:
    """``+18.7 pt [+15.9, +21.5]``."""
    scale = scale_of(unit)
    return f"{scale.delta(shift.delta)} {scale.delta_unit} [{scale.delta(shift.low)}, {scale.delta(shift.high)}]"


def significance(shift: Shift, unit: str) -> str:
    """``noise 1.1 pt, adjusted p 0.0004``."""
    scale = scale_of(unit)
    return f"noise {scale.level(shift.noise)} {scale.delta_unit}, adjusted p {probability(shift.p_adjusted)}"


def limits_of(finding: Finding) -> list[str]:
    """``limit +5.0 pt``, and the ceiling where the rule has one."""
    rule, scale = finding.rule, scale_of(finding.unit)
    limits = [f"limit {signed_limit(rule, rule.fail_delta, finding.unit)}"]
    if finding.status is Status.WARN:
        limits.insert(0, f"warn {signed_limit(rule, rule.warn_delta, finding.unit)}")
    if math.isfinite(rule.max_level):
        limits.append(f"ceiling {scale.limit(rule.max_level)} {scale.level_unit}")
    return limits


def control_in_words(control: Control) -> str:
    """``canary fired``, or what a failed control did, with its detail."""
    passed, failed = _CONTROLS.get(control.name, ("passed", "failed"))
    name = terminal(control.name, NAME)
    if control.passed:
        return f"{name} {passed}"
    return f"{name} {failed}" + (f" ({terminal(control.detail, SENTENCE)})" if control.detail else "")


def failed_controls(verdict: Verdict) -> list[Control]:
    """The controls that make the whole verdict an error."""
    return [control for control in verdict.controls if not control.passed]


def tally(verdict: Verdict) -> list[tuple[Status, str]]:
    """``1 fail``, ``7 ok``: what was counted, worst first, each with the status that it stands for."""
    counts = [(status, f"{verdict.count(status)} {status.value}") for status in Status if verdict.count(status)]
    for since in verdict.since:
        ended = [finding.status for finding in since.findings]
        counts += [(s, f"{ended.count(s)} {s.value} since the baseline") for s in Status if s in ended]
    if verdict.row_findings:
        rows = counted(len(verdict.row_findings), "row")
        counts.append((Status.FAIL, f"{rows} against the row schema"))
    if failed := failed_controls(verdict):
        counts.append((Status.ERROR, f"{counted(len(failed), 'control')} failed"))
    return sorted(counts, key=lambda count: _ORDER[count[0]])


def in_short(verdict: Verdict) -> str:
    """``1 fail, 7 ok; exit 1``."""
    counts = ", ".join(text for _, text in tally(verdict)) or "nothing was judged"
    deferred = f"deferred: {terminal(verdict.deferred, SENTENCE)}; " if verdict.deferred else ""
    return f"{deferred}{counts}; exit {int(verdict.exit)}"


def is_plainly_ok(verdict: Verdict) -> bool:
    """Whether there is nothing that anybody should look at."""
    findings = [*verdict.findings, *(finding for since in verdict.since for finding in since.findings)]
    return verdict.exit is Exit.OK and not verdict.deferred and all(one.status is Status.OK for one in findings)
