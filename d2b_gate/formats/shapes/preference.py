"""Preference pairs (TRL and LLaMA-Factory): the chosen answer is trained, the rejected one is ignored."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from d2b_gate.core.rows import Turn, make_row
from d2b_gate.formats.dialogue import dialogue, said, untrained, with_system
from d2b_gate.formats.shapes import alpaca
from d2b_gate.formats.tools import tools_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from d2b_gate.core.rows import Row
    from d2b_gate.formats.interface import Fields

NAME = "preference"
COLUMNS: tuple[str, ...] = (
    "prompt", "chosen", "rejected", "conversations", "messages", "instruction", "input", "history", "system", "tools",
)  # fmt: skip


_SPEAKERS = {"Human": "user", "Assistant": "assistant"}
_MARKS = re.compile(r"(?:^|\n\n)(Human|Assistant):")


def matches(values: Mapping[str, object]) -> bool:
    """A ``chosen`` answer: text, one turn, or turns."""
    return isinstance(values.get("chosen"), str | list | dict)


def row(fields: Fields) -> Row:
    """Read the chosen answer after whichever form of prompt the row has."""
    turns = with_system(_turns(fields), fields)
    return make_row(turns, tools=tools_of(fields), path=fields.path, line=fields.line)


def _turns(fields: Fields) -> list[Turn]:
    if "chosen" not in fields.values:
        raise fields.error("the field 'chosen' is missing")
    chosen = said(fields.values["chosen"], "assistant", "chosen", fields)
    if chosen[0].role != "assistant":
        return _after_shared(chosen, fields)
    prompt = _prompt(fields)
    if prompt:
        return untrained(prompt) + chosen
    if isinstance(fields.values["chosen"], str):
        return _raw(fields.text("chosen"))
    raise fields.error("the row has a chosen answer but no prompt")


def _prompt(fields: Fields) -> list[Turn]:
    """Return the turns before the answer, under whichever name they stand."""
    for name in ("conversations", "messages"):
        if isinstance(fields.values.get(name), list):
            return dialogue(fields.values[name], name, fields)
    if "prompt" in fields.values:
        return said(fields.values["prompt"], "user", "prompt", fields)
    return alpaca.asked(fields) if "instruction" in fields.values else []


def _after_shared(chosen: list[Turn], fields: Fields) -> list[Turn]:
    """Split whole conversations: what both begin with is the prompt, and at least the last turn is the answer."""
    shared = len(chosen) - 1
    if isinstance(fields.values.get("rejected"), list):
        rejected = dialogue(fields.values["rejected"], "rejected", fields)
        pairs = zip(chosen[:shared], rejected, strict=False)
        shared = next((index for index, (one, other) in enumerate(pairs) if one != other), min(shared, len(rejected)))
    return untrained(chosen[:shared]) + chosen[shared:]


def _raw(chosen: str) -> list[Turn]:
    """Read a text that holds its own prompt: as turns where it is marked up like HH-RLHF, else as raw text."""
    opening, *pieces = _MARKS.split(chosen)
    if opening.strip() or not pieces or pieces[-2] != "Assistant":
        return [Turn("text", chosen, True)]
    names, texts = pieces[::2], pieces[1::2]
    turns = [Turn(_SPEAKERS[name], text.strip(), False) for name, text in zip(names, texts, strict=True)]
    return [*turns[:-1], replace(turns[-1], trained=True)]
