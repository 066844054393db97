"""Language modelling (TRL): the field ``text``; every token is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.core.rows import Turn, make_row

if TYPE_CHECKING:
    from collections.abc import Mapping

    from d2b_gate.core.rows import Row
    from d2b_gate.formats.interface import Fields

NAME = "text"
COLUMNS: tuple[str, ...] = ("text",)


def matches(values: Mapping[str, object]) -> bool:
    """Text in ``text``."""
    return isinstance(values.get("text"), str)


def row(fields: Fields) -> Row:
    """Read the text as it is."""
    return make_row([Turn("text", fields.text("text"), True)], path=fields.path, line=fields.line)
