"""`hook`: entry points of .pre-commit-hooks.yaml."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.cli.arguments import later
from d2b_gate.cli.check_command import add_output, add_run

if TYPE_CHECKING:
    import argparse


def declare(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    """Declare `hook pre-commit` and `hook pre-push`."""
    parser = commands.add_parser("hook", allow_abbrev=False, help="entry points for pre-commit")
    stages = parser.add_subparsers(dest="stage", required=True, metavar="STAGE")
    for stage, help_text in (("pre-commit", "judge what is staged"), ("pre-push", "judge what is pushed")):
        entry = stages.add_parser(stage, parents=[common], allow_abbrev=False, help=help_text)
        entry.add_argument("files", nargs="*", help="ignored: a verdict is about the whole change")
        entry.add_argument("--remote", action="store_true", help="refuse to run a model on this machine")
        add_output(entry)
        add_run(entry)
        entry.set_defaults(run=later("d2b_gate.cli.hook", "run_hook"))
