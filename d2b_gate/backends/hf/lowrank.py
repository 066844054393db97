"""A low-rank update beside a frozen linear layer, with no more copies and casts than its algebra needs."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


@dataclass(frozen=True, slots=True)
class Update:
    """``W x + scale * B A x`` for one layer. Shapes: ``down`` is A (rank, in), ``up`` is B (out, rank); any dtype."""

    layer: nn.Module
    down: Tensor
    up: Tensor


@contextmanager
def updating(updates: Sequence[Update], scale: float, dtype: torch.dtype) -> Iterator[None]:
    """Add the updates to the outputs of their layers; gradients reach A and B in the dtype that these have.

    The products are taken in ``dtype``, the model's, as mixed precision does; A and B are cast once for all of a pass.
    Source: LoRA, arXiv 2106.09685.
    """
    with ExitStack() as stack:
        for one in updates:
            hook = _hook_of(one.down.to(dtype), one.up.to(dtype), scale)
            stack.callback(one.layer.register_forward_hook(hook).remove)
        yield


def _hook_of(down: Tensor, up: Tensor, scale: float) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], Tensor]:
    def hook(_module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        added: Tensor = _Added.apply(output, inputs[0].to(down), down, up, scale)  # type: ignore[no-untyped-call]
        return added

    return hook


class _Added(torch.autograd.Function):
    """y + scale * (x A^T) B^T in one product that accumulates onto y; the gradient to y is the incoming one, uncopied.

    Shapes: y (..., out), x (..., in), A (rank, in), B (out, rank).
    """

    @staticmethod
    def forward(ctx: Any, y: Tensor, x: Tensor, down: Tensor, up: Tensor, scale: float) -> Tensor:  # noqa: ANN401
        inner_nr = x.reshape(-1, x.shape[-1]) @ down.t()
        ctx.save_for_backward(x, inner_nr, down, up)
        ctx.scale = scale
        return torch.addmm(y.reshape(-1, y.shape[-1]), inner_nr, up.t(), alpha=scale).view(y.shape)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        x, inner_nr, down, up = ctx.saved_tensors
        grad_no = grads[0].reshape(-1, grads[0].shape[-1])
        back_nr = (grad_no @ up).mul_(ctx.scale)
        grad_x = (back_nr @ down).view(x.shape) if ctx.needs_input_grad[1] else None
        grad_down = back_nr.t() @ x.reshape(-1, x.shape[-1])
        grad_up = (grad_no.t() @ inner_nr).mul_(ctx.scale)
        return grads[0], grad_x, grad_down, grad_up, None
