"""`policy test`: the policy's own unit tests; no model runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from d2b_gate.cli.console import show
from d2b_gate.cli.policy import paths_of, reader_of
from d2b_gate.cli.policy_reading import read_the_policy
from d2b_gate.core.errors import Exit, UsageError
from d2b_gate.core.printable import printable
from d2b_gate.policy.find import find_policy
from d2b_gate.policy.tests import run_tests
from d2b_gate.sources.git import find_repository
from d2b_gate.sources.globs import Globs

if TYPE_CHECKING:
    from argparse import Namespace

    from d2b_gate.policy.tests import Outcome
    from d2b_gate.sources.git import Repository

PLACES = Globs(("d2b-gate.tests.toml", "policies/**/*.tests.toml"))


def run_test(arguments: Namespace) -> int:
    """Print a mark per test and every failure; exit 1 if there is one."""
    with find_repository(Path.cwd()) as repository:
        read = reader_of(repository, arguments)
        policy, catalogue = read_the_policy(find_policy(read), read)
        files = arguments.files or _files(repository, arguments)
        outcomes: dict[str, tuple[Outcome, ...]] = {}
        for path in files:
            text = read(path)
            if text is None:
                raise UsageError("there is no such file in the state that is read", where=path, remedy="git add it")
            outcomes[path] = run_tests(text, path, policy, catalogue)
    show("".join(f"{printable(line)}\n" for line in _lines(outcomes, arguments)))
    return int(Exit.VIOLATED if any(one.failures for found in outcomes.values() for one in found) else Exit.OK)


def _files(repository: Repository, arguments: Namespace) -> list[str]:
    found = [path for path in paths_of(repository, arguments) if PLACES.matches(path)]
    if not found:
        raise UsageError("there are no policy tests", remedy="write d2b-gate.tests.toml or policies/<name>.tests.toml")
    return found


def _lines(outcomes: dict[str, tuple[Outcome, ...]], arguments: Namespace) -> list[str]:
    every = [one for found in outcomes.values() for one in found]
    failed = [one for one in every if one.failures]
    lines: list[str] = []
    if arguments.verbose:
        lines += [f"{one.where}: {'FAILED' if one.failures else 'passed'} {one.name}" for one in every]
    elif not arguments.quiet:
        lines += [
            f"{path} {''.join('F' if one.failures else '.' for one in found)}" for path, found in outcomes.items()
        ]
    lines += [f"{one.where}: {one.name}: {failure}" for one in failed for failure in one.failures]
    count = f"{len(failed)} failed, " if failed else ""
    return [*lines, f"{count}{len(every) - len(failed)} passed"]
