"""`audit`: label past findings, and see how often each rule was right."""

from __future__ import annotations

import argparse

from d2b_gate.cli.arguments import later

MODULE = "d2b_gate.cli.audit"


def declare(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    """Declare `audit`, `audit label` and `audit list`."""
    parser = commands.add_parser(
        "audit",
        parents=[common],
        allow_abbrev=False,
        help="label past findings true or false; --stats says how often each rule was right",
        description="Labels are appended to d2b-gate.audit.jsonl in the root of the repository; the last word counts.",
    )
    parser.add_argument("--stats", action="store_true", help="precision per rule, with n and a 95 %% interval")
    _add_file(parser, "")
    _add_format(parser, "text")
    parser.set_defaults(run=later(MODULE, "run_stats"))
    actions = parser.add_subparsers(dest="action", metavar="ACTION")

    label = actions.add_parser(
        "label", parents=[common], allow_abbrev=False, help="say whether a finding of a saved result was right"
    )
    label.add_argument("result", metavar="RESULT", help="a result that `check --output-file json=PATH` wrote")
    label.add_argument(
        "finding", metavar="FINDING", help="id of a finding (rule@fingerprint), or the rule where that names one"
    )
    label.add_argument("label", choices=("true", "false"), help="true: the shift was real; false: a false alarm")
    label.add_argument("--by", required=True, metavar="WHO", help="who found out")
    label.add_argument("--note", default="", metavar="TEXT", help="how")
    _add_file(label, argparse.SUPPRESS)
    label.set_defaults(run=later(MODULE, "run_label"))

    words = "print the last word on each finding"
    listing = actions.add_parser("list", parents=[common], allow_abbrev=False, help=words)
    _add_file(listing, argparse.SUPPRESS)
    _add_format(listing, argparse.SUPPRESS)
    listing.set_defaults(run=later(MODULE, "run_list"))


def _add_file(parser: argparse.ArgumentParser, default: str) -> None:
    """Declare --file; an action suppresses the default, or it would undo what was given before the action."""
    parser.add_argument(
        "--file", default=default, metavar="PATH", help="the labels (default: d2b-gate.audit.jsonl in the root)"
    )


def _add_format(parser: argparse.ArgumentParser, default: str) -> None:
    parser.add_argument("--format", choices=("text", "json"), default=default, help="text (default) or json")
