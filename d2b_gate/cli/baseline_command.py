"""`baseline`: the blessed state that small shifts are added up from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.cli.arguments import later
from d2b_gate.cli.check_command import add_output
from d2b_gate.cli.validate_command import add_running

if TYPE_CHECKING:
    import argparse

MODULE = "d2b_gate.cli.baseline"


def declare(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    """Declare `baseline create`, `baseline show` and `baseline update`."""
    parser = commands.add_parser(
        "baseline", allow_abbrev=False, help="bless a state of the data, from which small shifts are added up"
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    create = actions.add_parser(
        "create",
        parents=[common],
        allow_abbrev=False,
        help="bless a commit for the first time",
        description="Record a commit and what the policy's datasets hold there in d2b-gate.baseline.json. Runs no "
        "model and judges nothing. The policy is read from the index.",
    )
    _add_commit(create)
    create.set_defaults(run=later(MODULE, "run_create"))

    show = actions.add_parser(
        "show", parents=[common], allow_abbrev=False, help="print what is blessed, and what the index holds beyond it"
    )
    show.set_defaults(run=later(MODULE, "run_show"))

    update = actions.add_parser(
        "update",
        parents=[common],
        allow_abbrev=False,
        help="bless another commit, if the shift since the baseline is within its limits",
        description="Predict the whole shift from the baseline to a commit and judge it by every rule's budget_delta. "
        "Exit 1, and nothing is written, where a rule fails that --accept does not name.",
    )
    _add_commit(update)
    update.add_argument("--accept", action="append", default=[], metavar="RULE", help="bless although this rule fails")
    update.add_argument("--reason", default="", metavar="TEXT", help="why, kept in the baseline; needed with --accept")
    add_output(update)
    add_running(update)
    update.set_defaults(run=later("d2b_gate.cli.baseline_update", "run_update"), remote=False)


def _add_commit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--ref", default="HEAD", metavar="REF", help="the commit to bless (default: HEAD)")
