"""Where a report points: a file of the repository and lines in it as they are after the change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from d2b_gate.reports.views import runs_behind

if TYPE_CHECKING:
    from d2b_gate.core.policy_change import PolicyChange
    from d2b_gate.core.verdict import Blame, Finding, RowFinding, Verdict

RUNS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Place:
    """Lines of a file; the path is as the repository has it, unescaped."""

    path: str
    first: int = 1  # of rows that are gone, or of no row in particular: the top of the file
    last: int = 1


def places_of(finding: Finding, verdict: Verdict) -> tuple[Place, ...]:
    """The rows behind a finding, those of a view that decided first; else a changed file; else the policy."""
    runs = tuple(dict.fromkeys(_run(run) for run in runs_behind(finding)[:RUNS_SHOWN] if run.path))
    changed = tuple(Place(file.path) for file in verdict.files[:1] if file.path)
    return runs or changed or (policy_place(verdict),)


def _run(blame: Blame) -> Place:
    if blame.side == "removed":
        return Place(blame.path)  # its lines are those of the file before the change
    return _lines(blame.path, blame.first_line, blame.last_line)


def row_place(row: RowFinding, verdict: Verdict) -> Place:
    """The row that breaks its schema."""
    return _lines(row.path, row.line, row.line) if row.path else policy_place(verdict)


def policy_place(verdict: Verdict) -> Place:
    """The top of the policy, for what concerns no row."""
    return Place(verdict.provenance.policy_path or "d2b-gate.toml")


def edit_place(change: PolicyChange, verdict: Verdict) -> Place:
    """Where a policy was edited: ``file:line``, or a file alone."""
    path, colon, line = change.where.rpartition(":")
    if colon and path and line.isascii() and line.isdecimal() and len(line) < _DIGITS:
        return _lines(path, int(line), int(line))
    return Place(change.where) if change.where else policy_place(verdict)


_DIGITS = 10  # a longer number is no line


def _lines(path: str, first: int, last: int) -> Place:
    first = max(1, first)
    return Place(path, first, max(first, last))
