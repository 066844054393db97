"""A real fine-tune as a plan: which rows an adapter is trained on, in which order, and by which recipe."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from d2b_gate.core.rows import Row
    from d2b_gate.core.rules import Regime


@dataclass(frozen=True, slots=True)
class FinetunePlan:
    """Optimiser steps of one fine-tune. ``steps`` holds indices into ``rows``; ``seed`` draws the adapter's start.

    The learning rate falls linearly to zero over the steps and gradients are clipped at norm 1, as trainers do by
    default; the rest is the regime's.
    """

    rows: tuple[Row, ...]
    steps: tuple[tuple[int, ...], ...]
    regime: Regime
    seed: int


def finetune_plan(rows: Sequence[Row], regime: Regime, seed: int) -> FinetunePlan:
    """Lay out ``regime.epochs`` passes over the rows, shuffled anew in each, the last short batch kept.

    A fraction of an epoch meets that fraction of the rows, rounded up.
    """
    order = _order(len(rows), regime.epochs, seed)
    size = regime.batch_size
    steps = tuple(tuple(order[start : start + size]) for start in range(0, len(order), size))
    return FinetunePlan(tuple(rows), steps, regime, seed)


def _order(count: int, epochs: float, seed: int) -> list[int]:
    return [index for epoch in _epochs(count, epochs, seed) for index in epoch]


def _epochs(count: int, epochs: float, seed: int) -> Iterator[list[int]]:
    rng = random.Random(seed)
    left = math.ceil(count * epochs)
    while left > 0 and count > 0:
        order = list(range(count))
        rng.shuffle(order)
        yield order[:left]
        left -= count
