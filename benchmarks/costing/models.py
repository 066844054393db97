"""The models that are timed: the embedded one as the default policy has it, or one of a known shape at random."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from d2b_gate.core.ports import ModelCard
from d2b_gate.core.rules import ModelSpec
from d2b_gate.store.paths import cache_root

if TYPE_CHECKING:
    from pathlib import Path

    from transformers import PreTrainedTokenizerBase

    from d2b_gate.backends.hf.backend import HfBackend
    from d2b_gate.backends.hf.engine import Engine
    from d2b_gate.core.ports import Progress

SPEC = ModelSpec(dtype="bfloat16")
"""The model of the default policy."""
QWEN3_14B: dict[str, Any] = {
    "hidden_size": 5120,
    "num_hidden_layers": 40,
    "num_attention_heads": 40,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "intermediate_size": 17408,
    "vocab_size": 151936,
    "tie_word_embeddings": False,
}
TINY: dict[str, Any] = {
    "hidden_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "intermediate_size": 96,
    "vocab_size": 49152,
}
SHAPES = {"qwen3-14b": QWEN3_14B, "tiny": TINY}
"""Shapes of Qwen3 models, weights at random: what a pass costs does not depend on them. The first is the published
configuration of Qwen3-14B; the second proves the mechanics."""


class Silence:
    """Progress that nobody watches."""

    def stage(self, name: str, total: int) -> None:
        """Say nothing."""

    def advance(self, steps: int = 1) -> None:
        """Say nothing."""

    def note(self, text: str) -> None:
        """Say nothing."""


def embedded(progress: Progress | None = None) -> HfBackend:
    """The embedded model, on a CPU."""
    from d2b_gate.backends.hf.opening import open_backend

    return open_backend(replace(SPEC, device="cpu"), cache_root(), None, progress or Silence())


def folder_of_embedded() -> Path:
    """Where its files are, for loops that load it themselves."""
    from d2b_gate.backends.hf.models.locate import locate

    return locate(SPEC, cache_root(), None).path


def tokenizer_in(folder: Path) -> PreTrainedTokenizerBase:
    """The tokenizer of a folder, which needs to hold no weights."""
    from transformers import AutoTokenizer

    found: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(folder)
    return found


def at_random(shape: str, device: str, tokenizer: PreTrainedTokenizerBase) -> Engine:
    """A Qwen3 model of this shape made on the device in bfloat16."""
    import torch
    from transformers import AutoModelForCausalLM, Qwen3Config

    from d2b_gate.backends.hf.engine import make_engine

    config = Qwen3Config(**SHAPES[shape])
    with torch.device(device):
        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16).eval().requires_grad_(False)
    card = ModelCard(
        id=f"random {shape}",
        revision="0",
        tokenizer_hash="0",
        dtype="bfloat16",
        device=torch.device(device).type,
        blocks=config.num_hidden_layers,
        width=config.hidden_size,
        max_length=SPEC.max_length,
        versions=(),
    )
    return make_engine(model, tokenizer, card)


def block_parameters(engine: Engine) -> int:
    """Parameters of the blocks' matrices: what a forward pass without a head multiplies."""
    return sum(parameter.numel() for block in engine.blocks for parameter in block.parameters() if parameter.dim() == 2)
