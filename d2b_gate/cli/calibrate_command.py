"""`calibrate`: flags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.cli.arguments import later
from d2b_gate.cli.validate_command import add_running

if TYPE_CHECKING:
    import argparse


def declare(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    """Declare `calibrate`."""
    parser = commands.add_parser(
        "calibrate",
        parents=[common],
        allow_abbrev=False,
        help="measure the noise floor, and what predictions are worth by the trainings so far",
        description="Predict clean changes on the policy's model, and fit predicted to true shifts on the ledger that "
        "`validate` keeps. Writes a file that `check` uses once it is committed beside the policy.",
    )
    parser.add_argument("--ledger", metavar="PATH", help="trainings to learn from (default: d2b-gate.ledger.jsonl)")
    parser.add_argument("--output", metavar="PATH", help="where to write (default: d2b-gate.calibration.json)")
    add_running(parser)
    parser.set_defaults(run=later("d2b_gate.cli.calibrate", "run_calibrate"), remote=False)
