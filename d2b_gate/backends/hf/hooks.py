"""Reading and writing hidden states through forward hooks of our own; every handle is removed whatever happens."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from d2b_gate.backends.hf.blocks import hidden_of, with_hidden

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from torch import Tensor, nn


class _Stop(Exception):  # noqa: N818 - a signal, not an error
    """Ends a forward pass once the deepest wanted block has been seen."""


@contextmanager
def capturing(
    blocks: Sequence[nn.Module], keep: Callable[[int, Tensor], None], wanted: Collection[int]
) -> Iterator[None]:
    """Hand the output of the wanted blocks to ``keep(block, h_btd)`` and end the forward pass after the deepest.

    The body of the ``with`` runs one forward pass; code after that pass inside the body does not run.
    """
    last = max(wanted)

    def hook_of(block: int) -> Callable[[nn.Module, object, object], None]:
        def hook(_module: nn.Module, _inputs: object, output: object) -> None:
            keep(block, hidden_of(output))
            if block == last:
                raise _Stop

        return hook

    with ExitStack() as stack:
        for block in wanted:
            stack.callback(blocks[block].register_forward_hook(hook_of(block)).remove)
        try:
            yield
        except _Stop:
            return


@contextmanager
def injecting(blocks: Sequence[nn.Module], vectors: Mapping[int, Tensor]) -> Iterator[None]:
    """Add ``vectors[block]`` to that block's output at every position.

    Shapes: each vector is (width), or (batch, 1, width) for one vector per row. With no vectors the model is untouched.
    Source: MDF (arXiv 2602.04735), injection a~_l = a_l + alpha * h_l.
    """

    def hook_of(vector: Tensor) -> Callable[[nn.Module, object, object], object]:
        def hook(_module: nn.Module, _inputs: object, output: object) -> object:
            hidden_btd = hidden_of(output)
            return with_hidden(output, hidden_btd + vector.to(hidden_btd))

        return hook

    with ExitStack() as stack:
        for block, vector in vectors.items():
            stack.callback(blocks[block].register_forward_hook(hook_of(vector)).remove)
        yield


@contextmanager
def selecting(head: nn.Module, rows: Tensor, positions: Tensor) -> Iterator[None]:
    """Let the language-model head see only the positions that are read, as one row of (1, selected, width).

    The head is the most expensive layer of a small model; all but a few of its logits would be thrown away. What a
    model does to its logits afterwards (scaling, soft-capping) is elementwise and so unaffected.
    Shapes: ``rows`` and ``positions`` are int64 (selected).
    """

    def hook(_module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        hidden_btd = inputs[0]
        return (hidden_btd[rows.to(hidden_btd.device), positions.to(hidden_btd.device)][None], *inputs[1:])

    handle = head.register_forward_pre_hook(hook)
    try:
        yield
    finally:
        handle.remove()
