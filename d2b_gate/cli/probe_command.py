"""`probe`: author probes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.cli.arguments import later
from d2b_gate.cli.validate_command import add_running

if TYPE_CHECKING:
    import argparse

KINDS = ("choice", "contrast")
"""Kinds with a template; a test holds them to the registry."""


def declare(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    """Declare `probe lint`, `probe new` and `probe try`."""
    parser = commands.add_parser("probe", allow_abbrev=False, help="write a probe, check it, and see what it reads")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    lint = actions.add_parser(
        "lint",
        parents=[common],
        allow_abbrev=False,
        help="print every problem of probe files as file:line",
        description="Errors make a probe unusable, warnings make it a poor measure. Exit 2 where there is an error.",
    )
    lint.add_argument(
        "paths", nargs="*", metavar="PATH", help="files or directories (default: every probe file that git tracks)"
    )
    lint.add_argument("--strict", action="store_true", help="exit 2 for warnings too")
    lint.set_defaults(run=later("d2b_gate.cli.probe", "run_lint"))

    new = actions.add_parser(
        "new", parents=[common], allow_abbrev=False, help="write a commented probe to begin with; overwrites nothing"
    )
    new.add_argument("id", metavar="ID", help="name of the probe, for example bias/drinks")
    new.add_argument("--kind", choices=KINDS, default="choice", help="choice (default) or contrast")
    new.add_argument("--output", metavar="FILE", help="where to write (default: probes/ID.toml in the repository)")
    new.set_defaults(run=later("d2b_gate.cli.probe", "run_new"))

    attempt = actions.add_parser(
        "try",
        parents=[common],
        allow_abbrev=False,
        help="read the policy's model with a probe, untouched",
        description="Read the untouched model with a probe as `check` does. Policy and probe are read from the working "
        "tree. Judges nothing.",
    )
    attempt.add_argument("probe", metavar="PROBE", help="id of a shipped probe, or path of a file in the repository")
    attempt.add_argument(
        "--placebos", type=int, default=0, metavar="N", help="also predict N shipped clean changes: the noise floor"
    )
    attempt.add_argument("--format", choices=("text", "json"), default="text", help="text (default) or json")
    add_running(attempt)
    attempt.set_defaults(run=later("d2b_gate.cli.probe_try", "run_try"), remote=False)
