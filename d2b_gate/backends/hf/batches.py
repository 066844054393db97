"""Token ids to padded batches; trees of prompts to the masks that keep branches from seeing each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from d2b_gate.backends.hf.encode import Encoded
    from d2b_gate.backends.hf.packing import Tree


@dataclass(frozen=True, slots=True)
class Batch:
    """A padded batch, the positions whose logits are read, and the tokens that they are read for.

    Shapes: ``ids_bt``, ``positions_bt`` int64 (batch, time), the latter None where the model counts; ``mask`` is int64
    (batch, time), or float (batch, 1, time, time) to be added to attention scores for trees. ``rows_s`` and ``from_s``
    are int64 (selected): the logits of row ``rows_s`` at position ``from_s`` are wanted. ``at_c`` and ``token_c`` are
    int64 (chosen): how likely token ``token_c`` is by the ``at_c``-th of those logits; ``at_c`` ascends. ``owner_c``
    numbers what a chosen token belongs to: the row of the batch, or the place of a continuation among all of the
    batch's.
    """

    ids_bt: Tensor
    positions_bt: Tensor | None
    mask: Tensor
    rows_s: Tensor
    from_s: Tensor
    at_c: Tensor
    token_c: Tensor
    owner_c: Tensor


def row_batch(rows: Sequence[Encoded], pad: int, device: torch.device) -> Batch:
    """Pad rows on the right; the chosen tokens are the loss tokens."""
    ids_bt, mask_bt = _padded([row.ids for row in rows], pad)
    chosen = [(b, t - 1, row.ids[t]) for b, row in enumerate(rows) for t in row.targets]
    rows_s, from_s, token_c = (torch.tensor(column, dtype=torch.int64) for column in _columns(chosen, 3))
    positions_bt = torch.arange(ids_bt.shape[1]).expand(ids_bt.shape)
    tensors = (ids_bt, positions_bt, mask_bt, rows_s, from_s, torch.arange(len(chosen)), token_c, rows_s.clone())
    return Batch(*(tensor.to(device) for tensor in tensors))


def tree_batch(trees: Sequence[Tree], pad: int, device: torch.device, dtype: torch.dtype) -> Batch:
    """Lay one tree of prompts in each row; a token attends to itself and to what leads to it.

    So the log-probability of a continuation equals that of a sequence of its own. Owners are numbered tree by tree, in
    a tree by prompt and continuation, as `owners` lists them.
    """
    width = max(len(tree.ids) for tree in trees)
    ids_bt = torch.full((len(trees), width), pad)
    positions_bt = torch.zeros((len(trees), width), dtype=torch.int64)
    seen_btt = torch.eye(width, dtype=torch.bool).repeat(len(trees), 1, 1)  # padding sees itself: softmax over nothing
    for b, tree in enumerate(trees):
        ids_bt[b, : len(tree.ids)] = torch.tensor(tree.ids)
        positions_bt[b, : len(tree.ids)] = torch.tensor(tree.positions)
        for node, parent in enumerate(tree.parents):
            if parent >= 0:
                seen_btt[b, node] |= seen_btt[b, parent]
    mask = torch.zeros(seen_btt.shape, dtype=dtype).masked_fill(~seen_btt, torch.finfo(dtype).min)[:, None]
    tensors = (ids_bt, positions_bt, mask, *_read_at(trees))
    return Batch(*(tensor.to(device) for tensor in tensors))


def path_batch(paths: Sequence[Tree], pad: int, device: torch.device) -> Batch:
    """Lay one tree without branches in each row, padded on the right: nothing that any causal model would not take.

    Owners are numbered as in `tree_batch`.
    """
    ids_bt, mask_bt = _padded([path.ids for path in paths], pad)
    read = (tensor.to(device) for tensor in _read_at(paths))
    return Batch(ids_bt.to(device), None, mask_bt.to(device), *read)


def owners(trees: Sequence[Tree]) -> list[tuple[int, int, int]]:
    """The continuations of a batch in the order of their numbers: (tree, prompt, continuation)."""
    return sorted({(b, read[2], read[3]) for b, tree in enumerate(trees) for read in tree.reads})


def _padded(sequences: Sequence[Sequence[int]], pad: int) -> tuple[Tensor, Tensor]:
    """Tokens padded on the right, and which of them are no padding. Shapes: two int64 (batch, time)."""
    width = max(len(ids) for ids in sequences)
    ids_bt = torch.full((len(sequences), width), pad)
    mask_bt = torch.zeros((len(sequences), width), dtype=torch.int64)
    for b, ids in enumerate(sequences):
        ids_bt[b, : len(ids)] = torch.tensor(ids)
        mask_bt[b, : len(ids)] = 1
    return ids_bt, mask_bt


def _read_at(trees: Sequence[Tree]) -> tuple[Tensor, ...]:
    """``rows_s``, ``from_s``, ``at_c``, ``token_c`` and ``owner_c`` of a batch of trees."""
    number = {owner: place for place, owner in enumerate(owners(trees))}
    wanted = sorted({(b, read[0]) for b, tree in enumerate(trees) for read in tree.reads})
    place = {where: s for s, where in enumerate(wanted)}
    chosen = sorted(
        (place[b, parent], token, number[b, prompt, continuation])
        for b, tree in enumerate(trees)
        for parent, token, prompt, continuation in tree.reads
    )
    columns = (*_columns(wanted, 2), *_columns(chosen, 3))
    return tuple(torch.tensor(column, dtype=torch.int64) for column in columns)


def _columns(rows: Sequence[tuple[int, ...]], count: int) -> list[list[int]]:
    return [[row[i] for row in rows] for i in range(count)]
