"""`waive list`: every waiver with what it covers, who answers for it, and how long it stands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from d2b_gate.cli.console import show
from d2b_gate.cli.context import text_reader, worktree_reader
from d2b_gate.cli.policy_reading import read_the_policy
from d2b_gate.cli.waivers import WaiverLint, lint_text, standing_waivers
from d2b_gate.core.errors import Exit
from d2b_gate.policy.find import find_policy
from d2b_gate.policy.waiver_lint import SOON, days_left, lint_waivers
from d2b_gate.reports.escape import terminal
from d2b_gate.reports.layout import columns, padded
from d2b_gate.reports.numbers import signed_limit
from d2b_gate.reports.waiving import scope_of
from d2b_gate.sources.git import find_repository

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Mapping, Sequence

    from d2b_gate.core.reading import Probe
    from d2b_gate.core.rules import Rule
    from d2b_gate.core.waivers import Waiver

HEAD = ("rule", "scope", "cap", "owner", "approver", "last day", "days left", "status", "reason")
_WIDEST = 60  # characters shown of a cell


def run_list(arguments: Namespace) -> int:
    """Print the table, soonest end first."""
    with find_repository(Path.cwd()) as repository:
        reader = text_reader(repository, arguments.ref) if arguments.ref else worktree_reader(repository.root)
        policy, catalogue = read_the_policy(find_policy(reader), reader)
        waivers = standing_waivers(reader, policy.rules)
    rules = {rule.id: rule for rule in policy.rules}
    ordered = sorted(waivers.entries, key=lambda waiver: waiver.expires)
    if ordered:
        show(_table([HEAD, *(_cells(waiver, rules, catalogue, waivers.today) for waiver in ordered)]))
    elif not arguments.quiet:
        show("there are no waivers\n")
    if not arguments.quiet:
        show(lint_text(WaiverLint((), lint_waivers(waivers, policy.rules))))
    return int(Exit.OK)


def _cells(waiver: Waiver, rules: Mapping[str, Rule], probes: Callable[[str], Probe], today: str) -> tuple[str, ...]:
    rule, left = rules[waiver.rule], days_left(waiver, today)
    status = "expired" if left < 0 else "expiring" if left <= SOON else "stands"
    return (
        terminal(waiver.rule, _WIDEST),
        terminal(scope_of(waiver), _WIDEST),
        signed_limit(rule, waiver.max_delta, probes(rule.probe).unit),
        terminal(waiver.owner, _WIDEST),
        terminal(waiver.approver, _WIDEST),
        waiver.expires,
        str(left),
        status,
        terminal(waiver.reason, _WIDEST),
    )


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(columns(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = ["  ".join(padded(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "".join(f"{line}\n" for line in lines)
