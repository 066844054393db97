"""Which tracked files look like training data: a starting point for a person to correct."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

SUFFIXES = (".jsonl", ".ndjson", ".csv", ".tsv", ".parquet")
"""Of the formats that the gate reads, those that are seldom anything but data; .json and .txt often are."""

WRAPPERS = (".dvc", ".gz", ".zst")
NOT_DATA = frozenset({"test", "tests", "testing", "fixtures", "docs", "node_modules", "vendor", "third_party"})
MOST_GLOBS = 20  # our choice: a longer list is not read by anyone


def guess_globs(paths: Iterable[str]) -> tuple[str, ...]:
    """Return one glob per top directory and kind of file, sorted."""
    globs = {glob for path in paths if path.isprintable() and (glob := _glob(PurePosixPath(path)))}
    return tuple(sorted(globs)[:MOST_GLOBS])


def _glob(path: PurePosixPath) -> str:
    """Return the glob of a data file; empty for any other. A DVC file stands for the data that it points to."""
    name, wrapped = path.name, ""
    for wrapper in WRAPPERS:
        if name.endswith(wrapper):
            name = name.removesuffix(wrapper)
            wrapped = "" if wrapper == ".dvc" else wrapper + wrapped
    suffix = PurePosixPath(name).suffix
    if suffix.lower() not in SUFFIXES or NOT_DATA.intersection(part.lower() for part in path.parts[:-1]):
        return ""
    return f"{_literal(path.parts[0])}/**/*{suffix}{wrapped}" if len(path.parts) > 1 else f"*{suffix}{wrapped}"


def _literal(name: str) -> str:
    """A directory's name as a glob that means only it."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in name)
