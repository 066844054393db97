"""Work in batches of a token budget; running out of memory halves the budget and goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import torch

from d2b_gate.core.errors import EvaluationError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")

CPU_TOKENS = 4096
"""Padded tokens per batch on a CPU: past this, activations leave the cache and throughput falls."""
GPU_TOKENS = 32768
"""Padded tokens per batch on an accelerator; a 14B model in bfloat16 keeps its activations under a few GiB."""

_NO_MEMORY = ("can't allocate memory", "not enough memory", "MPS backend out of memory")
"""What torch says on Linux, on Windows and on macOS."""


class BatchRunner:
    """Runs ``step`` over all items in batches; remembers a budget that once proved too large."""

    def __init__(self, device: str) -> None:
        self.tokens = CPU_TOKENS if device == "cpu" else GPU_TOKENS

    def run(self, items: Sequence[T], length: Callable[[T], int], step: Callable[[list[int]], None]) -> None:
        """Call ``step`` with groups of indices until every item is done.

        Longest first, which keeps padding small; a group's padded size stays under the budget (one item always fits).

        Raises:
            EvaluationError: a single item does not fit into memory.
        """
        order = sorted(range(len(items)), key=lambda i: -length(items[i]))
        start = 0
        while start < len(order):
            longest = max(1, length(items[order[start]]))
            group = order[start : start + max(1, self.tokens // longest)]
            try:
                step(group)
            except RuntimeError as error:
                if not _out_of_memory(error):
                    raise
                self._halve(sum(length(items[i]) for i in group), single=len(group) == 1)
                continue
            start += len(group)

    def _halve(self, used: int, *, single: bool) -> None:
        if single:
            raise EvaluationError(
                f"out of memory on a single row of {used} tokens",
                remedy="lower model.max_length in the policy, or use a machine with more memory",
            )
        self.tokens = max(1, min(self.tokens, used) // 2)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def _out_of_memory(error: RuntimeError) -> bool:
    """Whether torch ran out of memory; the allocators of the CPU and of Apple's GPU have no exception of their own."""
    return isinstance(error, torch.OutOfMemoryError) or any(words in str(error) for words in _NO_MEMORY)
