"""Features of rows: hidden states, and gradients of the loss with respect to vectors added after each block."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from d2b_gate.backends.hf.batches import row_batch
from d2b_gate.backends.hf.encode import encode_rows
from d2b_gate.backends.hf.engine import token_log_probs
from d2b_gate.backends.hf.hooks import capturing
from d2b_gate.core.features import States

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from d2b_gate.backends.hf.batches import Batch
    from d2b_gate.backends.hf.encode import Encoded
    from d2b_gate.backends.hf.engine import Engine
    from d2b_gate.core.features import Pooling, Site
    from d2b_gate.core.rows import Row

SINK_POSITIONS = 4
"""Positions that a mean leaves out: residual norms there are a hundred times the usual (SmolLM2: position 0; Qwen2.5:
0 to 3), so a mean with them measures the attention sink and nothing else."""


def row_states(engine: Engine, rows: Sequence[Row], pooling: Pooling, sites: Sequence[Site] = ()) -> States:
    """Hidden states per row after the blocks of the untouched model that are named; after every one if none is.

    The pass ends after the deepest of them, and what no mean needs is not copied.
    Shapes: (rows, sites, width), float32. Means over tokens accumulate in float64 (float32 on Apple GPUs, which have
    no other). Rows without tokens give zeros.
    Source: arXiv 2602.04735 ("last": the last token of the whole instance); "response": our choice, the mean over the
    loss tokens, attention sink left out.
    """
    wanted = tuple(sites) or engine.card.sites
    encoded = encode_rows(engine.tokenizer, rows, engine.card.max_length)
    out_nld = np.zeros((len(rows), len(wanted), engine.card.width), dtype=np.float32)
    columns = {site.block: column for column, site in enumerate(wanted)}
    filled = [i for i, row in enumerate(encoded) if row.ids]
    members = [encoded[i] for i in filled]

    def step(group: list[int]) -> None:
        batch = row_batch([members[i] for i in group], engine.pad, engine.device)
        taken = _taken([members[i] for i in group], pooling, engine.device)
        places = [filled[i] for i in group]

        def keep(block: int, hidden_btd: Tensor) -> None:
            out_nld[places, columns[block]] = _means(hidden_btd, taken, len(group)).float().cpu().numpy()

        with torch.inference_mode(), capturing(engine.blocks, keep, columns):
            engine.model(
                input_ids=batch.ids_bt, position_ids=batch.positions_bt, attention_mask=batch.mask, use_cache=False
            )

    engine.runner.run(members, lambda row: len(row.ids), step)
    return States(tuple(row.key for row in rows), wanted, out_nld)


def row_gradients(engine: Engine, rows: Sequence[Row]) -> States:
    """Per row, the gradient of its mean loss over trained tokens with respect to a vector added after each block.

    One copy of the vectors per row makes one backward pass give every row's own gradient.
    Shapes: (rows, blocks, width), float32. Rows without trained tokens give zeros.
    Units: nats per trained token, per unit of the vector. Source: our choice; METHOD, "g_i[l] = d loss_i / d v_l".
    """
    encoded = encode_rows(engine.tokenizer, rows, engine.card.max_length)
    out_nld = np.zeros((len(rows), engine.card.blocks, engine.card.width), dtype=np.float32)
    trained = [i for i, row in enumerate(encoded) if row.targets]
    members = [encoded[i] for i in trained]

    def step(group: list[int]) -> None:
        batch = row_batch([members[i] for i in group], engine.pad, engine.device)
        counts_b = torch.tensor([float(len(members[i].targets)) for i in group], device=engine.device)

        def objective(log_probs_s: Tensor) -> Tensor:
            return -(log_probs_s / counts_b[batch.owner_c]).sum()

        out_nld[[trained[i] for i in group]] = batch_gradients(engine, batch, len(group), objective)

    engine.runner.run(members, lambda row: len(row.ids), step)
    return States(tuple(row.key for row in rows), engine.card.sites, out_nld)


def batch_gradients(
    engine: Engine, batch: Batch, rows: int, objective: Callable[[Tensor], Tensor]
) -> NDArray[np.float32]:
    """Gradient of ``objective(log p of the selected tokens)`` with respect to one vector per row and block, at zero.

    Shapes: (rows, blocks, width), float32.
    """
    vectors = {
        block: torch.zeros(rows, 1, engine.card.width, device=engine.device, requires_grad=True)
        for block in range(engine.card.blocks)
    }
    with torch.enable_grad():
        total = objective(token_log_probs(engine, batch, vectors))
        grads = torch.autograd.grad(total, list(vectors.values()))
    stacked: NDArray[np.float32] = torch.cat([grad.float().cpu() for grad in grads], dim=1).numpy()
    return stacked


def _taken(rows: Sequence[Encoded], pooling: Pooling, device: torch.device) -> tuple[Tensor, Tensor]:
    """Which tokens each row's mean is over, row by row. Shapes: two int64 (tokens): the row, and the place in it."""
    pairs: list[tuple[int, int]] = []
    for b, row in enumerate(rows):
        if pooling == "last":
            kept = [len(row.ids) - 1]
        else:
            kept = [t for t in row.targets if t >= SINK_POSITIONS]
            kept = kept or list(range(min(SINK_POSITIONS, len(row.ids) - 1), len(row.ids)))
        pairs += [(b, t) for t in kept]
    table = torch.tensor(pairs, dtype=torch.int64, device=device)
    return table[:, 0], table[:, 1]


def _means(hidden_btd: Tensor, taken: tuple[Tensor, Tensor], rows: int) -> Tensor:
    """Mean over the taken tokens of each row. Shapes: (rows, width)."""
    rows_k, places_k = (one.to(hidden_btd.device) for one in taken)
    wide = torch.float32 if hidden_btd.device.type == "mps" else torch.float64
    sums_bd = hidden_btd.new_zeros((rows, hidden_btd.shape[2]), dtype=wide)
    sums_bd.index_add_(0, rows_k, hidden_btd[rows_k, places_k].to(wide))
    return sums_bd / torch.bincount(rows_k, minlength=rows)[:, None]
