"""Unpaired preference (TRL; KTO in LLaMA-Factory): answers labelled true are trained, those labelled false are not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from d2b_gate.core.rows import make_row
from d2b_gate.formats.dialogue import last_answer_only, untrained
from d2b_gate.formats.shapes import alpaca, messages, prompt_completion, sharegpt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from d2b_gate.core.rows import Row
    from d2b_gate.formats.interface import Fields

NAME = "unpaired-preference"

_INNER = (messages, sharegpt, alpaca, prompt_completion)
_LABELS = ("label", "kto_tag")
_WORDS = {"true": True, "false": False, "1": True, "0": False}

COLUMNS: tuple[str, ...] = (*_LABELS, *dict.fromkeys(name for inner in _INNER for name in inner.COLUMNS))


def matches(values: Mapping[str, object]) -> bool:
    """A label that is true or false on a row of another shape.

    A number is a label only where the policy says so (``format`` or ``columns``): a score or a class that happens to
    be named ``label`` must not take a row out of what is judged.
    """
    labels = [values[name] for name in _LABELS if name in values]
    known = any(isinstance(label, bool) or str(label).strip().lower() in ("true", "false") for label in labels)
    return known and any(inner.matches(_unlabelled(values)) for inner in _INNER)


def row(fields: Fields) -> Row:
    """Read the row under the label; the loss falls on its last answer, or on nothing."""
    unlabelled = replace(fields, values=_unlabelled(fields.values))
    inner = next((inner for inner in _INNER if inner.matches(unlabelled.values)), prompt_completion).row(unlabelled)
    turns = last_answer_only(inner.turns) if _label(fields) else untrained(inner.turns)
    return make_row(turns, tools=inner.tools, path=fields.path, line=fields.line)


def _unlabelled(values: Mapping[str, object]) -> Mapping[str, object]:
    return {name: value for name, value in values.items() if name not in _LABELS}


def _label(fields: Fields) -> bool:
    for name in _LABELS:
        if name in fields.values:
            truth = _truth(fields.values[name])
            if truth is None:
                raise fields.error(f"the field '{name}' is neither true nor false")
            return truth
    raise fields.error("the field 'label' is missing")


def _truth(value: object) -> bool | None:
    if isinstance(value, bool | int | str):
        return _WORDS.get(str(value).strip().lower())
    return None
