"""Prompt-completion (TRL): text or turns on either side; the completion is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.core.rows import make_row
from d2b_gate.formats.dialogue import said, untrained, with_system
from d2b_gate.formats.tools import tools_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from d2b_gate.core.rows import Row
    from d2b_gate.formats.interface import Fields

NAME = "prompt-completion"
COLUMNS: tuple[str, ...] = ("prompt", "completion", "response", "question", "answer", "system", "tools")

_PAIRS = (("prompt", "completion"), ("prompt", "response"), ("question", "answer"))


def matches(values: Mapping[str, object]) -> bool:
    """One of the known pairs of names; question and answer only where nothing else could be trained on."""
    asked, answered = _pair(values)
    if not isinstance(values.get(asked), str | list) or not isinstance(values.get(answered), str | list):
        return False
    others = [value for name, value in values.items() if name not in (asked, answered)]
    return asked == "prompt" or not any(_is_wordy(value) for value in others)


def row(fields: Fields) -> Row:
    """Read both sides, with optional ``system`` and ``tools`` columns."""
    asked, answered = _pair(fields.values)
    for name in (asked, answered):
        if name not in fields.values:
            raise fields.error(f"the field '{name}' is missing")
    before = untrained(said(fields.values[asked], "user", asked, fields))
    turns = before + said(fields.values[answered], "assistant", answered, fields)
    return make_row(with_system(turns, fields), tools=tools_of(fields), path=fields.path, line=fields.line)


def _pair(values: Mapping[str, object]) -> tuple[str, str]:
    return next((pair for pair in _PAIRS if pair[0] in values and pair[1] in values), _PAIRS[0])


def _is_wordy(value: object) -> bool:
    """Whether a value may be text to train on rather than an id, a category or a score."""
    return isinstance(value, list | dict) or (isinstance(value, str) and " " in value.strip())
