"""Alpaca (LLaMA-Factory): instruction, optional input, output; trained are the output and the history's answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.core.rows import Turn, make_row
from d2b_gate.formats.dialogue import with_system

if TYPE_CHECKING:
    from collections.abc import Mapping

    from d2b_gate.core.rows import Row
    from d2b_gate.formats.interface import Fields

NAME = "alpaca"
COLUMNS: tuple[str, ...] = ("instruction", "input", "output", "response", "system", "history")


def matches(values: Mapping[str, object]) -> bool:
    """Text in ``instruction`` and in ``output`` (``response`` in some sets)."""
    return isinstance(values.get("instruction"), str) and isinstance(values.get(_answer(values)), str)


def row(fields: Fields) -> Row:
    """Read one exchange and the ``history`` of exchanges before it."""
    turns = [*asked(fields), Turn("assistant", fields.text(_answer(fields.values)), True)]
    return make_row(with_system(turns, fields), path=fields.path, line=fields.line)


def asked(fields: Fields) -> list[Turn]:
    """Return the turns before the answer; instruction and input are joined by a line break, as LLaMA-Factory does."""
    parts = (fields.text("instruction"), fields.text_or_empty("input"))
    return [*_history(fields), Turn("user", "\n".join(part for part in parts if part), False)]


def _answer(values: Mapping[str, object]) -> str:
    return "response" if "response" in values and "output" not in values else "output"


def _history(fields: Fields) -> list[Turn]:
    turns: list[Turn] = []
    exchanges = fields.values.get("history", [])
    for exchange in exchanges if isinstance(exchanges, list) else [exchanges]:
        match exchange:
            case [str() as question, str() as answer]:
                turns += [Turn("user", question, False), Turn("assistant", answer, True)]
            case _:
                raise fields.error("the field 'history' is not a list of [question, answer] pairs")
    return turns
