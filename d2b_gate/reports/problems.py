"""What is not ok in a verdict as one list, worst first, for reports that forges read: each with a place and a name."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from d2b_gate.core.finding_id import SINCE
from d2b_gate.core.policy_effect import Effect
from d2b_gate.core.verdict import Status
from d2b_gate.reports.describe import NAME, SENTENCE, control_in_words, failed_controls, headed, name_of, worst_first
from d2b_gate.reports.escape import terminal
from d2b_gate.reports.findings import sentences
from d2b_gate.reports.layout import word
from d2b_gate.reports.numbers import counted
from d2b_gate.reports.places import Place, edit_place, places_of, policy_place, row_place
from d2b_gate.reports.policy_changes import in_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from d2b_gate.core.policy_change import PolicyChange
    from d2b_gate.core.verdict import Control, Finding, RowFinding, Verdict

ROW_SCHEMA = "d2b-gate/row-schema"
CONTROL = "d2b-gate/control"
DEFERRED = "d2b-gate/deferred"
POLICY_CHANGE = "d2b-gate/policy-change"
LEFT_OUT = "d2b-gate/left-out"


class Level(Enum):
    """How loud a problem is: errors are exactly what makes the run fail."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is not ok. Texts are escaped as for a terminal; paths and the identity are not."""

    check: str  # the rule's id, or one of the names above
    title: str  # "FAIL animal-preference: panda"
    sentences: tuple[str, ...]
    level: Level
    places: tuple[Place, ...]  # one or more, the foremost first
    identity: tuple[str, ...]  # what makes it this problem; neither lines nor numbers belong to it
    waived: tuple[str, ...] = ()  # the reasons of the waivers that cover it


@dataclass(frozen=True, slots=True)
class Most:
    """How much a report lists at most."""

    rows: int  # rows against their schema
    problems: int  # of all kinds


def problems(verdict: Verdict) -> list[Problem]:
    """Every problem: rules worst first, rules since the baseline, rows, controls, a deferral, edits of the policy."""
    return [
        *_findings(verdict, verdict.findings, ""),
        *(problem for since in verdict.since for problem in _findings(verdict, since.findings, SINCE)),
        *(_row(row, verdict) for row in verdict.row_findings),
        *(_control(control, verdict) for control in failed_controls(verdict)),
        *(_deferred(verdict) if verdict.deferred else []),
        *(_edit(change, verdict) for change in verdict.policy_changes),
    ]


def bounded(found: Sequence[Problem], most: Most) -> tuple[list[Problem], int]:
    """The problems that a report lists, in their order, and how many it leaves out."""
    kept: list[Problem] = []
    rows = 0
    for problem in found:
        is_row = problem.check == ROW_SCHEMA
        if len(kept) < most.problems and not (is_row and rows >= most.rows):
            kept.append(problem)
            rows += is_row
    return kept, len(found) - len(kept)


def left_out(hidden: int) -> str:
    """What a report says of the problems that it leaves out."""
    return f"and {counted(hidden, 'more problem')}; `d2b-gate report RESULT --format json` lists every one"


def fingerprints(found: Sequence[Problem]) -> list[str]:
    """One name of 64 hexadecimal digits per problem, all different; equal problems are counted in their order."""
    seen: Counter[tuple[str, ...]] = Counter()
    names = []
    for problem in found:
        names.append(hashlib.sha256(json.dumps([*problem.identity, seen[problem.identity]]).encode()).hexdigest())
        seen[problem.identity] += 1
    return names


def check_of(finding: Finding, mark: str) -> str:
    """The name of a rule in a forge: its id, marked where it is held against the baseline."""
    return terminal(finding.rule.id, NAME) + mark


def level_of(finding: Finding) -> Level:
    """How loud a finding is."""
    if finding.status in (Status.FAIL, Status.ERROR) or (finding.status is Status.INCONCLUSIVE and finding.blocks):
        return Level.ERROR
    return Level.WARNING if finding.status in (Status.INCONCLUSIVE, Status.WARN) else Level.NOTE


def _findings(verdict: Verdict, findings: tuple[Finding, ...], mark: str) -> list[Problem]:
    loud = [finding for finding in worst_first(findings) if finding.status is not Status.OK]
    return [_finding(finding, verdict, mark) for finding in loud]


def _finding(finding: Finding, verdict: Verdict, mark: str) -> Problem:
    rule, places = finding.rule, places_of(finding, verdict)
    rows = [finding.rows_hash] if finding.rows_hash else sorted({place.path for place in places})
    return Problem(
        check=check_of(finding, mark),
        title=f"{word(finding.status)} {name_of(rule)}{' since the baseline' if mark else ''}",
        sentences=tuple(sentences(finding)),
        level=level_of(finding),
        places=places,
        identity=(f"rule{mark}", rule.id, rule.probe, rule.target, *rows),
        waived=tuple(dict.fromkeys(terminal(waiver.reason, SENTENCE) for waiver in finding.waived_by)),
    )


def _row(row: RowFinding, verdict: Verdict) -> Problem:
    return Problem(
        check=ROW_SCHEMA,
        title=f"{word(Status.FAIL)} row schema of {terminal(row.dataset, NAME)}",
        sentences=(f"row schema of {headed(row.dataset, NAME)} {terminal(row.message, SENTENCE)}",),
        level=Level.ERROR,
        places=(row_place(row, verdict),),
        identity=("row", row.dataset, row.path, row.message),
    )


def _control(control: Control, verdict: Verdict) -> Problem:
    return Problem(
        check=CONTROL,
        title=f"{word(Status.ERROR)} control {terminal(control.name, NAME)}",
        sentences=(f"{control_in_words(control)}; trust no prediction of this run",),
        level=Level.ERROR,
        places=(policy_place(verdict),),
        identity=("control", control.name),
    )


def _deferred(verdict: Verdict) -> list[Problem]:
    return [
        Problem(
            check=DEFERRED,
            title="deferred to CI",
            sentences=(f"nothing was judged: {terminal(verdict.deferred, SENTENCE)}",),
            level=Level.NOTE,
            places=(policy_place(verdict),),
            identity=("deferred",),
        )
    ]


def _edit(change: PolicyChange, verdict: Verdict) -> Problem:
    loud = change.effect in (Effect.LOOSENS, Effect.UNCLEAR)
    return Problem(
        check=POLICY_CHANGE,
        title=f"policy: {change.effect.value}",
        sentences=(in_words(change), "this edit had no influence on the verdict"),
        level=Level.WARNING if loud else Level.NOTE,
        places=(edit_place(change, verdict),),
        identity=("policy", change.kind, change.subject, change.before, change.after),
    )
