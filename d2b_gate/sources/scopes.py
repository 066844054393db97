"""The two states that a check compares."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from d2b_gate.core.change import Scope, Snapshot
from d2b_gate.core.errors import UsageError
from d2b_gate.core.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from d2b_gate.core.change import FileRef
    from d2b_gate.sources.git import Repository


def staged_scope(repository: Repository) -> Scope:
    """From HEAD, or nothing before the first commit, to the index."""
    head = repository.head()
    before = repository.snapshot_commit("HEAD") if head else repository.snapshot_nothing()
    return Scope(before, repository.snapshot_index())


def range_scope(repository: Repository, from_ref: str, to_ref: str) -> Scope:
    """From one commit to another; a ref of zeros is nothing."""
    return Scope(repository.snapshot_commit(from_ref), repository.snapshot_commit(to_ref))


def all_scope(repository: Repository) -> Scope:
    """From nothing to the index."""
    return Scope(repository.snapshot_nothing(), repository.snapshot_index())


def paths_scope(repository: Repository, paths: Sequence[str]) -> Scope:
    """From nothing to those files of the index that ``paths`` name.

    Paths are files or directories, absolute or relative to the current directory.
    """
    index = repository.snapshot_index()
    wanted = [(path, _inside(repository.root, path)) for path in paths]
    for path, inside in wanted:
        if not any(_is_under(file, inside) for file in index.files):
            raise UsageError("is not in the index", where=printable(path), remedy="run: git add, or correct the path")
    files = tuple(file for file in index.files if any(_is_under(file, inside) for _, inside in wanted))
    return Scope(repository.snapshot_nothing(), Snapshot("index", files))


def _inside(root: Path, path: str) -> str:
    """Return a path relative to the root; a link in its directory is followed, one that it names itself is not."""
    absolute = Path(os.path.normpath(Path.cwd() / path))
    place = absolute.parent.resolve() / absolute.name
    if absolute.name and not place.is_relative_to(root.resolve()):
        place = absolute.resolve()
    try:
        return place.relative_to(root.resolve()).as_posix()
    except ValueError as error:
        remedy = f"the repository is {printable(str(root))}"
        raise UsageError("is outside the repository", where=printable(path), remedy=remedy) from error


def _is_under(file: FileRef, inside: str) -> bool:
    return inside == "." or file.path == inside or file.path.startswith(f"{inside}/")
