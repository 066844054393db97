"""`doctor`: can a check run here?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.cli.arguments import later

if TYPE_CHECKING:
    import argparse


def declare(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    """Declare `doctor`."""
    parser = commands.add_parser(
        "doctor",
        parents=[common],
        allow_abbrev=False,
        help="say what is here, what is missing and how to get it; exit 3 if a check could not run",
    )
    parser.add_argument(
        "--ci",
        action="store_true",
        help="instead: how this repository's workflows use the action; exit 2 if anything is unsafe",
    )
    parser.set_defaults(run=later("d2b_gate.cli.doctor", "run_doctor"))
