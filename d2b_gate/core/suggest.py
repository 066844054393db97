"""Nearest known word for a mistyped one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Suggest the nearest known word, or list them all."""
    ordered = sorted(known)
    return nearest(word, ordered) or f"known: {', '.join(ordered)}"


def nearest(word: str, known: Iterable[str]) -> str:
    """Suggest the nearest known word; empty where none is near."""
    from difflib import get_close_matches  # only a mistake pays for the import

    close = get_close_matches(word, sorted(known), n=1)
    return f"did you mean {close[0]!r}?" if close else ""
