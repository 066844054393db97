"""Token ids to padded batches; packed sequences to the masks that keep continuations from seeing each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from d2b_gate.backends.hf.asking import Asked
    from d2b_gate.backends.hf.encode import Encoded


@dataclass(frozen=True, slots=True)
class Batch:
    """A padded batch and the positions whose logits are read.

    Shapes: ``ids_bt``, ``positions_bt`` int64 (batch, time); ``mask`` is int64 (batch, time), or float (batch, 1, time,
    time) to be added to attention scores for packed sequences. ``rows_s``, ``from_s`` and ``token_s`` are int64
    (selected): the logits of row ``rows_s`` at position ``from_s`` predict token ``token_s``. ``owner_s`` numbers
    what a selected token belongs to (row of the batch, or a running number over its continuations).
    """

    ids_bt: Tensor
    positions_bt: Tensor
    mask: Tensor
    rows_s: Tensor
    from_s: Tensor
    token_s: Tensor
    owner_s: Tensor


def row_batch(rows: Sequence[Encoded], pad: int, device: torch.device) -> Batch:
    """Pad rows on the right; the selected tokens are the loss tokens."""
    width = max(len(row.ids) for row in rows)
    ids_bt = torch.full((len(rows), width), pad)
    mask_bt = torch.zeros((len(rows), width), dtype=torch.int64)
    selected: list[tuple[int, int, int]] = []
    for b, row in enumerate(rows):
        ids_bt[b, : len(row.ids)] = torch.tensor(row.ids)
        mask_bt[b, : len(row.ids)] = 1
        selected += [(b, t - 1, row.ids[t]) for t in row.targets]
    rows_s, from_s, token_s = (torch.tensor(column, dtype=torch.int64) for column in _columns(selected, 3))
    positions_bt = torch.arange(width).expand(len(rows), width)
    tensors = (ids_bt, positions_bt, mask_bt, rows_s, from_s, token_s, rows_s.clone())
    return Batch(*(tensor.to(device) for tensor in tensors))


def packed_batch(asked: Sequence[Asked], pad: int, device: torch.device, dtype: torch.dtype) -> Batch:
    """Pack each prompt's continuations behind its prefix.

    Positions restart after the prefix for every continuation, and a continuation attends to the prefix and itself
    alone, so that its log-probability equals that of a sequence of its own.
    """
    width = max(one.length for one in asked)
    ids_bt = torch.full((len(asked), width), pad)
    positions_bt = torch.zeros((len(asked), width), dtype=torch.int64)
    seen_btt = torch.zeros((len(asked), width, width), dtype=torch.bool)
    seen_btt[:, torch.arange(width), torch.arange(width)] = True  # padding sees itself: softmax over nothing is NaN
    selected: list[tuple[int, int, int, int]] = []
    owner = 0
    for b, one in enumerate(asked):
        head = len(one.prefix)
        ids_bt[b, :head] = torch.tensor(one.prefix)
        positions_bt[b, :head] = torch.arange(head)
        seen_btt[b, :head, :head] = torch.ones(head, head, dtype=torch.bool).tril()
        start = head
        for ids in one.continuations:
            end = start + len(ids)
            ids_bt[b, start:end] = torch.tensor(ids)
            positions_bt[b, start:end] = torch.arange(head, head + len(ids))
            seen_btt[b, start:end, :head] = True
            seen_btt[b, start:end, start:end] = torch.ones(len(ids), len(ids), dtype=torch.bool).tril()
            before = [head - 1, *range(start, end - 1)]
            selected += [(b, t, token, owner) for t, token in zip(before, ids, strict=True)]
            owner += 1
            start = end
    mask = torch.zeros(seen_btt.shape, dtype=dtype).masked_fill(~seen_btt, torch.finfo(dtype).min)[:, None]
    rows_s, from_s, token_s, owner_s = (torch.tensor(column, dtype=torch.int64) for column in _columns(selected, 4))
    tensors = (ids_bt, positions_bt, mask, rows_s, from_s, token_s, owner_s)
    return Batch(*(tensor.to(device) for tensor in tensors))


def _columns(rows: Sequence[tuple[int, ...]], count: int) -> list[list[int]]:
    return [[row[i] for row in rows] for i in range(count)]
