"""`check`: from flags to a printed verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.cli.console import say
from d2b_gate.cli.context import standpoint
from d2b_gate.cli.nothing import nothing_to_do
from d2b_gate.core.errors import Exit, NothingMatchedError

if TYPE_CHECKING:
    from argparse import Namespace

    from d2b_gate.cli.context import Standpoint
    from d2b_gate.core.errors import UnavailableError
    from d2b_gate.policy.find import Found


def run_check(arguments: Namespace) -> int:
    """Run `check`."""
    if arguments.rows_only:
        from d2b_gate.cli.structure import run_structure

        return run_structure(arguments)
    return check(standpoint(arguments), arguments)


def check(stand: Standpoint, arguments: Namespace) -> int:
    """Judge what ``stand`` says; shared by `check` and the hooks."""
    from d2b_gate.cli.output import plan_output

    outputs = plan_output(arguments)
    with stand.repository:
        found = stand.policy()
        if nothing_to_do(stand, found):
            _tell_edits(stand, found)
            return _nothing(found, arguments)
        from d2b_gate.cli.unavailable import inability

        if (error := inability(arguments)) is not None:
            return _unable(error, stand, found, arguments)
        from d2b_gate.cli.judge import judge_and_report

        return judge_and_report(stand, found, outputs, arguments)


def _tell_edits(stand: Standpoint, found: Found) -> None:
    """In CI a change of the policy alone is told too, though it judges nothing."""
    changed = stand.context == "ci" and stand.mode == "range" and stand.changes()
    if not changed or not any(change.path.endswith((".toml", ".json")) for change in changed):
        return
    from d2b_gate.cli.policy_edits import policy_edits
    from d2b_gate.reports.policy_changes import line

    for edit in policy_edits(stand, found):
        say(f"policy: {line(edit)}")


def _nothing(found: Found, arguments: Namespace) -> int:
    sentence = f"no training data of {found.path} changed"
    if arguments.require_match:
        raise NothingMatchedError(sentence, remedy="stage a change to a dataset, or drop --require-match")
    if not arguments.quiet:
        say(f"{sentence}; nothing to judge")
    return int(Exit.OK)


def _unable(error: UnavailableError, stand: Standpoint, found: Found, arguments: Namespace) -> int:
    from d2b_gate.cli.policy_reading import read_the_policy
    from d2b_gate.cli.unavailable import defer_or_raise

    return defer_or_raise(error, read_the_policy(found, stand.reader())[0], stand, arguments)
