"""`waive add`: from a finding of a saved result to an entry of the waivers' file. The result is untrusted input."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_CEILING, Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from d2b_gate.cli.console import show
from d2b_gate.cli.context import worktree_reader
from d2b_gate.cli.named_finding import named_finding
from d2b_gate.cli.policy_reading import read_the_policy
from d2b_gate.cli.report import read_result
from d2b_gate.cli.waiver_text import entry_text, write_file
from d2b_gate.core.errors import Exit, PolicyError, UsageError
from d2b_gate.core.finding_id import finding_id, since_id
from d2b_gate.core.judge import far_end
from d2b_gate.core.printable import printable
from d2b_gate.core.verdict import Shift, Status
from d2b_gate.core.waivers import Waiver
from d2b_gate.policy.find import find_policy
from d2b_gate.policy.waivers import FILE, read_waivers
from d2b_gate.reports.waiving import cap_of, scope_of
from d2b_gate.sources.git import find_repository

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Collection, Sequence

    from d2b_gate.core.errors import GateError
    from d2b_gate.core.verdict import Finding, Verdict
    from d2b_gate.sources.git import Repository

_STEPS = {"share": Decimal("0.001"), "nats": Decimal("0.01")}
"""The last place that reports show of a shift: a tenth of a point, and a hundredth of a nat."""
_WAIVABLE = (Status.FAIL, Status.INCONCLUSIVE, Status.WAIVED)


def run_add(arguments: Namespace) -> int:
    """Append a waiver to the file in the working tree."""
    finding = _finding(read_result(Path(arguments.result)), arguments)
    with find_repository(Path.cwd()) as repository:
        reader = worktree_reader(repository.root)
        rules = [rule.id for rule in read_the_policy(find_policy(reader), reader)[0].rules]
        old = reader(FILE)
        standing = read_waivers(old, rules) if old is not None else ()
        waiver = _waiver(finding, repository, arguments)
        _refuse_a_second(waiver, standing)
        text = entry_text(old or "", waiver)
        written = _read_back(text, rules)
        write_file(repository.root, text)
    cap, scope = cap_of(written, finding.rule, finding.unit), scope_of(written)
    show(f"{written.origin}: waives {printable(written.rule)} for {scope}, {cap}, through {written.expires}\n")
    show(f"have it reviewed: git add {FILE}\n")
    return int(Exit.OK)


def _finding(verdict: Verdict, arguments: Namespace) -> Finding:
    """The finding that blocks, or blocked before it was waived."""
    wanted, where = arguments.finding, arguments.result
    if wanted in [since_id(verdict, one) for since in verdict.since for one in since.findings]:
        remedy = "let its owner bless what was merged: d2b-gate baseline update --accept RULE --reason TEXT"
        raise UsageError(f"{printable(wanted)} is of the shift since the baseline", where=where, remedy=remedy)
    name, finding = named_finding([(finding_id(verdict, one), one) for one in verdict.findings], wanted, where)
    if finding.status not in _WAIVABLE or not isinstance(finding.shift, Shift):
        why = "was not measured, and that cannot be waived" if finding.status is Status.ERROR else "does not block"
        what = f"{printable(name)} ended as {finding.status.value}: it {why}"
        raise UsageError(what, where=where, remedy="name a rule that failed or is inconclusive")
    return finding


def _waiver(finding: Finding, repository: Repository, arguments: Namespace) -> Waiver:
    if not arguments.paths and not finding.rows_hash:
        remedy = "give --paths, or run `d2b-gate check` again"
        raise UsageError("the result does not say which rows were judged", where=arguments.result, remedy=remedy)
    return Waiver(
        rule=finding.rule.id,
        max_delta=_cap(finding) if arguments.max_delta is None else arguments.max_delta,
        owner=printable(arguments.owner or finding.rule.owner or _committer(repository)),
        approver=printable(arguments.approver),
        reason=printable(arguments.reason),
        expires=_day(arguments.expires),
        paths=tuple(arguments.paths),
        rows_hash="" if arguments.paths else finding.rows_hash,
    )


def _cap(finding: Finding) -> float:
    """The far end of the shift, rounded up to what reports show of it: the least cap that covers the finding."""
    if not isinstance(finding.shift, Shift):
        return 0.0
    step = _STEPS[finding.unit]
    return float((Decimal(far_end(finding.rule, finding.shift)) / step).to_integral_value(ROUND_CEILING) * step)


def _committer(repository: Repository) -> str:
    name = repository.setting("user.email") or repository.setting("user.name")
    if not name:
        raise UsageError("nobody is named as the waiver's owner", remedy="give --owner")
    return name


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise UsageError(f"--expires {text!r} is no date", remedy="write it as 2026-12-01") from None


def _refuse_a_second(waiver: Waiver, standing: Sequence[Waiver]) -> None:
    scope = (waiver.rule, waiver.paths, waiver.rows_hash)
    for other in standing:
        if (other.rule, other.paths, other.rows_hash) == scope:
            what = f"there is a waiver for {printable(waiver.rule)} and {scope_of(waiver)} already"
            raise UsageError(what, where=other.origin, remedy="change its cap or its end there, and have that reviewed")


def _read_back(text: str, rules: Collection[str]) -> Waiver:
    """The waiver as it will be read; what is wrong with it is told without lines, for it has none yet."""
    try:
        return read_waivers(text, rules)[-1]
    except PolicyError as error:
        problems: list[GateError] = [UsageError(problem.what, remedy=problem.remedy) for problem in error.problems]
        raise PolicyError(problems) from error
