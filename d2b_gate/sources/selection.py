"""Which files of a state belong to a dataset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from d2b_gate.core.printable import printable
from d2b_gate.sources.git import REGULAR_MODES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from d2b_gate.core.change import FileRef
    from d2b_gate.sources.globs import Globs

_KINDS = {"120000": "a symbolic link", "160000": "a submodule"}


@dataclass(frozen=True, slots=True)
class Selection:
    """Files to read, pointers among them, and what a reader of the report must know about files left out."""

    files: tuple[FileRef, ...]
    notes: tuple[str, ...]


def select(files: Iterable[FileRef], globs: Globs) -> Selection:
    """Return a dataset's files; links and submodules are never followed and become notes."""
    wanted = [file for file in files if globs.concerns(file.path)]
    kept = tuple(file for file in wanted if file.mode in REGULAR_MODES)
    skipped = [file for file in wanted if file.mode not in REGULAR_MODES]
    return Selection(kept, tuple(_note(file) for file in skipped))


def _note(file: FileRef) -> str:
    kind = _KINDS.get(file.mode, f"of mode {printable(file.mode)}")
    return f"{printable(file.path)} is {kind} and was not read"
