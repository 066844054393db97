"""`doctor --ci`: how a repository's workflows use the action, as far as files tell; no forge is asked."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from d2b_gate.cli.context import worktree_reader
from d2b_gate.cli.doctor_check import Check
from d2b_gate.cli.doctor_owners import owner_checks
from d2b_gate.cli.doctor_workflow import Workflow, workflow_checks
from d2b_gate.core.errors import GateError
from d2b_gate.policy.find import find_policy
from d2b_gate.policy.waivers import FILE as WAIVERS
from d2b_gate.sources.git import find_repository

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOLDER = ".github/workflows"
UNSEEN = Check(
    "unseen",
    "optional",
    "rulesets, required checks, runner groups, approvals and whether runners are ephemeral cannot be seen from here",
    "docs/ci.md lists them",
)
_LARGEST = 1 << 20  # bytes: our choice; a workflow is some kilobytes


def ci_checks(start: Path) -> Iterator[Check]:
    """Check workflows and code owners as they lie in the working tree."""
    try:
        repository = find_repository(start)
    except GateError as error:
        yield Check("repository", "missing", error.what, error.remedy)
        return
    with repository:
        root = repository.root
    if importlib.util.find_spec("yaml") is None:
        yield Check("workflows", "missing", "cannot be read without PyYAML", "run: pip install pyyaml")
        return
    files = sorted(file for pattern in ("*.yml", "*.yaml") for file in (root / FOLDER).glob(pattern))
    yield from _workflows(files)
    yield from owner_checks(root, (_policy(root), WAIVERS, *(f"{FOLDER}/{file.name}" for file in files)))
    yield UNSEEN


def _workflows(files: list[Path]) -> Iterator[Check]:
    read = [_read(file) for file in files]
    yield from (one for one in read if isinstance(one, Check))
    users = [one for one in read if isinstance(one, Workflow) and one.jobs_with_the_gate()]
    if not users:
        remedy = "copy examples/ci/github/gate.yml; what a reusable workflow calls is not seen here"
        yield Check("workflows", "missing", f"none in {FOLDER} uses the action", remedy)
    for workflow in users:
        yield from workflow_checks(workflow)


def _read(file: Path) -> Workflow | Check:
    """One workflow; a file that is none is told, for GitHub would not run it either."""
    import yaml

    where = f"{FOLDER}/{file.name}"
    try:
        if file.stat().st_size > _LARGEST:
            return Check("workflows", "optional", f"{where} is too large to be looked at", "")
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return Check("workflows", "optional", f"{where} cannot be read as YAML", "correct it")
    if not isinstance(content, dict):
        return Check("workflows", "optional", f"{where} is no workflow", "")
    return Workflow(where, content)


def _policy(root: Path) -> str:
    """Where the policy is; where it would be, if there is none."""
    try:
        return find_policy(worktree_reader(root)).path
    except GateError:
        return "d2b-gate.toml"
