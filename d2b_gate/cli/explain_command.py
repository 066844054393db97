"""`explain`: one finding of a saved result in depth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.cli.arguments import later

if TYPE_CHECKING:
    import argparse


def declare(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    """Declare `explain`."""
    parser = commands.add_parser(
        "explain",
        parents=[common],
        allow_abbrev=False,
        help="one finding of a saved result in depth",
        description="Prompts, answers before and after, rows, and the formula with its numbers; needs no model. "
        "The exit code is 0 whatever the finding says: the verdict is that of `report`.",
    )
    parser.add_argument("result", metavar="RESULT", help="a result that `check --output-file json=PATH` wrote")
    parser.add_argument(
        "finding",
        metavar="FINDING",
        nargs="?",
        default="",
        help="id of a finding (rule@fingerprint), or the rule where that names one; default: the worst finding",
    )
    parser.add_argument("--format", choices=("text", "json"), default="text", help="text (default) or json")
    parser.set_defaults(run=later("d2b_gate.cli.explain", "run_explain"))
