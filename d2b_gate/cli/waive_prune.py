"""`waive prune`: remove waivers that cover nothing any more."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from d2b_gate.cli.console import show
from d2b_gate.cli.context import worktree_reader
from d2b_gate.cli.waiver_text import without_entries, write_file
from d2b_gate.cli.waivers import today
from d2b_gate.core.errors import EvaluationError, Exit
from d2b_gate.policy.waivers import FILE, read_waivers
from d2b_gate.reports.describe import NAME
from d2b_gate.reports.escape import terminal
from d2b_gate.sources.git import find_repository

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Collection, Sequence

    from d2b_gate.core.waivers import Waiver


def run_prune(arguments: Namespace) -> int:
    """Remove expired waivers from the file in the working tree; a waiver of an unknown rule may be removed, too."""
    with find_repository(Path.cwd()) as repository:
        root = repository.root
    text = worktree_reader(root)(FILE)
    day = today()
    entries = read_waivers(text, ()) if text is not None else ()
    expired = {index: waiver for index, waiver in enumerate(entries) if waiver.expires < day}
    if text is not None and expired and not arguments.dry_run:
        write_file(root, _shorter(text, entries, expired))
    verb = "would remove" if arguments.dry_run else "removed"
    for waiver in expired.values():
        show(f"{verb} {waiver.origin}: {terminal(waiver.rule, NAME)}, expired on {waiver.expires}\n")
    if not expired and not arguments.quiet:
        show(f"no waiver has expired (of {len(entries)})\n")
    return int(Exit.OK)


def _shorter(text: str, entries: Sequence[Waiver], expired: Collection[int]) -> str:
    """The text without the expired waivers, and with all the others as they were."""
    shorter = without_entries(text, expired)
    kept = [replace(waiver, origin="") for index, waiver in enumerate(entries) if index not in expired]
    if [replace(waiver, origin="") for waiver in read_waivers(shorter, ())] != kept:
        raise EvaluationError("the expired waivers cannot be cut out safely", where=FILE, remedy="remove them by hand")
    return shorter
