"""`init`: a starting policy and hook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.cli.arguments import later

if TYPE_CHECKING:
    import argparse


def declare(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    """Declare `init`."""
    parser = commands.add_parser(
        "init", parents=[common], allow_abbrev=False, help="write a starting policy and a pre-commit configuration"
    )
    parser.add_argument("--force", action="store_true", help="replace a d2b-gate.toml that is there")
    parser.set_defaults(run=later("d2b_gate.cli.init", "run_init"))
