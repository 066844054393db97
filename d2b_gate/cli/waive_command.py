"""`waive`: permissions to exceed a limit, as entries of a reviewed file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.cli.arguments import later

if TYPE_CHECKING:
    import argparse


def declare(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    """Declare `waive add`, `waive list` and `waive prune`."""
    parser = commands.add_parser("waive", allow_abbrev=False, help="grant, list and remove waivers")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    _declare_add(actions, common)

    listing = actions.add_parser("list", parents=[common], allow_abbrev=False, help="print all waivers as a table")
    listing.add_argument("--ref", metavar="REF", help="read those of a commit (default: the file as it is on disk)")
    listing.set_defaults(run=later("d2b_gate.cli.waive_list", "run_list"))

    prune = actions.add_parser("prune", parents=[common], allow_abbrev=False, help="remove expired waivers")
    prune.add_argument("--dry-run", action="store_true", help="say which, and remove none")
    prune.set_defaults(run=later("d2b_gate.cli.waive_prune", "run_prune"))


def _declare_add(actions: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    add = actions.add_parser(
        "add", parents=[common], allow_abbrev=False, help="write a waiver for a finding of a saved result"
    )
    add.add_argument("result", metavar="RESULT", help="a result that `check --output-file json=PATH` wrote")
    add.add_argument("finding", metavar="FINDING", help="id of a finding (rule@fingerprint), or the rule that blocks")
    add.add_argument("--approver", required=True, metavar="NAME", help="who agreed; somebody else than the owner")
    add.add_argument("--reason", required=True, metavar="TEXT", help="why; shown in every report")
    add.add_argument("--expires", required=True, metavar="DATE", help="last day (UTC): 2026-12-01")
    add.add_argument("--owner", default="", metavar="NAME", help="who answers for it (default: the rule's, or you)")
    add.add_argument(
        "--max-delta",
        type=float,
        metavar="X",
        help="cap, in the probe's unit (default: what the result needs)",
    )
    add.add_argument(
        "--paths",
        action="append",
        default=[],
        metavar="GLOB",
        help="cover any rows of these files (default: only the rows of the result); may be repeated",
    )
    add.set_defaults(run=later("d2b_gate.cli.waive_add", "run_add"))
