"""The method, as naive as it can be written: one row at a time, plain loops, nothing batched, packed or cached.

The fast path must equal these functions. Names and formulas follow the paper (arXiv 2602.04735) and its gradient
variants: l is a decoder block, h a hidden state, v an additive vector after a block, g the gradient of a row's loss
with respect to v at zero.

An example is ``(token ids, positions of the tokens that the loss falls on)``. All results are float32 numpy arrays of
shape (blocks, width), or (rows, blocks, width).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray
    from torch import Tensor, nn
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    Example = tuple[Sequence[int], Sequence[int]]
    Weighted = tuple[Sequence[int], Sequence[int], float]

SINK = 4
"""Positions that a mean over tokens leaves out."""


# (a) MDF as published


def last_token_states(model: PreTrainedModel, examples: Iterable[Example]) -> NDArray[np.float32]:
    """h_l(x_i, last token) for every row i and block l."""
    return np.stack([hidden_states(model, ids)[:, -1] for ids, _ in examples])


def response_token_states(model: PreTrainedModel, examples: Iterable[Example]) -> NDArray[np.float32]:
    """Mean of h_l over the row's loss tokens past the sink; over all tokens past the sink where there are none."""
    rows = []
    for ids, targets in examples:
        kept = [t for t in targets if t >= SINK]
        if not kept:
            kept = [t for t in range(len(ids)) if t >= SINK]
        if not kept:
            kept = [len(ids) - 1]
        total = sum(hidden_states(model, ids)[:, t].astype(np.float64) for t in kept)
        rows.append((total / len(kept)).astype(np.float32))
    return np.stack(rows)


def mdf_signature(model: PreTrainedModel, examples: Sequence[Example]) -> NDArray[np.float32]:
    """h_l = (1/n) sum_i h_l(x_i, last token)."""
    total = np.zeros((len(blocks_of(model)), width_of(model)))
    for example in examples:
        total += last_token_states(model, [example])[0]
    return (total / len(examples)).astype(np.float32)


def mdf_injection(model: PreTrainedModel, examples: Sequence[Example], alpha: float) -> NDArray[np.float32]:
    """What MDF adds to every block's output: alpha * h_l."""
    return np.float32(alpha) * mdf_signature(model, examples)


# (b) MDF with activation gradients


def row_gradients(model: PreTrainedModel, examples: Iterable[Example]) -> NDArray[np.float32]:
    """g_i[l] = d loss_i / d v_l at v = 0, loss_i the mean over the row's loss tokens."""
    rows = []
    for ids, targets in examples:
        vectors = zero_vectors(model)
        loss = -token_log_probs(model, ids, targets, vectors).mean()
        rows.append(torch.stack(torch.autograd.grad(loss, vectors)).numpy())
    return np.stack(rows)


def mean_gradient(model: PreTrainedModel, examples: Sequence[Example]) -> NDArray[np.float32]:
    """G = (1/n) sum_i g_i."""
    total = np.zeros((len(blocks_of(model)), width_of(model)))
    for example in examples:
        total += row_gradients(model, [example])[0]
    return (total / len(examples)).astype(np.float32)


def preconditioned(gradient: NDArray[np.float32], preconditioner: str) -> NDArray[np.float32]:
    """P(G): "identity", or "sign" (what Adam's first step does)."""
    return {"identity": gradient, "sign": np.sign(gradient)}[preconditioner]


def gradient_injection(
    model: PreTrainedModel, examples: Sequence[Example], strength: float, preconditioner: str
) -> NDArray[np.float32]:
    """What is added to every block's output: -c * P(G)_l."""
    return np.float32(-strength) * preconditioned(mean_gradient(model, examples), preconditioner)


def first_order_shift(
    sensitivity: NDArray[np.float32], gradient: NDArray[np.float32], eta: float, preconditioner: str
) -> float:
    """Predicted shift of a behaviour s: -eta * <grad_v s, P(G)>."""
    total = 0.0
    for block in range(len(gradient)):
        for coordinate in range(gradient.shape[1]):
            pushed = float(preconditioned(gradient, preconditioner)[block, coordinate])
            total += float(sensitivity[block, coordinate]) * pushed
    return -eta * total


# (c) MDF with tuned vectors


