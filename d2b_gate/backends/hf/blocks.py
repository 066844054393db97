"""Which modules of a model are its decoder blocks, and what their outputs look like."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from d2b_gate.core.errors import EvaluationError

if TYPE_CHECKING:
    from collections.abc import Sequence


def decoder_blocks(model: nn.Module, count: int) -> Sequence[nn.Module]:
    """Return the model's ``count`` decoder blocks, first to last.

    The text decoder is the ModuleList of exactly that length with the shortest dotted name; towers for other
    modalities sit deeper or have another length.

    Raises:
        EvaluationError: no module list has that length.
    """
    lists = [
        (name.count("."), name, module)
        for name, module in model.named_modules()
        if isinstance(module, nn.ModuleList) and len(module) == count
    ]
    if not lists:
        raise EvaluationError(
            f"found no list of {count} decoder blocks in {type(model).__name__}",
            remedy="this architecture is not supported; please report it with the model's config.json",
        )
    return list(min(lists, key=lambda entry: entry[:2])[2])


def hidden_of(output: object) -> Tensor:
    """Return the hidden states of a block's output, which is a tensor or a tuple that begins with one."""
    hidden = output[0] if isinstance(output, tuple) else output
    if not isinstance(hidden, Tensor):
        raise EvaluationError(f"a decoder block returned {type(hidden).__name__}, not hidden states")
    return hidden


def with_hidden(output: object, hidden_btd: Tensor) -> object:
    """Return the block's output with other hidden states; the original is left as it is."""
    return (hidden_btd, *output[1:]) if isinstance(output, tuple) else hidden_btd
