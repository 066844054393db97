"""How large a store may grow by itself, and when it looks: never while reading, and seldom while writing."""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from d2b_gate.core.errors import UsageError
from d2b_gate.core.printable import printable
from d2b_gate.store.sizes import DAY

if TYPE_CHECKING:
    from pathlib import Path

BOUND = "D2B_GATE_CACHE_MAX_BYTES"
"""Of the environment: how large a store may grow before it forgets by itself."""
MOST = "10G"
"""Our choice: the features of some hundred thousand rows of a small model, and room beside most models."""
KEPT_SHARE = 0.9
"""Of the bound, what a collection leaves: the next one comes only after a tenth of it was written anew."""
_STEP = 1 / 16
"""Of the bound: the most that a process adds between two looks."""
_WRITTEN = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?\Z", re.IGNORECASE)


def size_of(text: str) -> int:
    """``500MB``, ``2G``, ``1GiB`` or plain bytes. Raises ValueError."""
    match = _WRITTEN.match(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no size; write for example 500MB or 2G")
    base = 1024 if match[3] else 1000
    return int(float(match[1]) * base ** (" kmgt".index(match[2].lower() or " ")))


MOST_BYTES = size_of(MOST)


def written_bound() -> str:
    """The bound of a store on this machine, as somebody wrote it."""
    return os.environ.get(BOUND) or MOST


def bound_of_machine() -> int:
    """The bound in bytes.

    Raises:
        UsageError: the environment says something else than a size.
    """
    try:
        return size_of(written_bound())
    except ValueError as error:
        raise UsageError(f"{BOUND}: {printable(str(error))}", remedy=f"unset it, or write {MOST}") from error


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
