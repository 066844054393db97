"""A loaded model with its blocks found, and the one forward pass that everything else is made of."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from d2b_gate.backends.hf.blocks import decoder_blocks
from d2b_gate.backends.hf.chosen import chosen_log_probs
from d2b_gate.backends.hf.hooks import injecting, selecting
from d2b_gate.backends.hf.lowrank import Update, updating
from d2b_gate.backends.hf.memory import BatchRunner
from d2b_gate.core.errors import EvaluationError
from d2b_gate.core.features import Adapter, Kept

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from d2b_gate.backends.hf.batches import Batch
    from d2b_gate.core.features import Injected, Injection
    from d2b_gate.core.ports import ModelCard


@dataclass(slots=True)
class Known:
    """What was found out about a model once: the longest tree of prompts that it reads right, if that was tried."""

    most: int | None = None


@dataclass(frozen=True, slots=True)
class Engine:
    """The model, its tokenizer, and the modules that the hooks sit on."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    card: ModelCard
    blocks: Sequence[nn.Module]
    head: nn.Module
    runner: BatchRunner
    known: Known = field(default_factory=Known)

    @property
    def device(self) -> torch.device:
        """Where input ids go."""
        return self._embedding.device

    @property
    def dtype(self) -> torch.dtype:
        """The model's floating-point type."""
        return self._embedding.dtype

    @property
    def vocabulary(self) -> int:
        """How many tokens the model has vectors for."""
        return len(self._embedding)

    @property
    def _embedding(self) -> nn.Parameter:
        return next(self.model.get_input_embeddings().parameters())

    @property
    def pad(self) -> int:
        """An id to pad with; padding is masked, so any id will do."""
        pad = self.tokenizer.pad_token_id
        return int(pad) if isinstance(pad, int) else 0


def make_engine(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, card: ModelCard) -> Engine:
    """Find the blocks and the head of a loaded model.

    Raises:
        EvaluationError: the architecture has no block list of the configured length, or no output head.
    """
    head = model.get_output_embeddings()  # type: ignore[no-untyped-call]  # transformers leaves it unannotated
    if not isinstance(head, nn.Module):
        raise EvaluationError(
            f"{type(model).__name__} has no output embeddings", remedy="use a causal language model as model.id"
        )
    return Engine(model, tokenizer, card, decoder_blocks(model, card.blocks), head, BatchRunner(card.device))


def vectors_of(injection: Injection, device: torch.device) -> dict[int, Tensor]:
    """Return the injection as tensors by block; the scale is applied in float32."""
    vectors_ld = torch.tensor(injection.vectors_ld) * injection.scale  # a copy: stored arrays are read-only
    return {site.block: vectors_ld[i].to(device) for i, site in enumerate(injection.sites)}


@contextmanager
def under(engine: Engine, injection: Injected) -> Iterator[None]:
    """Run the model under vectors or an adapter; no sites and no names leave it untouched.

    Raises:
        EvaluationError: the adapter was trained on another architecture.
    """
    if isinstance(injection, Kept):
        raise TypeError("this adapter is kept by a remote backend")
    if isinstance(injection, Adapter):
        with updating(_updates(engine, injection), injection.scale, engine.dtype):
            yield
    else:
        with injecting(engine.blocks, vectors_of(injection, engine.device)):
            yield


def _updates(engine: Engine, adapter: Adapter) -> list[Update]:
    modules = dict(engine.model.named_modules())
    updates: list[Update] = []
    for name, down, up in zip(adapter.names, adapter.downs, adapter.ups, strict=True):
        if name not in modules:
            raise EvaluationError(f"the adapter has a layer {name!r} that this model lacks", remedy="train it anew")
        device = next(modules[name].parameters()).device
        updates.append(Update(modules[name], torch.tensor(down, device=device), torch.tensor(up, device=device)))
    return updates


def token_log_probs(engine: Engine, batch: Batch, vectors: Mapping[int, Tensor]) -> Tensor:
    """Return log p of every chosen token of the batch under the injected vectors.

    Shapes: (chosen), float32; the log-softmax is taken in float32 whatever the model's dtype.
    """
    with injecting(engine.blocks, vectors):
        logits_sv = selected_logits(engine, batch)
    device = logits_sv.device
    return chosen_log_probs(logits_sv, batch.at_c.to(device), batch.token_c.to(device))


def selected_logits(engine: Engine, batch: Batch) -> Tensor:
    """One forward pass, and what it says at the batch's selected positions alone.

    Shapes: (selected, vocabulary), in the model's dtype.
    """
    places = {} if batch.positions_bt is None else {"position_ids": batch.positions_bt}
    with selecting(engine.head, batch.rows_s, batch.from_s):
        output = engine.model(input_ids=batch.ids_bt, attention_mask=batch.mask, use_cache=False, **places)
    logits_sv: Tensor = output.logits[0]
    return logits_sv
