"""`model`: the models that a policy may name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.cli.arguments import later

if TYPE_CHECKING:
    import argparse

MODULE = "d2b_gate.cli.model"
DEFAULT = "smollm2-135m"
"""The model of the pack d2b:default."""


def declare(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    """Declare `model pull`, `model verify` and `model list`."""
    parser = commands.add_parser("model", allow_abbrev=False, help="fetch, check and list models")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    pull = actions.add_parser("pull", parents=[common], allow_abbrev=False, help="fetch a built-in model, once")
    pull.add_argument("name", nargs="?", default=DEFAULT, metavar="NAME", help=f"built-in model (default: {DEFAULT})")
    pull.set_defaults(run=later(MODULE, "run_pull"))

    verify = actions.add_parser(
        "verify", parents=[common], allow_abbrev=False, help="hash every file of a model again; exit 3 on a difference"
    )
    verify.add_argument(
        "name", nargs="?", default=DEFAULT, metavar="NAME", help="a listed model, or a directory to be hashed for a pin"
    )
    verify.set_defaults(run=later(MODULE, "run_verify"))

    listing = actions.add_parser("list", parents=[common], allow_abbrev=False, help="which models are here")
    listing.add_argument("--format", choices=("text", "json"), default="text", help="text (default) or json")
    listing.set_defaults(run=later(MODULE, "run_list"))
