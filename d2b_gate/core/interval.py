"""Intervals over prompts and replicates (paired bootstrap) and adjusted p-values."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

RESAMPLES = 1000
"""Bootstrap resamples: the Monte Carlo error of a 95 % bound is then about 2 % of the interval's width."""

Table = tuple[tuple[float, ...], ...]
"""values[replicate][prompt]."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over replicates and prompts, its percentile interval and its standard error."""

    mean: float
    low: float
    high: float
    error: float


def estimate(values: Table, confidence: float, seed: int) -> Estimate:
    """Bootstrap the mean over prompts and replicates together.

    Prompts are resampled as one set for all replicates, because they are the same prompts; replicates are resampled
    besides. A pair of before and after is resampled as one when ``values`` holds differences. A bootstrap of n is too
    narrow by sqrt(n / (n - 1)), so the part of a deviation that comes from replicates and the part that comes from
    prompts are each widened by their own factor.
    """
    row_means = [_mean(row) for row in values]
    mean = _mean(row_means)
    replicates, prompts = len(values), len(values[0])
    wider = {count: math.sqrt(count / max(1, count - 1)) for count in (replicates, prompts)}
    means: list[float] = []
    for rows, picked in _resamples(seed, replicates, prompts):
        of_rows = _mean([row_means[row] for row in rows])
        of_both = _mean([_mean([values[row][i] for i in picked]) for row in rows])
        means.append(mean + wider[replicates] * (of_rows - mean) + wider[prompts] * (of_both - of_rows))
    means.sort()
    tail = (1 - confidence) / 2
    centre = _mean(means)
    error = math.sqrt(_mean([(value - centre) ** 2 for value in means]))
    return Estimate(mean, _percentile(means, tail), _percentile(means, 1 - tail), error)


@lru_cache(maxsize=8)
def _resamples(seed: int, replicates: int, prompts: int) -> tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]:
    """Which replicates and prompts each resample holds: the same for every table of a size, so drawn once."""
    rng = random.Random(seed)
    return tuple(
        (tuple(rng.choices(range(replicates), k=replicates)), tuple(rng.choices(range(prompts), k=prompts)))
        for _ in range(RESAMPLES)
    )


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Holm's step-down adjustment, in the order given. Source: Holm 1979."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted = [0.0] * len(p_values)
    running = 0.0
    for rank, i in enumerate(order):
        running = max(running, min(1.0, p_values[i] * (len(p_values) - rank)))
        adjusted[i] = running
    return tuple(adjusted)


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _percentile(ordered: Sequence[float], share: float) -> float:
    """Linear interpolation between order statistics."""
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])
