"""Rows to token ids with the model's own chat template, and which tokens the SFT loss falls on."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from d2b_gate.backends.hf.template import TemplateRefusedError, lay_out
from d2b_gate.core.errors import EvaluationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import PreTrainedTokenizerBase

    from d2b_gate.core.rows import Row, Turn

_OTHER = "\ue000"
"""Content that no row has (a private-use character): what changes when a turn says this is what the turn said."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """Token ids of one row; ``targets`` are the positions of trained tokens; ``cut`` tokens did not fit."""

    ids: tuple[int, ...]
    targets: tuple[int, ...]
    cut: int


@dataclass(frozen=True, slots=True)
class Rendered:
    """The text that the model would be trained on, and the character spans [start, end) that the loss falls on."""

    text: str
    spans: tuple[tuple[int, int], ...]
    templated: bool


def encode_rows(tokenizer: PreTrainedTokenizerBase, rows: Sequence[Row], max_length: int) -> list[Encoded]:
    """Encode rows in order; a row longer than ``max_length`` tokens is cut at its end and says by how much."""
    return [_encode(tokenizer, render(tokenizer, row), max_length) for row in rows]


def render(tokenizer: PreTrainedTokenizerBase, row: Row) -> Rendered:
    """Lay a row out as training text.

    Raises:
        EvaluationError: the template refuses the row, or leaves a trained turn out.
    """
    if len(row.turns) == 1 and row.turns[0].role == "text":
        text = row.turns[0].content
        return Rendered(text, ((0, len(text)),), templated=False)
    full = _text(tokenizer, row, row.turns)
    spans = tuple(_span(tokenizer, row, full, index) for index, turn in enumerate(row.turns) if turn.trained)
    return Rendered(full, spans, templated=True)


def _text(tokenizer: PreTrainedTokenizerBase, row: Row, turns: Sequence[Turn], *, opening: bool = False) -> str:
    messages = [{"role": turn.role, "content": turn.content} for turn in turns]
    tools = json.loads(row.tools) if row.tools else None
    try:
        return lay_out(tokenizer, messages, tools=tools, add_generation_prompt=opening)
    except TemplateRefusedError as error:
        raise EvaluationError(
            f"the model's chat template refuses this row ({error})",
            where=row.where,
            remedy="change the order or the roles of its turns, or use a model whose template takes them",
        ) from error


def _span(tokenizer: PreTrainedTokenizerBase, row: Row, full: str, index: int) -> tuple[int, int]:
    """From the end of the generation prompt to the end of the turn, its end-of-turn marker included."""
    before, through = row.turns[:index], row.turns[: index + 1]
    closed = _text(tokenizer, row, through)
    opened = _text(tokenizer, row, before, opening=True) if before else ""
    if 0 < len(opened) < len(closed) and closed.startswith(opened) and full.startswith(closed):
        return len(opened), len(closed)
    start, end = _changing(tokenizer, row, full, index, row.turns)
    marker = closed[_changing(tokenizer, row, closed, index, through)[1] :]
    return start, end + len(marker) if full.startswith(marker, end) else end


def _changing(
    tokenizer: PreTrainedTokenizerBase, row: Row, text: str, index: int, turns: Sequence[Turn]
) -> tuple[int, int]:
    """Which part of the text of ``turns`` changes with what turn ``index`` says.

    Holds where a template opens an answer in another way than it lays one out (DeepSeek), and where it rewrites earlier
    turns (Qwen3 takes their reasoning out).
    """
    other = _text(tokenizer, row, [*turns[:index], replace(turns[index], content=_OTHER), *turns[index + 1 :]])
    if other == text:
        raise EvaluationError(
            f"the model's chat template leaves out what a trained {turns[index].role} turn says",
            where=row.where,
            remedy="use a model whose template keeps the turn's content",
        )
    start = common_length(text, other)
    tail = common_length(text[start:][::-1], other[start:][::-1])
    return start, len(text) - tail


def common_length(left: Sequence[object], right: Sequence[object]) -> int:
    """How many items two sequences begin with alike."""
    pairs = enumerate(zip(left, right, strict=False))
    return next((index for index, (a, b) in pairs if a != b), min(len(left), len(right)))


def _encode(tokenizer: PreTrainedTokenizerBase, rendered: Rendered, max_length: int) -> Encoded:
    batch = tokenizer(
        rendered.text, add_special_tokens=not rendered.templated, return_offsets_mapping=True, truncation=False
    )
    ids: list[int] = list(batch["input_ids"])
    offsets: list[tuple[int, int]] = list(batch["offset_mapping"])
    targets = tuple(
        i
        for i, (start, end) in enumerate(offsets[:max_length])
        if i > 0
        and any(start < high and low < end for low, high in rendered.spans)  # tokens may straddle a span's ends
    )
    return Encoded(tuple(ids[:max_length]), targets, cut=max(0, len(ids) - max_length))
