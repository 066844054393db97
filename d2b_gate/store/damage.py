"""Setting a damaged database aside, so that a new one can begin in its place."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def set_aside(database: Path) -> None:
    """Keep the damaged file, for whoever wants to look; drop its log, which belongs to no other file."""
    with suppress(FileNotFoundError):  # another process was faster
        database.replace(aside(database))
    for suffix in ("-wal", "-shm"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)


def aside(database: Path) -> Path:
    """Where the damaged file is kept."""
    return database.with_name(f"{database.name}.damaged")
