"""What pre-commit calls: the staged change, or the pushed range, judged in the context of a local hook."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from d2b_gate.cli.check import check
from d2b_gate.cli.context import Standpoint, in_ci, range_standpoint
from d2b_gate.sources.git import INDEX, find_repository

if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Literal

    from d2b_gate.sources.git import Repository

NOTHING = "0" * 40
"""The ref with which git says that there was no commit before."""


def run_hook(arguments: Namespace) -> int:
    """Run a hook stage."""
    repository = find_repository(Path.cwd())
    context: Literal["hook", "ci"] = "ci" if in_ci() else "hook"
    stand = _pushed(repository, context, arguments)
    if stand is None:
        stand = Standpoint(repository, "staged", context, INDEX)
    return check(stand, arguments)


def _pushed(repository: Repository, context: Literal["hook", "ci"], arguments: Namespace) -> Standpoint | None:
    """The range that pre-commit exports for pre-push and for `pre-commit run --from-ref --to-ref`."""
    from_ref, to_ref = os.environ.get("PRE_COMMIT_FROM_REF", ""), os.environ.get("PRE_COMMIT_TO_REF", "")
    if from_ref and to_ref:
        return range_standpoint(repository, from_ref, to_ref, context, arguments.bootstrap)
    if arguments.stage == "pre-push" and repository.head():
        # pre-commit exports no range for a push that includes the root commit: all of HEAD is new
        return range_standpoint(repository, NOTHING, "HEAD", context, arguments.bootstrap)
    return None
