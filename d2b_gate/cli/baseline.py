"""`baseline create` and `baseline show`: rows and commits, with no model."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from d2b_gate.cli.blessed import BASELINE, recorded_baseline, start_of
from d2b_gate.cli.console import say, show
from d2b_gate.cli.context import Standpoint, worktree_reader
from d2b_gate.cli.output import write_whole
from d2b_gate.cli.policy_reading import read_the_policy
from d2b_gate.cli.wiring import row_reader
from d2b_gate.core.baseline import Baseline, baseline_text
from d2b_gate.core.change import Scope
from d2b_gate.core.errors import EvaluationError, Exit, UsageError
from d2b_gate.core.printable import printable
from d2b_gate.gate.cumulative import bless, other_rows
from d2b_gate.gate.dataset import compare
from d2b_gate.reports.numbers import counted
from d2b_gate.sources.git import INDEX, find_repository
from d2b_gate.store.memory import MemoryStore

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

    from d2b_gate.core.ports import Store
    from d2b_gate.core.rules import Policy
    from d2b_gate.gate.cumulative import Start
    from d2b_gate.gate.ports import Reader
    from d2b_gate.probes.catalogue import Catalogue
    from d2b_gate.sources.git import Repository


@dataclass(frozen=True, slots=True)
class Rows:
    """What reads rows, without a model."""

    reader: Reader
    store: Store


@dataclass(frozen=True, slots=True)
class Desk:
    """The repository, the policy of its index, and what reads its rows."""

    repository: Repository
    stand: Standpoint
    policy: Policy
    catalogue: Catalogue
    rows: Rows

    @property
    def path(self) -> Path:
        """Where the baseline lies in the working tree."""
        return self.repository.root / BASELINE

    def recorded(self) -> tuple[Baseline, ...]:
        """The baseline as it is on disk; none where there is no file."""
        return recorded_baseline(worktree_reader(self.repository.root))

    def baseline(self) -> Baseline:
        """The baseline.

        Raises:
            UsageError: there is none yet.
        """
        for one in self.recorded():
            return one
        raise UsageError(f"there is no {BASELINE}", remedy="bless a commit with: d2b-gate baseline create")


def desk(repository: Repository) -> Desk:
    """Read the policy of the index, with which the baseline is going to be committed."""
    stand = Standpoint(repository, "staged", "hook", INDEX)
    policy, catalogue = read_the_policy(stand.policy(), stand.reader())
    return Desk(repository, stand, policy, catalogue, Rows(row_reader(stand, policy.show_samples), MemoryStore()))


def run_create(arguments: Namespace) -> int:
    """Record a commit."""
    with find_repository(Path.cwd()) as repository:
        here = desk(repository)
        if here.recorded():
            raise UsageError("there is a baseline already", where=BASELINE, remedy="run: d2b-gate baseline update")
        write_baseline(here, blessed(here, arguments.ref), arguments)
    return int(Exit.OK)


def blessed(here: Desk, ref: str) -> Baseline:
    """What a commit holds, by the policy of the index."""
    commit = here.repository.resolve(ref)
    return Baseline(commit, bless(here.policy.datasets, here.repository.snapshot_commit(commit), here.rows))


def write_baseline(here: Desk, baseline: Baseline, arguments: Namespace) -> None:
    """Write the file whole and say what to do with it."""
    try:
        write_whole(here.path, baseline_text(baseline))
    except OSError as error:
        what = f"cannot write the baseline ({error.strerror})"
        raise EvaluationError(what, where=BASELINE, remedy="make it writable") from error
    if arguments.quiet:
        return
    rows = counted(sum(one.rows for one in baseline.datasets), "row")
    say(f"wrote {BASELINE}: {baseline.commit[:7]} with {rows} is blessed once it is committed")
    if all(math.isinf(rule.budget_delta) for rule in here.policy.rules):
        say("no rule has a budget_delta yet, so nothing will be held against it")


def run_show(arguments: Namespace) -> int:
    """Print the record, and how the index differs."""
    del arguments
    with find_repository(Path.cwd()) as repository:
        here = desk(repository)
        lines = list(_lines(here, start_of(here.baseline(), repository)))
    show("".join(f"{printable(line)}\n" for line in lines))
    return int(Exit.OK)


def _lines(here: Desk, start: Start) -> Iterator[str]:
    yield f"baseline  {start.baseline.commit}"
    scope = Scope(start.snapshot, here.repository.snapshot_index())
    others = other_rows(here.policy.datasets, start, here.rows)
    for spec in here.policy.datasets:
        diff = compare(spec, scope, here.rows).diff
        then = counted(start.baseline.held(spec.name).rows, "row")
        yield f"dataset   {spec.name}: {then}; in the index +{len(diff.added)}, -{len(diff.removed)}"
        if spec.name in others:
            yield f"          {spec.name} is read otherwise since, so nothing can be held against it: bless it anew"
    names = {spec.name for spec in here.policy.datasets}
    for one in start.baseline.datasets:
        if one.dataset not in names:
            yield f"dataset   {one.dataset}: {counted(one.rows, 'row')}; no longer in the policy"
    for rule in here.policy.rules:
        if math.isfinite(rule.budget_delta):
            yield f"limit     {rule.id}: {rule.budget_delta:g} since the baseline, {rule.fail_delta:g} by one change"
    for agreed in start.baseline.accepted:
        yield f"accepted  {agreed.rule}: {agreed.reason}"