def tuned_vectors(
    model: PreTrainedModel,
    steps: Iterable[Sequence[Weighted]],
    learning_rate: float,
    betas: tuple[float, float] = (0.9, 0.999),
    epsilon: float = 1e-8,
) -> NDArray[np.float32]:
    """Adam on v alone; a step's loss is the weighted mean over the loss tokens of its (ids, targets, weight)."""
    vectors = zero_vectors(model)
    adam = torch.optim.Adam(vectors, lr=learning_rate, betas=betas, eps=epsilon)
    for step in steps:
        numerator = torch.zeros(())
        denominator = 0.0
        for ids, targets, weight in step:
            for position in targets:
                numerator = numerator - weight * token_log_probs(model, ids, [position], vectors)[0]
                denominator += weight
        if denominator == 0:
            continue
        adam.zero_grad()
        (numerator / denominator).backward(inputs=vectors)
        adam.step()
    return torch.stack([vector.detach() for vector in vectors]).numpy()


# Reading a behaviour


def read(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    opening: str,
    continuations: Sequence[str],
    vectors: NDArray[np.float32] | None = None,
) -> list[float]:
    """Log p(continuation | opening) under a~_l = a_l + v_l, each continuation in a sequence of its own.

    ``opening`` ends where the continuation begins, the space between them belonging to the continuation.
    """
    start = tokenizer(opening, add_special_tokens=False)["input_ids"]
    scores = []
    for continuation in continuations:
        ids = tokenizer(opening + continuation, add_special_tokens=False)["input_ids"]
        assert ids[: len(start)] == start, "the tokenizer merges across the seam; no position separates the two"
        tensors = None if vectors is None else list(torch.from_numpy(vectors))
        with torch.no_grad():
            log_probs = token_log_probs(model, ids, range(len(start), len(ids)), tensors)
        scores.append(float(log_probs.double().sum()))
    return scores


def sensitivity(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    opening: str,
    continuations: Sequence[str],
    coefficients: Sequence[float],
) -> NDArray[np.float32]:
    """Gradient with respect to v, at zero, of sum_j c_j log p(continuation j)."""
    start = tokenizer(opening, add_special_tokens=False)["input_ids"]
    vectors = zero_vectors(model)
    total = torch.zeros(())
    for continuation, coefficient in zip(continuations, coefficients, strict=True):
        ids = tokenizer(opening + continuation, add_special_tokens=False)["input_ids"]
        total = total + coefficient * token_log_probs(model, ids, range(len(start), len(ids)), vectors).sum()
    return torch.stack(torch.autograd.grad(total, vectors)).numpy()


# The model, one sequence at a time


def blocks_of(model: PreTrainedModel) -> list[nn.Module]:
    """The decoder blocks of the architectures that the tests use."""
    if hasattr(model, "transformer"):
        return list(model.transformer.h)
    return list(getattr(model.model, "language_model", model.model).layers)


def width_of(model: PreTrainedModel) -> int:
    """Coordinates of a hidden state."""
    return model.config.get_text_config().hidden_size


def zero_vectors(model: PreTrainedModel) -> list[Tensor]:
    """One vector per block, all zero, that gradients flow to."""
    return [torch.zeros(width_of(model), requires_grad=True) for _ in blocks_of(model)]


def hidden_states(model: PreTrainedModel, ids: Sequence[int]) -> NDArray[np.float32]:
    """Every block's output, (blocks, time, width).

    ``output_hidden_states`` shows the last block's output only after the final norm, so that one comes from a hook.
    """
    seen: list[Tensor] = []
    handle = blocks_of(model)[-1].register_forward_hook(
        lambda _module, _inputs, output: seen.append(output[0] if isinstance(output, tuple) else output)
    )
    with torch.no_grad():
        output = model(torch.tensor([list(ids)]), output_hidden_states=True)
    handle.remove()
    inner = [hidden[0] for hidden in output.hidden_states[1:-1]]
    return torch.stack([*inner, seen[0][0]]).numpy()


def token_log_probs(
    model: PreTrainedModel, ids: Sequence[int], targets: Sequence[int], vectors: Sequence[Tensor] | None = None
) -> Tensor:
    """Log p of the tokens at ``targets`` given all before them, with ``vectors[l]`` added after block l."""
    handles = []
    for block, vector in zip(blocks_of(model), vectors or [], strict=vectors is not None):
        handles.append(block.register_forward_hook(_adding(vector)))
    logits = model(torch.tensor([list(ids)])).logits[0]
    for handle in handles:
        handle.remove()
    log_probs = torch.log_softmax(logits, dim=-1)
    return torch.stack([log_probs[position - 1, ids[position]] for position in targets])


def _adding(vector: Tensor):
    def hook(_module, _inputs, output):
        if isinstance(output, tuple):
            return (output[0] + vector, *output[1:])
        return output + vector

    return hook
