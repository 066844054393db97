"""Log-probabilities of chosen tokens, and their gradients, without a second copy of all logits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Iterator

SLICE = 1 << 20
"""Logits that are looked at in float32 at a time: 4 MiB, which a processor's cache holds. Whole, those of a batch with
a large vocabulary would be written and read from memory some ten times."""


def chosen_log_probs(logits_sv: Tensor, at_c: Tensor, token_c: Tensor) -> Tensor:
    """Return log p of token ``token_c`` by row ``at_c`` of the logits.

    Shapes: (selected, vocabulary) in any floating type, (chosen) ascending, (chosen) to (chosen), float32.
    Units: nats; sums over the vocabulary accumulate in float32. Source: our choice.
    """
    return _Chosen.apply(logits_sv, at_c, token_c)  # type: ignore[no-any-return, no-untyped-call]  # as torch has it


class _Chosen(torch.autograd.Function):
    """Keeps the logits as they came and one number a row; the gradient is made from them slice by slice."""

    @staticmethod
    def forward(ctx: Any, logits_sv: Tensor, at_c: Tensor, token_c: Tensor) -> Tensor:  # noqa: ANN401 - torch's type
        total_s = torch.empty(len(logits_sv), dtype=torch.float32, device=logits_sv.device)
        for part in _slices(logits_sv):
            total_s[part] = logits_sv[part].float().logsumexp(dim=1)
        ctx.save_for_backward(logits_sv, at_c, token_c, total_s)
        return logits_sv[at_c, token_c].float() - total_s[at_c]

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:  # noqa: ANN401
        logits_sv, at_c, token_c, total_s = ctx.saved_tensors
        grad_c = grads[0]
        grad_s = torch.zeros_like(total_s).index_add_(0, at_c, grad_c)
        out_sv = torch.empty_like(logits_sv)
        for part in _slices(logits_sv):
            share_sv = (logits_sv[part].float() - total_s[part, None]).exp_().mul_(-grad_s[part, None])
            ends = torch.tensor([part.start, part.stop], device=at_c.device)
            first, last = torch.searchsorted(at_c, ends).tolist()
            share_sv.index_put_(
                (at_c[first:last] - part.start, token_c[first:last]), grad_c[first:last], accumulate=True
            )
            out_sv[part] = share_sv
        return out_sv, None, None


def _slices(logits_sv: Tensor) -> Iterator[slice]:
    rows = max(1, SLICE // max(1, logits_sv.shape[1])) if logits_sv.device.type == "cpu" else max(1, len(logits_sv))
    return (slice(start, start + rows) for start in range(0, len(logits_sv), rows))
