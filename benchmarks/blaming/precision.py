"""Precision at k of a ranking, and its mean over sets, pure."""

from __future__ import annotations

import random
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

RESAMPLES = 2000
SEED = 0


def places(scores: Sequence[float], planted: Sequence[bool]) -> list[float]:
    """Place of every planted row, 1 for the largest score; rows of equal score share their mean place."""
    found: list[float] = []
    for score, flag in zip(scores, planted, strict=True):
        if flag:
            above = sum(other > score for other in scores)
            alike = sum(other == score for other in scores)
            found.append(above + (alike + 1) / 2)
    return sorted(found)


def precision(scores: Sequence[float], planted: Sequence[bool]) -> float:
    """Expected share of planted rows among the k best, k being how many were planted; ties are broken at random."""
    k = sum(planted)
    if not k:
        raise ValueError("nothing was planted")
    least = sorted(scores, reverse=True)[k - 1]
    above = sum(flag for score, flag in zip(scores, planted, strict=True) if score > least)
    alike = [flag for score, flag in zip(scores, planted, strict=True) if score == least]
    seats = k - sum(score > least for score in scores)
    return (above + seats * sum(alike) / len(alike)) / k


@dataclass(frozen=True, slots=True)
class Mean:
    """Mean over sets with the 95 % percentile interval of a bootstrap over sets."""

    value: float
    low: float
    high: float
    n: int


def mean_of(values: Sequence[float]) -> Mean:
    """Mean of at least one value.

    Raises:
        ValueError: no value.
    """
    if not values:
        raise ValueError("no set to average over")
    rng = random.Random(SEED)
    means = sorted(fmean(rng.choices(values, k=len(values))) for _ in range(RESAMPLES))
    return Mean(fmean(values), means[int(0.025 * RESAMPLES)], means[int(0.975 * RESAMPLES) - 1], len(values))
