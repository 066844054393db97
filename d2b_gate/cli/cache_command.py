"""`cache`: what is remembered between runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.cli.arguments import later
from d2b_gate.cli.sizes import parse_size
from d2b_gate.store.bound import BOUND, MOST, written_bound

if TYPE_CHECKING:
    import argparse

MODULE = "d2b_gate.cli.cache"


def declare(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    """Declare `cache info`, `cache gc` and `cache clear`."""
    parser = commands.add_parser("cache", allow_abbrev=False, help="see and shrink what is remembered between runs")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    place = actions.add_parser("info", parents=[common], allow_abbrev=False, help="where it is and how large")
    place.set_defaults(run=later(MODULE, "run_info"))

    collect = actions.add_parser("gc", parents=[common], allow_abbrev=False, help="forget what was not used for long")
    collect.add_argument(
        "--max-bytes",
        type=parse_size,
        default=written_bound(),
        metavar="SIZE",
        help=f"how much may stay, for example 500MB (default: {MOST}, or {BOUND})",
    )
    collect.set_defaults(run=later(MODULE, "run_gc"))

    clear = actions.add_parser("clear", parents=[common], allow_abbrev=False, help="forget everything but the models")
    clear.set_defaults(run=later(MODULE, "run_clear"))
