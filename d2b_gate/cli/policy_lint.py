"""`policy lint`: every error and every warning of a policy, at once, each as file:line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from d2b_gate.cli.audit_labels import AUDIT
from d2b_gate.cli.calibrations import calibrations
from d2b_gate.cli.console import show
from d2b_gate.cli.policy import count, paths_of, reader_of, state_in_words
from d2b_gate.cli.policy_reading import read_the_effective
from d2b_gate.cli.waivers import lint_text, lint_the_waivers
from d2b_gate.core.audit import precision, read_labels
from d2b_gate.core.errors import Exit, PolicyError, UsageError
from d2b_gate.core.printable import printable
from d2b_gate.policy.find import candidates, find_policy, too_many
from d2b_gate.policy.lint import Surroundings, warnings
from d2b_gate.sources.git import find_repository
from d2b_gate.sources.globs import Globs

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Sequence

    from d2b_gate.core.errors import GateError
    from d2b_gate.core.rules import DatasetSpec, Policy
    from d2b_gate.policy.find import Found
    from d2b_gate.sources.git import Repository

    Read = Callable[[str], str | None]


def run_lint(arguments: Namespace) -> int:
    """Print every problem, or how much the policy holds; warnings count with ``--strict`` alone."""
    with find_repository(Path.cwd()) as repository:
        read = reader_of(repository, arguments)
        try:
            effective, catalogue = read_the_effective(_the_only(read), read)
        except PolicyError as error:
            show("".join(f"{printable(str(problem))}\n" for problem in error.problems))
            show(lint_text(lint_the_waivers(read, ())))
            return int(Exit.USAGE)
        known = precision(read_labels(read(AUDIT) or "", AUDIT))
        around = Surroundings(catalogue, calibrations(read), _files_of(repository, arguments), known)
        told = warnings(effective, around)
        waivers = lint_the_waivers(read, effective.policy.rules)
    if waivers.problems or not arguments.quiet:
        show(lint_text(waivers))
    if waivers.problems:
        return int(Exit.USAGE)
    if arguments.strict or not arguments.quiet:
        show("".join(f"{printable(_warning(one))}\n" for one in told))
    if not arguments.quiet:
        show(_summary(effective.policy, told, arguments))
    return int(Exit.USAGE if told and arguments.strict else Exit.OK)


def _the_only(read: Read) -> Found:
    found = candidates(read)
    if len(found) > 1:
        raise PolicyError(_of_all(found, read))
    return find_policy(read)


def _of_all(found: Sequence[Found], read: Read) -> list[GateError]:
    """That there is more than one policy, at each of them, and what else is wrong with each."""
    problems: list[GateError] = []
    for one in found:
        problems.append(too_many(list(found), f"{one.path}:1"))
        try:
            read_the_effective(one, read)
        except PolicyError as error:
            problems += error.problems
        except UsageError as error:
            problems.append(error)
    return problems


def _warning(one: GateError) -> str:
    remedy = f"; {one.remedy}" if one.remedy else ""
    return f"{one.where}: warning: {one.what}{remedy}"


def _summary(policy: Policy, told: Sequence[GateError], arguments: Namespace) -> str:
    rules, datasets = count(len(policy.rules), "rule"), count(len(policy.datasets), "dataset")
    warned = f", {count(len(told), 'warning')}" if told else ""
    return f"{policy.path}: ok, {rules} and {datasets}{warned} (read from {state_in_words(arguments)})\n"


def _files_of(repository: Repository, arguments: Namespace) -> Callable[[DatasetSpec], bool]:
    """Whether a dataset has files in the state that the policy is read from."""
    paths = paths_of(repository, arguments)

    def has_files(dataset: DatasetSpec) -> bool:
        globs = Globs(dataset.include, dataset.exclude)
        return any(globs.matches(path.removesuffix(".dvc")) for path in paths)

    return has_files
