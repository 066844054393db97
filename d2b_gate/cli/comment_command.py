"""`comment`: the one comment on a pull request."""

from __future__ import annotations

import argparse

from d2b_gate.cli.arguments import later

TIMEOUT = 120.0  # seconds: room for one secondary rate limit, which asks for a minute
DESCRIPTION = """\
Create or update the one comment of this gate on a pull request. RESULT is untrusted: nothing in it chooses where
anything is written. Nothing is posted for a clean verdict, unless a comment is there already. The token comes from
D2B_GATE_GITHUB_TOKEN or GITHUB_TOKEN. The verdict's exit code is not this command's: it ends with 0 when there is
nothing (more) to do, with 2 for a usage error, and with 3 when the comment could not be written.
"""


def declare(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    """Declare `comment`."""
    parser = commands.add_parser(
        "comment",
        parents=[common],
        allow_abbrev=False,
        help="create or update the one comment on a pull request",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("result", metavar="RESULT", help="a result that `check --output-file json=PATH` wrote")
    _add_where(parser)
    _add_what(parser)
    _add_check(parser)
    parser.set_defaults(run=later("d2b_gate.cli.comment", "run_comment"))


def _add_where(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("where (default: what the workflow's event says)")
    group.add_argument("--repository", metavar="OWNER/NAME", help="default: GITHUB_REPOSITORY")
    group.add_argument("--pull-request", type=_number, metavar="N", help="which pull request")
    group.add_argument("--commit", metavar="SHA", help="the head commit that was judged; nothing is posted past it")
    group.add_argument("--api-url", metavar="URL", help="default: GITHUB_API_URL, then https://api.github.com")


def _add_what(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what")
    group.add_argument("--key", metavar="TEXT", help="tells the gates of one repository apart (default: policy's path)")
    group.add_argument("--author", metavar="LOGIN", help="whom the token writes as, such as my-app[bot] (default: ask)")
    group.add_argument("--always", action="store_true", help="post for a clean verdict too")
    group.add_argument("--dry-run", action="store_true", help="look, print what would be done, and change nothing")
    group.add_argument(
        "--timeout", type=_seconds, default=TIMEOUT, metavar="SECONDS", help="for all of it (default: 120)"
    )


def _add_check(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("check run")
    group.add_argument("--check-run", action="store_true", help="also make a check run of the judged commit")
    group.add_argument("--check-name", default="d2b-gate", metavar="NAME", help="its name (default: d2b-gate)")


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < int(text[:20]) < 2**53):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of a pull request; write for example 7")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds; write for example 120")
    return seconds
