"""`receipt`: signed statements about results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.cli.arguments import later

if TYPE_CHECKING:
    import argparse

MODULE = "d2b_gate.cli.receipt"
CREATE = """\
Write what RESULT says of which commit, as an in-toto statement, signed by a key. Without a key it is written unsigned,
and verifies nowhere. In CI it is refused for another commit than the run's, and in runs that follow other runs. The
key's passphrase comes from D2B_GATE_SIGNING_PASSPHRASE.
"""
VERIFY = """\
Exit 0 if the receipt is signed by a given key, is of what was asked for, and CI made it. Exit 1 if all that holds, and
it says FAILED. Exit 3 if it does not hold.
"""


def declare(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    """Declare `receipt create`, `receipt show` and `receipt verify`."""
    parser = commands.add_parser("receipt", allow_abbrev=False, help="signed statements about results")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    create = actions.add_parser(
        "create", parents=[common], allow_abbrev=False, help="write the receipt of a result", description=CREATE
    )
    create.add_argument("result", metavar="RESULT", help="a result that `check --output-file json=PATH` wrote")
    create.add_argument("--output", required=True, metavar="PATH", help="where to write the receipt")
    create.add_argument("--key", metavar="PEM", help="file of the private key (default: D2B_GATE_SIGNING_KEY)")
    create.set_defaults(run=later(MODULE, "run_create"))

    show = actions.add_parser(
        "show", parents=[common], allow_abbrev=False, help="print what a receipt says; verifies nothing"
    )
    show.add_argument("receipt", metavar="RECEIPT", help="a file that `receipt create` wrote")
    show.add_argument("--format", choices=("text", "json"), default="text", help="text (default) or json")
    show.set_defaults(run=later(MODULE, "run_show"))

    _declare_verify(actions, common)


def _declare_verify(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    verify = actions.add_parser(
        "verify",
        parents=[common],
        allow_abbrev=False,
        help="hold a receipt against what it must be of",
        description=VERIFY,
    )
    verify.add_argument("receipt", metavar="RECEIPT", help="a file that `receipt create` wrote")
    verify.add_argument(
        "--key", action="append", required=True, metavar="PEM", help="file of a public key; may be repeated"
    )
    group = verify.add_argument_group("what it must be of (--commit or --result is needed)")
    group.add_argument("--commit", metavar="SHA", help="the whole id of the commit")
    group.add_argument("--base", metavar="SHA", help="the whole id of the commit that it was compared with")
    group.add_argument("--result", metavar="RESULT", help="the saved result, byte for byte")
    group.add_argument("--policy-digest", metavar="HEX", help="the SHA-256 of the effective policy, as reports show it")
    group.add_argument("--repository", metavar="OWNER/NAME", help="the repository whose CI made it")
    group.add_argument("--allow-local", action="store_true", help="accept one that was not made by CI")
    verify.set_defaults(run=later(MODULE, "run_verify"))
