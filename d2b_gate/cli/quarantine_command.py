"""`quarantine`: the smallest set of rows to take out, as a patch."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from d2b_gate.cli.arguments import add_where, later
from d2b_gate.cli.check_command import add_scope

if TYPE_CHECKING:
    from argparse import _SubParsersAction


def declare(commands: _SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    """Declare `quarantine`."""
    parser = commands.add_parser(
        "quarantine",
        parents=[common],
        allow_abbrev=False,
        help="find the fewest added rows whose removal clears a finding, as a patch",
    )
    parser.add_argument("result", metavar="RESULT", help="a result that `check --output-file json=PATH` wrote")
    parser.add_argument(
        "finding",
        nargs="?",
        default="",
        metavar="FINDING",
        help="id of a finding (rule@fingerprint), or its rule (default: all that blocks)",
    )
    add_scope(parser, "the change that RESULT judged (default: --staged)")
    patch = parser.add_argument_group("patch")
    mode = patch.add_mutually_exclusive_group()
    mode.add_argument("--dry-run", action="store_true", help="write the patch, and apply it nowhere (the default)")
    mode.add_argument("--write", action="store_true", help="apply it to the index, and to the files where it fits")
    patch.add_argument(
        "--patch", default="", metavar="PATH", help="where to write it; - is stdout (default: beside the kept results)"
    )
    group = parser.add_argument_group("running")
    group.add_argument(
        "--budget", type=_seconds, metavar="SECONDS", help="time for the search (default: budget.seconds of the policy)"
    )
    add_where(group)
    group.add_argument("--no-cache", action="store_true", help="neither read nor write the store")
    group.add_argument(
        "--bootstrap", action="store_true", help="in CI: the base commit has no policy yet; use the head's"
    )
    parser.set_defaults(run=later("d2b_gate.cli.quarantine", "run_quarantine"), remote=False, paths=[])


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds; write for example 600")
    return seconds
