"""`validate`: flags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.cli.arguments import add_where, later

if TYPE_CHECKING:
    import argparse


def declare(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    """Declare `validate`."""
    parser = commands.add_parser(
        "validate",
        parents=[common],
        allow_abbrev=False,
        help="really fine-tune a small adapter on rows and compare with the prediction",
        description="Predict what the rows of DATA do to the policy's model, then train an adapter on them by the "
        "policy's regime and read the same probes. Policy and data are read from the working tree.",
    )
    parser.add_argument("data", nargs="+", metavar="DATA", help="files of training rows, taken together")
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="trainings, each with a seed of its own")
    parser.add_argument("--max-rows", type=int, metavar="N", help="train on a seeded draw of N rows")
    parser.add_argument("--ledger", metavar="PATH", help="where to append what came (default: d2b-gate.ledger.jsonl)")
    parser.add_argument("--no-ledger", action="store_true", help="append nothing")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="of the comparison (default: text)")
    add_running(parser)
    parser.set_defaults(run=later("d2b_gate.cli.validate", "run_validate"), remote=False)


def add_running(parser: argparse.ArgumentParser) -> None:
    """Flags on where and how the model runs."""
    add_where(parser)
    parser.add_argument("--no-cache", action="store_true", help="neither read nor write the store")
