"""Work in batches of a token budget; running out of memory halves the budget and goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import torch

from d2b_gate.core.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")

CPU_TOKENS = 4096
"""Padded tokens per batch on a CPU: past this, activations leave the cache and throughput falls."""
GPU_TOKENS = 32768
"""Padded tokens per batch on an accelerator; a 14B model in bfloat16 keeps its activations under a few GiB."""

WORTH_A_PASS = 1 / 16
"""Share of the token budget that a pass should have before it is cheaper to begin another than to pad: smaller matrix
products leave the processor waiting (256 tokens on a CPU)."""
MOST_PADDING = 0.3
"""Share of padding in a row at which a pass that is worth it ends."""

_NO_MEMORY = ("can't allocate memory", "not enough memory", "MPS backend out of memory")
"""What torch says on Linux, on Windows and on macOS."""


class BatchRunner:
    """Runs ``step`` over all items in batches; remembers a budget that once proved too large."""

    def __init__(self, device: str) -> None:
        self.tokens = CPU_TOKENS if device == "cpu" else GPU_TOKENS

    def run(self, items: Sequence[T], length: Callable[[T], int], step: Callable[[list[int]], None]) -> None:
        """Call ``step`` with groups of indices until every item is done.

        Longest first; a group ends where its padded size would pass the budget (one item always fits), or where the
        next row would be mostly padding.

        Raises:
            UnavailableError: a single item does not fit into memory.
        """
        order = sorted(range(len(items)), key=lambda i: -length(items[i]))
        start = 0
        while start < len(order):
            group = self._group([(i, max(1, length(items[i]))) for i in order[start : start + self.tokens]])
            try:
                step(group)
            except RuntimeError as error:
                if not _out_of_memory(error):
                    raise
                self._halve(sum(length(items[i]) for i in group), single=len(group) == 1)
                continue
            start += len(group)

    def _group(self, candidates: Sequence[tuple[int, int]]) -> list[int]:
        """Take indices off the front of (index, length) pairs, longest first."""
        longest = candidates[0][1]
        group: list[int] = []
        for index, size in candidates:
            worth = longest * len(group) >= WORTH_A_PASS * self.tokens
            if group and (longest * (len(group) + 1) > self.tokens or (worth and size < (1 - MOST_PADDING) * longest)):
                break
            group.append(index)
        return group

    def _halve(self, used: int, *, single: bool) -> None:
        if single:
            raise UnavailableError(
                f"out of memory on a single row of {used} tokens",
                remedy="lower model.max_length in the policy, or use a machine with more memory",
            )
        self.tokens = max(1, min(self.tokens, used) // 2)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def _out_of_memory(error: RuntimeError) -> bool:
    """Whether torch ran out of memory; the allocators of the CPU and of Apple's GPU have no exception of their own."""
    return isinstance(error, torch.OutOfMemoryError) or any(words in str(error) for words in _NO_MEMORY)
