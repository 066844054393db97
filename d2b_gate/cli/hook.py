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
    if not from_ref or not to_ref:
        return None
    return range_standpoint(repository, from_ref, to_ref, context, arguments.bootstrap)
