"""What the server tells its owner: one line an event, as ``name=value``; never a row's text, never a token."""

from __future__ import annotations

import json
import traceback
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from d2b_gate.core.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable

_LONGEST = 200  # characters of a value


class Journal:
    """Lines to whoever collects them."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write

    def line(self, event: str, **values: str | float) -> None:
        """Write one line."""
        now = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        pairs = (f"{name}={_value(value)}" for name, value in values.items())
        self._write(" ".join((f"at={now} event={event}", *pairs)))

    def crash(self, event: str, error: BaseException, **values: str) -> None:
        """Write what kind of error happened and where; not its words, which may quote a row."""
        at = traceback.extract_tb(error.__traceback__)[-1]
        self.line(event, error=type(error).__name__, place=f"{at.filename}:{at.lineno}", **values)


def _value(value: str | float) -> str:
    """Numbers as they are, words bare, everything else quoted and without controls."""
    if not isinstance(value, str):
        return f"{value:.6g}" if isinstance(value, float) else str(value)
    text = printable(value)[:_LONGEST]
    bare = text and all(char.isalnum() or char in "-_./:@" for char in text)
    return text if bare else json.dumps(text, ensure_ascii=False)
