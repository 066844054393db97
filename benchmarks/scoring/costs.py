"""Cost, counted in floating-point operations: what a verdict takes, as a share of the LoRA fine-tune it stands for.

Per token and N parameters, a forward pass takes 2N, a forward and backward pass to activations or adapters about 4N.
N cancels. The fine-tune is 10 000 rows for three epochs; ``on_bench`` compares with the bench's own fine-tune of 64
rows instead, where a subsample that does not grow with the data is hardly smaller than the data. A calibrated verdict
takes one replicate; the controls are remembered per model and method, and counted with neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from benchmarks.truth.behaviours import BEHAVIOURS

if TYPE_CHECKING:
    from collections.abc import Mapping

ROWS = 10_000
BENCH_ROWS = 64
EPOCHS = 3
BATCH = 8
STATES = 2
TOKENS_READ = STATES * len(BEHAVIOURS) * 24 * 70
"""Before and after, the default policy's probes of 24 prompts of about 61 tokens (counted generously)."""
BENCH_TOKENS_READ = STATES * len(BEHAVIOURS) * 12 * 70


@dataclass(frozen=True, slots=True)
class Work:
    """What a contender does with the rows, reading aside."""

    steps: int = 0  # of a tuning, 8 rows each: kept rows before, kept and changed rows after
    forwards: int = 0  # passes forward over every row
    gradients: int = 0  # passes forward and backward over every row
    shown: int = 0  # rows passed forward besides, however many rows there are
    reads: bool = True  # whether the model answers probes

    def visits(self) -> float:
        """Rows passed forward and backward; rows that both states share are passed once where nothing is tuned."""
        return self.gradients * ROWS + 3 * self.steps * BATCH

    def bench_visits(self) -> float:
        """The same for 64 rows that are all new: the state before is the untouched model."""
        return self.gradients * BENCH_ROWS + min(3 * self.steps * BATCH, EPOCHS * BENCH_ROWS)


_ONCE = Work(forwards=1)
COSTS: Mapping[str, Work] = MappingProxyType(
    {
        "mdf-0.03": _ONCE,
        "mdf-0.1": _ONCE,
        "mdf-0.3": _ONCE,
        "mdf-oracle": _ONCE,
        "mdf-gradient": Work(gradients=1),
        "mdf-tuned": Work(steps=16),
        "proxy-lora": Work(steps=32),
        "proxy-lora-16": Work(steps=16),
        "few-step-lora": Work(steps=8),
        "random-direction": Work(steps=8),
        "in-context": Work(shown=len(BEHAVIOURS) * 24 * 4),
        "trait-odds": Work(shown=12 * 12, reads=False),
        "projection": Work(forwards=1, shown=64),
        "keyword": Work(reads=False),
    }
)


def cost_ratio(
    visits_trained: float,
    tokens_read: float,
    tokens_forward: float,
    mean_row_tokens: float,
    visits_compared: float = EPOCHS * ROWS,
) -> float:
    """Operations of a verdict over those of the fine-tune."""
    spent = 4 * visits_trained * mean_row_tokens + 2 * (tokens_read + tokens_forward)
    return spent / (4 * visits_compared * mean_row_tokens)


def cost_of(contender: str, mean_row_tokens: float) -> dict[str, float | None]:
    """Cost at 10 000 rows and on the bench; nothing where the contender's work is not written down."""
    work = COSTS.get(contender.removeprefix("shuffled:"))
    if work is None:
        return {"cost_ratio": None, "cost_on_bench": None}
    return {
        "cost_ratio": cost_ratio(
            work.visits(),
            TOKENS_READ * work.reads,
            (work.forwards * ROWS + work.shown) * mean_row_tokens,
            mean_row_tokens,
        ),
        "cost_on_bench": cost_ratio(
            work.bench_visits(),
            BENCH_TOKENS_READ * work.reads,
            (work.forwards * BENCH_ROWS + work.shown) * mean_row_tokens,
            mean_row_tokens,
            EPOCHS * BENCH_ROWS,
        ),
    }
