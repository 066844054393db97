"""Is a model on disk still the one that was pulled?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from d2b_gate.backends.hf.models.files import FileEntry, current, file_names, hashed
from d2b_gate.core.errors import EvaluationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from d2b_gate.backends.hf.models.files import ModelFiles


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one file of a model."""

    file: str
    what: str


def verify(files: ModelFiles) -> tuple[Problem, ...]:
    """Hash every file again and name each that is missing, changed or was not there before."""
    return _compare(files, lambda path, known: hashed(path, known.name))[1]


def intact(files: ModelFiles) -> ModelFiles:
    """Return the files with today's sizes and times, or raise EvaluationError if the content is not the known one.

    A file is hashed again only if its size or modification time is not the recorded one: hashing 500 MB costs 0.3 to
    0.5 s at every check, as much as loading. That misses a change which keeps both, by someone who may write to the
    user's cache and so could change the lock file as well; `verify` (``d2b-gate model verify``) misses nothing.
    """
    entries, problems = _compare(files, current)
    if problems:
        raise EvaluationError(
            f"{problems[0].file} of model {files.id} {problems[0].what}",
            where=str(files.path),
            remedy="find out who changed it, or delete that directory and fetch the model again",
        )
    return replace(files, entries=entries)


def _compare(
    files: ModelFiles, look: Callable[[Path, FileEntry], FileEntry]
) -> tuple[tuple[FileEntry, ...], tuple[Problem, ...]]:
    """Look at every file; return what was found, and what is wrong with it."""
    entries: list[FileEntry] = []
    problems: list[Problem] = []
    for known in files.entries:
        if not (files.path / known.name).is_file():
            problems.append(Problem(known.name, "is missing"))
            continue
        found = look(files.path, known)
        entries.append(found)
        if found.sha256 != known.sha256:
            problems.append(Problem(known.name, f"has sha256 {found.sha256}, expected {known.sha256}"))
    strangers = set(file_names(files.path)) - {known.name for known in files.entries}
    problems.extend(Problem(name, "was not there before") for name in sorted(strangers))
    return tuple(entries), tuple(problems)
