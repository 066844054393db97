"""Where `check` keeps its results, and which are there."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from d2b_gate.store.paths import cache_root

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from d2b_gate.core.verdict import Verdict

RESULTS = "results"
_NAME = 16  # characters of the fingerprint in a file's name


def results_folder() -> Path:
    """The folder of the results, which need not exist."""
    return cache_root() / RESULTS


def stored_as(verdict: Verdict) -> Path:
    """Where a result is kept."""
    return results_folder() / f"{verdict.fingerprint[:_NAME]}.json"


def patch_beside(verdict: Verdict, finding: str) -> Path:
    """Where the patch that clears a result, or one of its findings, is kept; `cache clear` removes both."""
    named = f"-{sha256(finding.encode()).hexdigest()[:_NAME]}" if finding else ""
    return results_folder() / f"{verdict.fingerprint[:_NAME]}{named}.patch"


def stored_files(folder: Path, most: float) -> list[tuple[float, Path]]:
    """Files of at most ``most`` bytes, each after the moment (since the epoch) at which it was stored, oldest first."""
    return sorted(_files(folder, most))


def _files(folder: Path, most: float) -> Iterator[tuple[float, Path]]:
    for path in folder.glob("*.json"):
        try:
            status = path.stat()
        except OSError:  # another run has just replaced or removed it
            continue
        if path.is_file() and status.st_size <= most:
            yield status.st_mtime, path
