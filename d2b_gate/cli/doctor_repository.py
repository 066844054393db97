"""`doctor`, first half: git, the repository, the policy and the files that it judges."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from d2b_gate.cli.context import text_reader, worktree_reader
from d2b_gate.cli.doctor_check import Check
from d2b_gate.core.errors import GateError, PolicyError
from d2b_gate.policy.find import find_policy
from d2b_gate.sources.git import INDEX, Repository, find_repository
from d2b_gate.sources.globs import Globs
from d2b_gate.sources.process import git_outcome
from d2b_gate.sources.selection import select

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from d2b_gate.core.rules import Policy

OLDEST_GIT = (2, 31)
"""The first that knows ``rev-parse --path-format``."""


def repository_checks(start: Path) -> tuple[Repository | None, Policy | None, list[Check]]:
    """Check from git to data; what a missing thing makes unknowable is left out."""
    checks = [_git(start)]
    if checks[0].state == "missing":
        return None, None, checks
    try:
        repository = find_repository(start)
    except GateError as error:
        return None, None, [*checks, Check("repository", "missing", error.what, error.remedy)]
    with repository:
        policy, checked = _policy(repository)
        found = Check("repository", "ok", str(repository.root))
        return repository, policy, [*checks, found, checked, *(_datasets(repository, policy) if policy else ())]


def _git(start: Path) -> Check:
    try:
        said = git_outcome(start, "--version").stdout.decode("utf-8", "replace")
    except GateError as error:
        return Check("git", "missing", error.what, error.remedy)
    match = re.search(r"(\d+)\.(\d+)\S*", said)
    if match is None or (int(match[1]), int(match[2])) < OLDEST_GIT:
        oldest = ".".join(map(str, OLDEST_GIT))
        return Check("git", "missing", f"this is {said.strip()}", f"install {oldest} or later")
    return Check("git", "ok", match[0])


def _policy(repository: Repository) -> tuple[Policy | None, Check]:
    """The policy as a hook sees it: in the index."""
    from d2b_gate.cli.policy_reading import read_the_policy

    reader = text_reader(repository, INDEX)
    try:
        policy = read_the_policy(find_policy(reader), reader)[0]
    except PolicyError as error:
        first, count = error.problems[0], len(error.problems)
        what = f"{count} problem{'' if count == 1 else 's'}, first {first}"
        return None, Check("policy", "missing", what, "run: d2b-gate policy lint")
    except GateError as error:
        unstaged = _unstaged(repository)
        remedy = f"run: git add {unstaged}" if unstaged else error.remedy
        return None, Check("policy", "missing", f"{error.what} in the index", remedy)
    rules = f"{len(policy.rules)} rule{'' if len(policy.rules) == 1 else 's'}"
    return policy, Check("policy", "ok", f"{policy.path}, {rules}")


def _unstaged(repository: Repository) -> str:
    """The policy that lies in the working tree only; empty if none does."""
    try:
        return find_policy(worktree_reader(repository.root)).path
    except GateError:
        return ""


def _datasets(repository: Repository, policy: Policy) -> Iterator[Check]:
    tracked = repository.snapshot_index().files
    for dataset in policy.datasets:
        globs = Globs(dataset.include, dataset.exclude)
        count = len(select(tracked, globs).files)
        if count:
            yield Check("dataset", "ok", f"{dataset.name}, {count} tracked file{'' if count == 1 else 's'}")
        else:
            remedy = f"git add them, or correct 'include' at {dataset.origin}"
            yield Check("dataset", "optional", f"no tracked file is of {dataset.name}", remedy)
