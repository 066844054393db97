"""What identifies a model for a fingerprint, from its files alone: no torch, no transformers, a few milliseconds."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from d2b_gate.backends.hf.models.device import device_class
from d2b_gate.backends.hf.models.directory import read_table
from d2b_gate.backends.hf.models.lock import versions
from d2b_gate.core.errors import EvaluationError, UsageError
from d2b_gate.core.ports import ModelCard

if TYPE_CHECKING:
    from pathlib import Path

    from d2b_gate.backends.hf.models.files import ModelFiles
    from d2b_gate.core.rules import ModelSpec

DTYPES = ("float32", "bfloat16", "float16")

_BLOCKS = ("num_hidden_layers", "n_layer", "num_layers")
_WIDTH = ("hidden_size", "n_embd", "d_model")
_POSITIONS = ("max_position_embeddings", "n_positions", "n_ctx")
_TOKENIZER = (
    "chat_template.jinja",
    "merges.txt",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "vocab.json",
)


def card(files: ModelFiles, spec: ModelSpec) -> ModelCard:
    """Describe the model. Raises UsageError for an unknown dtype or device, EvaluationError for an unusable config."""
    if spec.dtype not in DTYPES:
        raise UsageError(f"unknown dtype {spec.dtype!r}", remedy=f"use {', '.join(DTYPES)}")
    config = _text_config(read_table(files.path / "config.json"))
    positions = _first(config, _POSITIONS)
    return ModelCard(
        id=spec.id,
        revision=files.revision,
        tokenizer_hash=_tokenizer_hash(files),
        dtype=spec.dtype,
        device=device_class(spec.device),
        blocks=_needed(config, _BLOCKS, files.path),
        width=_needed(config, _WIDTH, files.path),
        max_length=min(spec.max_length, positions) if positions else spec.max_length,
        versions=versions(("peft", "tokenizers", "torch", "transformers")),
    )


def _text_config(config: dict[str, object]) -> dict[str, object]:
    """Return the language model's part of a multimodal configuration."""
    nested = config.get("text_config")
    return {**config, **nested} if isinstance(nested, dict) else config


def _needed(config: dict[str, object], names: tuple[str, ...], path: Path) -> int:
    found = _first(config, names)
    if not found:
        raise EvaluationError(f"config.json has none of {', '.join(names)}", where=str(path))
    return found


def _first(config: dict[str, object], names: tuple[str, ...]) -> int:
    """Return the first positive whole number under one of the names, or 0."""
    values = (config.get(name) for name in names)
    return next((value for value in values if type(value) is int and value > 0), 0)


def _tokenizer_hash(files: ModelFiles) -> str:
    """Hash what decides how text becomes tokens, from the files' known hashes."""
    lines = [f"{one.sha256}  {one.name}\n" for one in sorted(files.entries, key=lambda one: one.name)]
    return hashlib.sha256("".join(line for line in lines if line.rstrip("\n")[66:] in _TOKENIZER).encode()).hexdigest()
