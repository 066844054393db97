"""`report`: render a saved result; no torch, no GPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.cli.arguments import later
from d2b_gate.cli.check_command import add_output

if TYPE_CHECKING:
    import argparse


def declare(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    """Declare `report`."""
    parser = commands.add_parser("report", parents=[common], allow_abbrev=False, help="render a saved result")
    parser.add_argument("result", metavar="RESULT", help="a result that `check --output-file json=PATH` wrote")
    add_output(parser)
    parser.set_defaults(run=later("d2b_gate.cli.report", "run_report"))
