"""Libraries that do the same job, where they are installed: pip install -r benchmarks/costing/peers.txt --no-deps."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from d2b_gate.backends.hf.engine import Engine

BATCH = 32
"""Default batch size of repeng's reader; the recorder of steering-vectors has none, and gets the same."""


def _repeng(engine: Engine, texts: Sequence[str]) -> Callable[[], NDArray[np.float32]]:
    """repeng: `batched_get_hiddens`, the reader behind its vectors."""
    if not hasattr(np, "float_"):
        setattr(np, "float_", np.float64)  # noqa: B010 - a name of NumPy 1, that repeng asks for when it is imported
    read = importlib.import_module("repeng.extract").batched_get_hiddens
    layers = list(range(engine.card.blocks))

    def extract() -> NDArray[np.float32]:
        found = read(engine.model, engine.tokenizer, list(texts), layers, BATCH)
        return np.stack([found[layer] for layer in layers], axis=1)

    return extract


def _steering_vectors(engine: Engine, texts: Sequence[str]) -> Callable[[], NDArray[np.float32]]:
    """steering-vectors: `record_activations`, the recorder behind its vectors."""
    import torch

    record = importlib.import_module("steering_vectors").record_activations

    def extract() -> NDArray[np.float32]:
        found: list[NDArray[np.float32]] = []
        for start in range(0, len(texts), BATCH):
            batch = engine.tokenizer(
                list(texts[start : start + BATCH]), padding=True, padding_side="right", return_tensors="pt"
            ).to(engine.device)
            last_b = batch["attention_mask"].sum(dim=1) - 1
            with torch.no_grad(), record(engine.model, layer_type="decoder_block") as recorded:
                engine.model(**batch)
            rows_b = torch.arange(len(last_b), device=last_b.device)
            states = [recorded[layer][0][rows_b, last_b] for layer in range(engine.card.blocks)]
            found.append(torch.stack(states, dim=1).float().cpu().numpy())
        return np.concatenate(found)

    return extract


PEERS = {"repeng": _repeng, "steering-vectors": _steering_vectors}
NOT_COMPARED = {
    "llama.cpp": "its bindings have no wheel in the registry used, and it pools embeddings after the last block alone",
}
"""Peers that were considered, and why no figure stands beside theirs."""
