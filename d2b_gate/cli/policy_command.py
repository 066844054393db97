"""`policy`: look at the policy without judging anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.cli.arguments import later

if TYPE_CHECKING:
    import argparse

MODULE = "d2b_gate.cli.policy"


def declare(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    """Declare what `policy` does."""
    parser = commands.add_parser("policy", allow_abbrev=False, help="check and show the policy")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    lint = actions.add_parser("lint", parents=[common], allow_abbrev=False, help="print every problem as file:line")
    add_state(lint)
    lint.add_argument("--strict", action="store_true", help="exit 2 for warnings too")
    lint.set_defaults(run=later("d2b_gate.cli.policy_lint", "run_lint"))

    show = actions.add_parser(
        "show", parents=[common], allow_abbrev=False, help="print the effective policy, with all that it extends"
    )
    add_state(show)
    show.add_argument("--format", choices=("text", "json", "toml"), default="text", help="text (default), json or toml")
    show.add_argument(
        "--origin", action="store_true", help="print every effective value with the file:line that set it"
    )
    show.set_defaults(run=later(MODULE, "run_show"))

    _declare_diff(actions, common)

    test = actions.add_parser(
        "test", parents=[common], allow_abbrev=False, help="run the policy's own tests; no model is needed"
    )
    test.add_argument(
        "files", metavar="FILE", nargs="*", help="tests (default: d2b-gate.tests.toml and policies/**/*.tests.toml)"
    )
    add_state(test)
    test.set_defaults(run=later("d2b_gate.cli.policy_test", "run_test"))

    _declare_replay(actions, common)

    schema = actions.add_parser(
        "schema", parents=[common], allow_abbrev=False, help="print the JSON Schema of a policy file, for editors"
    )
    schema.add_argument("--waivers", action="store_true", help="the schema of d2b-gate.waivers.toml instead")
    schema.add_argument("--output", metavar="PATH", help="write it to a file, and print the line that names it")
    schema.set_defaults(run=later(MODULE, "run_schema"))


def _declare_diff(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    diff = actions.add_parser(
        "diff", parents=[common], allow_abbrev=False, help="print what one policy loosens and tightens against another"
    )
    diff.add_argument("a", metavar="A", help="a commit or a .toml file: the older policy")
    diff.add_argument("b", metavar="B", nargs="?", default=":", help="the newer one (default: the index)")
    diff.add_argument("--format", choices=("text", "json"), default="text", help="text (default) or json")
    diff.add_argument("--fail-on-loosen", action="store_true", help="exit 1 if anything loosens")
    diff.add_argument(
        "--fail-on-unclear", action="store_true", help="exit 1 if anything loosens, or may: a probe, the model, ..."
    )
    diff.set_defaults(run=later("d2b_gate.cli.policy_diff", "run_diff"))


def _declare_replay(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    replay = actions.add_parser(
        "replay", parents=[common], allow_abbrev=False, help="apply a policy to the results that check stored"
    )
    replay.add_argument("--policy", metavar="FILE", help="a .toml file or a commit (default: the index)")
    replay.add_argument("--since", metavar="WHEN", help="leave out results stored before a date (UTC) or a commit")
    replay.add_argument("--results", metavar="FOLDER", help="where results are (default: those of the cache)")
    replay.set_defaults(run=later("d2b_gate.cli.policy_replay", "run_replay"))


def add_state(parser: argparse.ArgumentParser) -> None:
    """Flags that say which state the policy is read from."""
    state = parser.add_mutually_exclusive_group()
    state.add_argument("--ref", metavar="REF", help="read the policy of a commit (default: of the index)")
    state.add_argument("--worktree", action="store_true", help="read the files as they are on disk")
