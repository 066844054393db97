"""`policy replay`: what a policy would have said of the results that `check` stored."""

from __future__ import annotations

import math
import re
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from d2b_gate.cli.audit_labels import AUDIT, labels_of
from d2b_gate.cli.console import say, show
from d2b_gate.cli.policy import count
from d2b_gate.cli.policy_diff import state_of
from d2b_gate.cli.policy_reading import read_stated
from d2b_gate.cli.report import read_result
from d2b_gate.cli.stored import results_folder, stored_files
from d2b_gate.core.errors import EvaluationError, Exit, UsageError
from d2b_gate.core.printable import printable
from d2b_gate.core.replay import in_hindsight, replay
from d2b_gate.core.verdict import Status
from d2b_gate.sources.git import INDEX, find_repository
from d2b_gate.sources.process import git

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator, Sequence

    from d2b_gate.core.replay import Hindsight, Replayed
    from d2b_gate.core.rules import Policy
    from d2b_gate.core.verdict import Verdict
    from d2b_gate.sources.git import Repository

_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def run_replay(arguments: Namespace) -> int:
    """Print every result whose verdict changes, and how many would have been blocked."""
    with find_repository(Path.cwd()) as repository:
        state = state_of(repository, arguments.policy or INDEX)
        policy = read_stated(state.found, state.read).policy
        since = _moment(repository, arguments.since) if arguments.since else 0.0
        labels = labels_of(repository.root / AUDIT, AUDIT)
    stored = [result for result in _results(arguments) if result[2] >= since]
    results = [result for result in stored if _is_of(policy, result[1])]
    if len(results) < len(stored):
        say(f"left out {count(len(stored) - len(results), 'result')} of another model or predictor")
    if not results:
        raise UsageError("there is no stored result to replay", remedy="run checks first, or give --results FOLDER")
    told = [(path, verdict, _judged(verdict, policy)) for path, verdict, _ in results]
    then = sum(_blocks(verdict, policy) for _, verdict, _ in told)
    now = sum(_would_block(verdict, found, policy) for _, verdict, (found, _) in told)
    lines = [line for path, verdict, (found, _) in told for line in _changes(path, verdict, found)]
    unknown = sorted({rule for _, _, (_, missing) in told for rule in missing})
    lines += [f"not in every result, and so not replayed: {', '.join(unknown)}"] if unknown else []
    lines += [f"would have blocked {now} of {count(len(told), 'result')} ({then} as they were judged)"]
    lines += [_hindsight(one) for one in in_hindsight([one for _, _, (found, _) in told for one in found], labels)]
    show("".join(f"{printable(line)}\n" for line in lines))
    return int(Exit.OK)


def _moment(repository: Repository, since: str) -> float:
    """Seconds since the epoch of a date (UTC) or of a commit."""
    if _DATE.match(since):
        try:
            found = datetime.fromisoformat(since)
        except ValueError as error:
            raise UsageError(f"--since {since!r} is no date", remedy="write 2026-11-30, or a commit") from error
        return (found if found.tzinfo else found.replace(tzinfo=timezone.utc)).timestamp()
    return float(git(repository.root, "show", "--no-patch", "--format=%ct", repository.resolve(since)).split()[-1])


def _results(arguments: Namespace) -> Iterator[tuple[Path, Verdict, float]]:
    """Results with the time at which they were stored, oldest first; one that cannot be read is named and left out."""
    folder = Path(arguments.results) if arguments.results else results_folder()
    for moment, path in stored_files(folder, math.inf):
        found = _read(path)
        if found is not None:
            yield path, found, moment


def _read(path: Path) -> Verdict | None:
    try:
        return read_result(path)
    except EvaluationError as error:
        say(f"left out {printable(path.name)}: {error}")
        return None


def _is_of(policy: Policy, verdict: Verdict) -> bool:
    """Whether the policy would have asked the same model by the same predictor; the toy has an own name."""
    asked = "fake" if policy.backend.kind == "fake" else policy.model.id
    return verdict.provenance.model_id in (asked, policy.model.id) and (
        verdict.provenance.predictor == policy.method.predictor
    )


def _judged(verdict: Verdict, policy: Policy) -> tuple[tuple[Replayed, ...], tuple[str, ...]]:
    return replay(verdict, policy.rules, policy.method.confidence)


def _blocks(verdict: Verdict, policy: Policy) -> bool:
    """Whether CI would have been stopped."""
    return _stops([finding.status for finding in verdict.findings], verdict, policy)


def _would_block(verdict: Verdict, found: Sequence[Replayed], policy: Policy) -> bool:
    return _stops([one.after for one in found], verdict, policy)


def _stops(statuses: Sequence[Status], verdict: Verdict, policy: Policy) -> bool:
    stopping = {Status.FAIL, Status.ERROR}
    stopping |= {Status.INCONCLUSIVE} if policy.on_inconclusive.ci == "fail" else set()
    return bool(verdict.row_findings) or not stopping.isdisjoint(statuses)


def _changes(path: Path, verdict: Verdict, found: Sequence[Replayed]) -> Iterator[str]:
    differing = [f"{one.rule} {one.before.value} -> {one.after.value}" for one in found if one.before is not one.after]
    if differing:
        yield f"{path.name}: {verdict.provenance.scope}: {', '.join(differing)}"


def _hindsight(one: Hindsight) -> str:
    label = "true" if one.label else "false"
    return f"of {count(one.count, 'finding')} labelled {label}, {one.fail} would fail ({one.failed} did)"
