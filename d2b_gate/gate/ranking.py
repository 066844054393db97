"""Added rows by their part in what blocks: where the search for rows to take out begins."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from d2b_gate.core.blame import covered
from d2b_gate.core.errors import EvaluationError
from d2b_gate.core.mixture import subsample
from d2b_gate.core.verdict import Shift
from d2b_gate.gate.explain import contributions_of, slope_of
from d2b_gate.gate.measure import make_job, question_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from d2b_gate.core.rows import RowRef
    from d2b_gate.core.rules import MethodSpec
    from d2b_gate.core.verdict import Finding, RowFinding
    from d2b_gate.gate.dataset import DatasetChange
    from d2b_gate.gate.ports import Ports

BLIND_GUESS = 8
"""Where no row is blamed, an eighth of the rows is tried first: three steps of doubling reach all."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """Every added row, foremost first; the first ``guess`` of them are what the gate would take out unasked."""

    rows: tuple[RowRef, ...]
    guess: int
    blamed: frozenset[RowRef]  # by an earlier run
    parts: Mapping[str, float]  # by key; absent: the prediction did not meet the row

    def part(self, ref: RowRef) -> float:
        """A row's part of what blocks; that of a row without influence, 0, where none is known."""
        return self.parts.get(ref.key, 0.0)

    @property
    def unranked(self) -> int:
        """How many rows have no part of their own."""
        return sum(ref.key not in self.parts for ref in self.rows)


def ranked(
    changes: Sequence[DatasetChange],
    findings: Sequence[Finding],
    broken: Sequence[RowFinding],
    method: MethodSpec,
    ports: Ports,
) -> Ranking:
    """Rank: rows that break their schema, then blamed runs, then the others, by the largest part in any finding.

    A row that the prediction did not meet has the part of a row without influence, 0.
    """
    added = _once(changes)
    must = {(row.path, row.line) for row in broken}
    blamed = frozenset(covered([run for one in findings for run in one.blame if run.side == "added"], added))
    parts = _largest([_parts(one, changes, method, ports) for one in findings])

    def order(ref: RowRef) -> tuple[bool, bool, float, str, int]:
        return (ref.path, ref.line) not in must, ref not in blamed, -parts.get(ref.key, 0.0), ref.path, ref.line

    rows = tuple(sorted(added.elements(), key=order))
    first = sum((ref.path, ref.line) in must or ref in blamed for ref in rows)
    return Ranking(rows, first or max(1, len(rows) // BLIND_GUESS), blamed, parts)


def _once(changes: Sequence[DatasetChange]) -> Counter[RowRef]:
    """Rows of a file that several datasets name, once; equal rows on one line, as often as they occur."""
    rows: Counter[RowRef] = Counter()
    for change in changes:
        rows |= Counter(change.diff.added)
    return rows


def _largest(parts: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """A row's largest part, each finding's foremost row having 1."""
    found: dict[str, float] = {}
    for one in parts:
        scale = max((part for part in one.values() if part > 0), default=1.0)
        for key, part in one.items():
            found[key] = max(found.get(key, part / scale), part / scale)
    return found


def _parts(finding: Finding, changes: Sequence[DatasetChange], method: MethodSpec, ports: Ports) -> dict[str, float]:
    """Each added row's part of one shift, by key; none where it cannot be had: the search then goes on without."""
    names = finding.rule.datasets
    job = make_job([change for change in changes if not names or change.spec.name in names])
    refs = subsample(job.added, job.weights, method.max_changed, seed=0)
    if not refs or not isinstance(finding.shift, Shift):
        return {}
    sign = 1.0 if finding.shift.delta >= 0 else -1.0
    try:
        slope_ld = slope_of(question_of(finding.rule, ports), ports.backend) * sign
        parts = contributions_of(refs, job, slope_ld, ports)
    except EvaluationError:
        return {}
    return {ref.key: part for ref, part in zip(refs, parts, strict=True)}
