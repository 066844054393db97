"""Columns, wrapping and colour of reports for people."""

from __future__ import annotations

import textwrap
import unicodedata
from typing import TYPE_CHECKING

from d2b_gate.core.verdict import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

GAP = "   "
_INKS = {
    Status.FAIL: "1;31",
    Status.ERROR: "1;35",
    Status.INCONCLUSIVE: "1;33",
    Status.WARN: "1;33",
    Status.WAIVED: "1;36",
    Status.OK: "1;32",
}


def word(status: Status) -> str:
    """The word of a verdict: loud, unless it is ok."""
    text: str = status.value
    return text if status is Status.OK else text.upper()


def painted(text: str, status: Status, color: bool) -> str:
    """The text in the colour of a status."""
    return f"\x1b[{_INKS[status]}m{text}\x1b[0m" if color else text


def columns(text: str) -> int:
    """How many columns a terminal needs for one line of text."""
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def padded(text: str, width: int) -> str:
    """The text followed by spaces up to ``width`` columns."""
    return text + " " * max(0, width - columns(text))


def flowed(parts: Sequence[str], width: int, indent: str) -> list[str]:
    """Parts side by side, three spaces apart; a part that does not fit begins a new, indented line."""
    lines: list[str] = []
    for part in parts:
        if lines and columns(lines[-1] + GAP + part) <= width:
            lines[-1] += GAP + part
        else:
            lines.append(indent + part if lines else part)
    return lines


def wrapped(text: str, width: int, first: str, rest: str = "") -> list[str]:
    """An escaped sentence in lines of at most ``width`` characters; words are never broken, for they may be paths."""
    return textwrap.wrap(
        text,
        max(width, len(first) + 20),
        initial_indent=first,
        subsequent_indent=rest or " " * len(first),
        break_long_words=False,
        break_on_hyphens=False,
    )
