"""`check`: flags of the main job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.cli.arguments import add_where, later
from d2b_gate.registry import REPORTS

if TYPE_CHECKING:
    import argparse


def declare(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    """Declare `check`."""
    parser = commands.add_parser(
        "check", parents=[common], allow_abbrev=False, help="judge a change to training data (the main job)"
    )
    parser.add_argument("paths", nargs="*", metavar="PATH", help="judge these files of the index as a whole")
    add_scope(parser, "what to judge (default: --staged)")
    add_output(parser)
    add_run(parser)
    parser.add_argument(
        "--rows-only",
        action="store_true",
        help="no model and no verdict: the policy, every changed row and the row schemas (formats: full, github)",
    )
    parser.set_defaults(run=later("d2b_gate.cli.check", "run_check"), remote=False)


def add_scope(parser: argparse.ArgumentParser, title: str) -> None:
    """Flags that name two states."""
    scope = parser.add_argument_group(title)
    scope.add_argument("--staged", action="store_true", help="what is staged, against HEAD")
    scope.add_argument("--from-ref", metavar="A", help="base commit of a range")
    scope.add_argument("--to-ref", metavar="B", help="head commit of a range (default: HEAD)")
    scope.add_argument("--all", action="store_true", help="everything in the index, against the untouched model")


def add_output(parser: argparse.ArgumentParser) -> None:
    """Flags that choose reports."""
    group = parser.add_argument_group("output")
    first, *others, last = REPORTS
    known = f"{first} (default), {', '.join(others)} or {last}; may be repeated"
    group.add_argument("--format", action="append", metavar="FORMAT", help=known)
    group.add_argument(
        "--output-file", action="append", default=[], metavar="FORMAT=PATH", help="also write a report to a file"
    )


def add_run(parser: argparse.ArgumentParser) -> None:
    """Flags that say where and how the evaluation runs; none of them changes what is judged."""
    group = parser.add_argument_group("running")
    add_where(group)
    group.add_argument("--no-cache", action="store_true", help="neither read nor write the store")
    group.add_argument("--require-match", action="store_true", help="exit 5 if no dataset has changed rows")
    group.add_argument(
        "--bootstrap", action="store_true", help="in CI: the base commit has no policy yet; use the head's and warn"
    )
