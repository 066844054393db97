"""Labels cut to the columns that a plot has for them."""

from __future__ import annotations

from d2b_gate.reports.escape import ELLIPSIS
from d2b_gate.reports.layout import columns


def head_of(text: str, width: int) -> str:
    """The beginning of a text that takes at most ``width`` columns."""
    if columns(text) <= width:
        return text
    while text and columns(text) > width - len(ELLIPSIS):
        text = text[:-1]
    return text + ELLIPSIS


def tail_of(text: str, width: int) -> str:
    """The end of a text that takes at most ``width`` columns: of a path, the file and its lines."""
    if columns(text) <= width:
        return text
    while text and columns(text) > width - len(ELLIPSIS):
        text = text[1:]
    return ELLIPSIS + text
