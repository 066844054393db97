"""Where a patch goes: into a file first, then, if that is asked for, into the index and the working tree."""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from d2b_gate.cli.output import write_whole_bytes
from d2b_gate.core.errors import EvaluationError
from d2b_gate.core.printable import printable
from d2b_gate.core.quarantine import Applied
from d2b_gate.sources.git import INDEX
from d2b_gate.sources.patch import Changed, applies, apply_to_files, apply_to_index, patch_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from d2b_gate.cli.context import Standpoint
    from d2b_gate.gate.removal import Edit
    from d2b_gate.sources.git import Repository

STDOUT = Path("-")


@dataclass(frozen=True, slots=True)
class Plan:
    """Where the patch is written (``-``: stdout), and whether it is applied."""

    path: Path
    write: bool

    @property
    def on_stdout(self) -> bool:
        """Whether stdout belongs to the patch."""
        return self.path == STDOUT


def put_down(edits: Sequence[Edit], plan: Plan, stand: Standpoint) -> Applied:
    """Write the patch, and apply it where the plan says so.

    Raises:
        EvaluationError: it cannot be written, or what it is for is no longer as it was judged.
    """
    patches = {edit.file.path: patch_of(_changed(edit)) for edit in edits}
    _write(plan, b"".join(patches.values()))
    if not plan.write:
        return Applied(str(plan.path))
    root = stand.repository.root
    if stand.mode == "range":
        with _undisturbed():
            apply_to_files(root, b"".join(patches.values()))
        return Applied(str(plan.path), ("the working tree",), _elsewhere(root))
    fitting = [path for path, patch in patches.items() if applies(root, patch)]
    _refuse_moved(stand.repository, edits, "was staged anew while the search ran", judged=True)
    with _undisturbed():
        apply_to_index(root, b"".join(patches.values()))
        if fitting:
            apply_to_files(root, b"".join(patches[path] for path in fitting))
    _refuse_moved(stand.repository, edits, "is not what was verified, though the patch was applied", judged=False)
    places = ("the index", "the working tree") if fitting else ("the index",)
    unlike = tuple(path for path in patches if path not in fitting)
    return Applied(str(plan.path), places, _elsewhere(root), unlike)


def _elsewhere(root: Path) -> str:
    """The root of the repository, where one stands elsewhere: below it, git would apply a part of the patch."""
    return "" if root.resolve() == Path.cwd().resolve() else str(root)


def _changed(edit: Edit) -> Changed:
    return Changed(edit.file.path, edit.file.mode, edit.before, edit.after)


def _write(plan: Plan, patch: bytes) -> None:
    try:
        if plan.on_stdout:
            sys.stdout.buffer.write(patch)
            sys.stdout.buffer.flush()
        else:
            plan.path.parent.mkdir(parents=True, exist_ok=True)
            write_whole_bytes(plan.path, patch)
    except OSError as error:
        what = f"cannot write the patch ({error.strerror}), so nothing was changed"
        raise EvaluationError(what, where=printable(str(plan.path)), remedy="name another file with --patch") from error


def _refuse_moved(repository: Repository, edits: Sequence[Edit], what: str, *, judged: bool) -> None:
    """The index must hold these blobs: those that were judged, or those that were verified."""
    there = {file.path: file.oid for file in repository.files_at(INDEX, [edit.file.path for edit in edits])}
    for edit in edits:
        wanted = edit.holder.file if judged else edit.file
        if there.get(wanted.path) != wanted.oid:
            raise EvaluationError(what, where=printable(wanted.path), remedy="run d2b-gate check again")


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Two calls of git, some milliseconds: an interrupt between them would leave half of the work."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
