"""How large a store may grow by itself, and when it looks: never while reading, and seldom while writing."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from d2b_gate.store.sizes import DAY

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES = 10_000_000_000
"""Our choice: the features of some hundred thousand rows of a small model, and room beside most models."""
KEPT_SHARE = 0.9
"""Of the bound, what a collection leaves: the next one comes only after a tenth of it was written anew."""
_STEP = 1 / 16
"""Of the bound: the most that a process adds between two looks."""


class Bound:
    """Says when to look at the size: at the first addition of a day, and after each part of the bound that is added."""

    def __init__(self, root: Path, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._looked = root / "looked"
        self._added = 0
        self._first = True

    def due(self, added: int) -> bool:
        """Count bytes as added. Raises OSError where nothing can be written."""
        self._added += added
        if self._first:
            self._first = False
            if self._is_first_of_day():
                return True
        if self._added < self.max_bytes * _STEP:
            return False
        self._added = 0
        return True

    def _is_first_of_day(self) -> bool:
        """Whether no process looked for a day; then this one is about to."""
        with suppress(FileNotFoundError):
            if time.time() - self._looked.stat().st_mtime < DAY:
                return False
        self._looked.touch(mode=0o600)
        return True
