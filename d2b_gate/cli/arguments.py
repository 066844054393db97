"""The command line: every command and flag, declared without importing what the commands need."""

from __future__ import annotations

import argparse
import importlib
from typing import TYPE_CHECKING

from d2b_gate import __version__
from d2b_gate.cli.defaults import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

COMMANDS = (
    *("check", "report", "comment", "explain", "quarantine", "policy", "waive", "baseline", "audit", "probe"),
    *("calibrate", "validate", "receipt", "model", "cache", "serve", "hook", "init", "doctor"),
)
"""Modules of this package named ``<command>_command``, each with ``declare`` and what it runs."""

EPILOG = """\
exit codes: 0 nothing blocks, 1 the policy is violated, 2 usage or policy error, 3 could not evaluate,
4 inconclusive and the policy says that blocks, 5 nothing matched (--require-match), 130 interrupted
"""


PLACES = ("local", "warm", "remote", "ray")
"""What a user may choose to run the model in; the fake backend, which has none, is a policy's to name."""


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Parse; exits with 2 on a usage error, as argparse does."""
    return make_parser(_named(argv)).parse_args(argv)


def make_parser(names: Sequence[str] = COMMANDS) -> argparse.ArgumentParser:
    """Return the parser of these commands; the flags of each are declared by its own module."""
    parser = argparse.ArgumentParser(
        prog="d2b-gate",
        description="Predict, before any training, how a change to fine-tuning data will shift a model's behaviour.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"d2b-gate {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in names:
        importlib.import_module(f"d2b_gate.cli.{name}_command").declare(commands, common())
    return parser


def _named(argv: Sequence[str]) -> Sequence[str]:
    """The command that the first word names, or all of them; a hook does not pay for what it does not call."""
    return argv[:1] if argv and argv[0] in COMMANDS else COMMANDS


def common() -> argparse.ArgumentParser:
    """Flags that every command takes."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    level = parser.add_mutually_exclusive_group()
    level.add_argument("-q", "--quiet", action="store_true", help="say nothing but the report and errors")
    level.add_argument("-v", "--verbose", action="store_true", help="show what is collapsed otherwise")
    parser.add_argument(
        "--color", choices=("auto", "always", "never"), default=environment("COLOR", "auto"), help="colour the verdict"
    )
    return parser


def add_where(group: argparse._ActionsContainer) -> None:
    """Flags that say on which machine and device the model runs."""
    group.add_argument("--device", default=environment("DEVICE", ""), help="auto, cpu, cuda or mps")
    group.add_argument(
        "--backend",
        choices=PLACES,
        default=environment("BACKEND", ""),
        help="what runs the model: this process, a server kept running here, one elsewhere, or a Ray cluster",
    )


def later(module: str, function: str) -> Callable[[argparse.Namespace], int]:
    """A command's function, imported when it runs."""

    def run(arguments: argparse.Namespace) -> int:
        return int(getattr(importlib.import_module(module), function)(arguments))

    return run
