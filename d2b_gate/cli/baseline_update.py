"""`baseline update`: bless another commit, if what happened since the last one is within the policy's limits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from d2b_gate.cli.baseline import blessed, desk, write_baseline
from d2b_gate.cli.blessed import BASELINE, start_of
from d2b_gate.cli.calibrations import calibrations
from d2b_gate.cli.console import say
from d2b_gate.cli.output import plan_output, save_result, write_reports
from d2b_gate.cli.progress import make_progress
from d2b_gate.cli.unavailable import inability
from d2b_gate.cli.wiring import running_of, wire
from d2b_gate.core.baseline import Accepted
from d2b_gate.core.change import Scope
from d2b_gate.core.errors import Exit, UsageError
from d2b_gate.core.suggest import did_you_mean
from d2b_gate.core.verdict import Status
from d2b_gate.gate.check import run
from d2b_gate.gate.cumulative import cumulative_policy, other_rows
from d2b_gate.gate.dataset import compare
from d2b_gate.gate.ports import Request
from d2b_gate.sources.git import find_repository

if TYPE_CHECKING:
    from argparse import Namespace

    from d2b_gate.cli.baseline import Desk
    from d2b_gate.core.rules import Policy
    from d2b_gate.core.verdict import Verdict
    from d2b_gate.gate.cumulative import Start

LONGEST_REASON = 500


def run_update(arguments: Namespace) -> int:
    """Judge the shift since the baseline, then record the commit, or say which rules stand in the way."""
    outputs = plan_output(arguments)
    with find_repository(Path.cwd()) as repository:
        here = desk(repository)
        start = start_of(here.baseline(), repository)
        budgeted = cumulative_policy(here.policy)
        _check_acceptance(arguments, budgeted)
        _note_other_rows(here, start)
        new = blessed(here, arguments.ref)
        scope = Scope(start.snapshot, repository.snapshot_commit(new.commit))
        moved = any(not compare(spec, scope, here.rows).diff.empty for spec in budgeted.datasets)
        if budgeted.rules and moved:
            verdict = _judged(here, Request(scope, budgeted, "ci"), arguments)
            write_reports(verdict, outputs, save_result(verdict), "ci", arguments)
            if (code := _standing(verdict, arguments.accept)) is not Exit.OK:
                return int(code)
            new = replace(new, accepted=_accepted(verdict, arguments))
        write_baseline(here, new, arguments)
    return int(Exit.OK)


def _check_acceptance(arguments: Namespace, budgeted: Policy) -> None:
    if bool(arguments.accept) != bool(arguments.reason.strip()):
        raise UsageError("--accept and --reason belong together", remedy="say which rule, and why")
    if len(arguments.reason) > LONGEST_REASON:
        raise UsageError(f"--reason has more than {LONGEST_REASON} characters", remedy="say it shorter")
    known = [rule.id for rule in budgeted.rules]
    for rule in arguments.accept:
        if rule not in known:
            raise UsageError(f"no rule {rule!r} has a budget_delta", remedy=did_you_mean(rule, known))


def _note_other_rows(here: Desk, start: Start) -> None:
    """A changed definition is no obstacle to blessing anew; it is said, because old and new are then read alike."""
    for name in other_rows(here.policy.datasets, start, here.rows):
        say(f"{BASELINE}: {name!r} is read otherwise since the last blessing; both states are read as the policy says")


def _judged(here: Desk, request: Request, arguments: Namespace) -> Verdict:
    if (error := inability(arguments)) is not None:
        raise error
    with make_progress(quiet=arguments.quiet) as progress:
        running = running_of(arguments, progress)
        known = calibrations(here.stand.reader())
        policy, ports = wire(request.policy, here.catalogue, here.stand, running, known)
        return run(replace(request, policy=policy), ports)


def _blocking(verdict: Verdict) -> list[str]:
    return [finding.rule.id for finding in verdict.findings if finding.blocks and finding.status is not Status.ERROR]


def _standing(verdict: Verdict, accepted: list[str]) -> Exit:
    """The verdict's exit code, but for rules that are accepted; what was not evaluated cannot be."""
    left = [rule for rule in _blocking(verdict) if rule not in accepted]
    if verdict.exit is Exit.UNEVALUATED:
        say(f"error: {BASELINE} stays as it is: the shift since it could not be evaluated")
        return Exit.UNEVALUATED
    if left:
        remedy = " ".join(f"--accept {rule}" for rule in left)
        say(f"error: {BASELINE} stays as it is; take rows out, or bless it all the same with {remedy} --reason TEXT")
        return verdict.exit
    return Exit.OK


def _accepted(verdict: Verdict, arguments: Namespace) -> tuple[Accepted, ...]:
    blocking = _blocking(verdict)
    for rule in arguments.accept:
        if rule not in blocking:
            say(f"{rule} is within its limit, so there was nothing to accept")
    return tuple(Accepted(rule, arguments.reason.strip()) for rule in blocking if rule in arguments.accept)
