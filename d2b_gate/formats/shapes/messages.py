"""Messages (TRL's conversational language modelling): every assistant turn is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.core.rows import make_row
from d2b_gate.formats.dialogue import dialogue, with_system
from d2b_gate.formats.tools import tools_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from d2b_gate.core.rows import Row
    from d2b_gate.formats.interface import Fields

NAME = "messages"
COLUMNS: tuple[str, ...] = ("messages", "system", "tools")


def matches(values: Mapping[str, object]) -> bool:
    """A list of ``messages``."""
    return isinstance(values.get("messages"), list)


def row(fields: Fields) -> Row:
    """Read ``messages``, with optional ``system`` and ``tools`` columns."""
    turns = dialogue(fields.values.get("messages"), "messages", fields)
    return make_row(with_system(turns, fields), tools=tools_of(fields), path=fields.path, line=fields.line)
