"""ShareGPT (LLaMA-Factory): ``conversations`` of from/value turns; every answer and function call is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.core.rows import make_row
from d2b_gate.formats.dialogue import dialogue, with_system
from d2b_gate.formats.tools import tools_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from d2b_gate.core.rows import Row
    from d2b_gate.formats.interface import Fields

NAME = "sharegpt"
COLUMNS: tuple[str, ...] = ("conversations", "system", "tools")


def matches(values: Mapping[str, object]) -> bool:
    """A list of ``conversations``."""
    return isinstance(values.get("conversations"), list)


def row(fields: Fields) -> Row:
    """Read ``conversations``, with optional ``system`` and ``tools`` columns."""
    turns = dialogue(fields.values.get("conversations"), "conversations", fields)
    return make_row(with_system(turns, fields), tools=tools_of(fields), path=fields.path, line=fields.line)
