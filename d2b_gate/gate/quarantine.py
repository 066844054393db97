"""`quarantine`: the fewest added rows whose removal lets a change pass, every try judged as the whole change was."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from d2b_gate.core.errors import EvaluationError
from d2b_gate.core.finding_id import SINCE
from d2b_gate.core.judge import lies_past
from d2b_gate.core.printable import printable
from d2b_gate.core.quarantine import Quarantine, Turned, neighbours, smallest_prefix
from d2b_gate.core.rows import file_order
from d2b_gate.core.verdict import Shift, Status
from d2b_gate.gate.ranking import ranked
from d2b_gate.gate.removal import holders_of, removal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from d2b_gate.core.ports import Progress
    from d2b_gate.core.rows import RowRef
    from d2b_gate.core.verdict import Blame, Finding, Verdict
    from d2b_gate.gate.dataset import DatasetChange
    from d2b_gate.gate.ports import Ports, Request
    from d2b_gate.gate.ranking import Ranking
    from d2b_gate.gate.removal import Edit, Editor, Holder

    Judge = Callable[[Request, Ports], Verdict]

MOST_TRIES = 32
"""Our choice: doubling and halving over a million rows, and runs to give back besides."""
MOST_RUNS_BACK = 8
"""Runs that are tried to be given back, the least blamed first; our choice: one try each."""
ROWS = "row schema: "
"""Before the name of a dataset with added rows that break its schema."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be cleared: a finding (``rule`` or ``rule+since``), or all that blocks where none is named."""

    request: Request
    changes: tuple[DatasetChange, ...]
    wanted: str
    blame: Mapping[str, tuple[Blame, ...]]  # by the same names, from an earlier run: only where to begin
    seconds: float  # for the search; a try that has begun is finished


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it, and the files without the rows."""

    found: Quarantine
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class _Try:
    """The change without some rows, judged."""

    verdict: Verdict
    edits: tuple[Edit, ...]

    def standing(self, goal: frozenset[str]) -> frozenset[str]:
        """What blocks, and of the goal what is still past its limit, if only too uncertainly to block."""
        over = {name for name, one in named(self.verdict).items() if name in goal and _is_past(one)}
        return frozenset(blocking(self.verdict)) | over


@dataclass(slots=True)
class _Bench:
    """Judges the change without rows, each set of rows once."""

    task: Task
    ports: Ports
    editor: Editor
    judge: Judge
    holders: Mapping[str, Holder]
    known: dict[tuple[RowRef, ...], _Try] = field(default_factory=dict)

    def knows(self, rows: Sequence[RowRef]) -> bool:
        return _in_order(rows) in self.known

    def without(self, rows: Sequence[RowRef]) -> _Try:
        away = _in_order(rows)
        if away not in self.known:
            told = f"without {len(away)} rows (try {len(self.known) + 1})"
            ports = replace(self.ports, progress=_Told(self.ports.progress, told))
            less = removal(away, self.holders, self.task.request, ports, self.editor)
            self.known[away] = _Try(self.judge(less.request, less.ports), less.edits)
        return self.known[away]


def _in_order(rows: Sequence[RowRef]) -> tuple[RowRef, ...]:
    return file_order(rows)


@dataclass(frozen=True, slots=True)
class _Told:
    """Progress that says which try it is."""

    inner: Progress
    told: str

    def stage(self, name: str, total: int) -> None:
        self.inner.stage(f"{name} {self.told}", total)

    def advance(self, steps: int = 1) -> None:
        self.inner.advance(steps)

    def note(self, text: str) -> None:
        self.inner.note(text)


def quarantine(task: Task, ports: Ports, editor: Editor, judge: Judge) -> Outcome:
    """Search, and verify: what is returned was judged on the very bytes that its edits hold.

    Raises:
        EvaluationError: a control or a rule cannot be judged, so that nothing can be said of what passes; or time
            ended before any set that passes was found.
    """
    whole = judge(task.request, ports)
    _refuse_unjudged(whole, task.wanted)
    stopping = blocking(whole)
    goal = frozenset(stopping if not task.wanted else stopping.keys() & {task.wanted})
    started = ports.clock()
    if not goal:
        return Outcome(_told(task, whole, (), (), (), 0, 0.0), ())
    findings = [replace(one, blame=task.blame.get(name, ())) for name in goal for one in stopping[name]]
    broken = [row for row in whole.row_findings if f"{ROWS}{row.dataset}" in goal]
    ranking = ranked(task.changes, findings, broken, task.request.policy.method, ports)
    bench = _Bench(task, ports, editor, judge, holders_of(task.changes, ports, editor))

    def more() -> bool:
        return len(bench.known) < MOST_TRIES and ports.clock() - started < task.seconds

    away, smallest = _search(bench, ranking, whole, goal, more) if ranking.rows else ((), True)
    return _outcome(bench, ranking, whole, goal, away, smallest=smallest, seconds=ports.clock() - started)


def blocking(verdict: Verdict) -> dict[str, tuple[Finding, ...]]:
    """What keeps a verdict from passing, by name: rules, rules since the baseline, datasets with broken rows."""
    found = {name: (finding,) for name, finding in named(verdict).items() if _blocks(finding)}
    return {**found, **{f"{ROWS}{row.dataset}": () for row in verdict.row_findings}}


def named(verdict: Verdict) -> dict[str, Finding]:
    """Findings by rule, those since the baseline marked."""
    since = (finding for one in verdict.since for finding in one.findings)
    own = {finding.rule.id: finding for finding in verdict.findings}
    return own | {f"{finding.rule.id}{SINCE}": finding for finding in since}


def _is_past(finding: Finding) -> bool:
    waived = finding.status is Status.WAIVED
    return not waived and isinstance(finding.shift, Shift) and lies_past(finding.rule, finding.shift)


def _blocks(finding: Finding) -> bool:
    inconclusive = finding.status is Status.INCONCLUSIVE and finding.blocks
    return inconclusive or finding.status in (Status.FAIL, Status.ERROR)


def _refuse_unjudged(verdict: Verdict, wanted: str) -> None:
    for control in verdict.controls:
        if not control.passed:
            raise EvaluationError(
                f"the control {control.name} failed ({control.detail}), so no prediction of this run can be trusted",
                remedy="run: d2b-gate doctor",
            )
    for name, findings in blocking(verdict).items():
        for finding in findings:
            if finding.status is Status.ERROR and wanted in ("", name):
                what = f"{printable(name)} cannot be judged ({printable(finding.reason)}), with or without any row"
                raise EvaluationError(what, remedy="run: d2b-gate doctor, or name another finding")


def _search(
    bench: _Bench, ranking: Ranking, whole: Verdict, goal: frozenset[str], more: Callable[[], bool]
) -> tuple[tuple[RowRef, ...], bool]:
    """The rows to take out, and whether less was tried; none where no set of rows that was tried clears anything.

    What blocks without any added row as well is the fault of removed rows, or of the base, and is left. Where rows were
    removed, too, that is only concluded once no set clears everything: new rows may make up for what the old ones did.
    """
    others = frozenset(blocking(whole).keys() - goal)
    replaced = any(change.diff.removed for change in bench.task.changes)
    if replaced and (found := _tried(bench, ranking, goal, others, more)):
        return found[0]
    lasting = goal & bench.without(ranking.rows).standing(goal)
    found = () if goal <= lasting else _tried(bench, ranking, goal, others | lasting, more)
    return found[0] if found else ((), True)


def _tried(
    bench: _Bench, ranking: Ranking, goal: frozenset[str], allowed: frozenset[str], more: Callable[[], bool]
) -> tuple[tuple[tuple[RowRef, ...], bool], ...]:
    """One search, after which nothing but ``allowed`` may stand; what it found, or nothing."""

    def passes(rows: Sequence[RowRef]) -> bool:
        return bench.without(rows).standing(goal) <= allowed

    prefix = smallest_prefix(len(ranking.rows), ranking.guess, lambda size: passes(ranking.rows[:size]), more)
    if prefix.size:
        return ((_given_back(ranking.rows[: prefix.size], ranking, passes, more), prefix.smallest),)
    if not prefix.ended_early:
        return ()
    if bench.knows(ranking.rows) and passes(ranking.rows):
        return ((ranking.rows, False),)
    raise EvaluationError(
        f"time ended after {len(bench.known)} tries, before a set of rows was found whose removal clears the change",
        remedy="give more of it: --budget SECONDS; what was computed is kept",
    )


def _given_back(
    rows: tuple[RowRef, ...],
    ranking: Ranking,
    passes: Callable[[Sequence[RowRef]], bool],
    more: Callable[[], bool],
) -> tuple[RowRef, ...]:
    """Less the whole runs of neighbouring rows that need not go, those with the least part tried first."""
    runs = sorted(neighbours(rows, ranking.rows), key=lambda run: max(ranking.part(ref) for ref in run))
    for run in runs[:MOST_RUNS_BACK] if len(runs) > 1 else ():
        without = tuple(ref for ref in rows if ref not in set(run))
        if more() and without and passes(without):
            rows = without
    return rows


def _outcome(
    bench: _Bench,
    ranking: Ranking,
    whole: Verdict,
    goal: frozenset[str],
    away: tuple[RowRef, ...],
    *,
    smallest: bool,
    seconds: float,
) -> Outcome:
    """Everything to tell; where nothing can be cleared, held against the change without any added row."""
    found = bench.without(away or ranking.rows) if ranking.rows else _Try(whole, ())
    edits = found.edits if away else ()
    told = _told(bench.task, whole, _turned(whole, found, goal), away, edits, len(bench.known), seconds)
    staying = len(ranking.blamed.difference(away))
    return Outcome(replace(told, smallest=smallest, unranked=ranking.unranked, staying=staying), edits)


def _turned(whole: Verdict, found: _Try, goal: frozenset[str]) -> tuple[Turned, ...]:
    """What blocked, in the order of the verdict, and what became of it."""
    after, standing = named(found.verdict), found.standing(goal)
    return tuple(
        Turned(name, one, (after[name],) if name in after else (), name in goal, name not in standing)
        for name, findings in blocking(whole).items()
        for one in findings
    )


def _told(
    task: Task,
    whole: Verdict,
    turned: tuple[Turned, ...],
    away: tuple[RowRef, ...],
    edits: Sequence[Edit],
    tries: int,
    seconds: float,
) -> Quarantine:
    places = {(ref.path, ref.line) for ref in away}
    return Quarantine(
        scope=task.request.scope.label,
        away=neighbours(away, [ref for change in task.changes for ref in (*change.diff.kept, *change.diff.added)]),
        added=sum(len(change.diff.added) for change in task.changes),
        unranked=0,
        turned=turned,
        broken=tuple(row for row in whole.row_findings if (row.path, row.line) in places),
        tries=tries,
        seconds=seconds,
        smallest=True,
        stuck=tuple((edit.holder.file.path, edit.holder.hindrance) for edit in edits if edit.holder.hindrance),
    )
