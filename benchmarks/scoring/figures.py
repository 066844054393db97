"""Figures of merit, pure: correlations, detection, and intervals of rates."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any

from d2b_gate.core.wilson import wilson

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

RESAMPLES = 2000
SEED = 0


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of cases."""

    hits: int
    n: int

    @property
    def share(self) -> float | None:
        """The share; nothing where there is no case."""
        return self.hits / self.n if self.n else None

    @property
    def wilson(self) -> tuple[float, float] | None:
        """95 % interval. Source: Wilson 1927."""
        return wilson(self.hits, self.n, 0.95) if self.n else None


def rate(cases: Iterable[bool]) -> Rate:
    """Count the cases that hold."""
    flags = list(cases)
    return Rate(sum(flags), len(flags))


def pearson(predicted: Sequence[float], true: Sequence[float]) -> float | None:
    """Correlation; 0 where every prediction is the same, nothing where truth is, or with fewer than three pairs."""
    if len(true) < 3:
        return None
    x_mean, y_mean = fmean(predicted), fmean(true)
    x_square = math.fsum((x - x_mean) ** 2 for x in predicted)
    y_square = math.fsum((y - y_mean) ** 2 for y in true)
    if y_square <= 0:
        return None
    if x_square <= 0:
        return 0.0
    return math.fsum((x - x_mean) * (y - y_mean) for x, y in zip(predicted, true, strict=True)) / math.sqrt(
        x_square * y_square
    )


def spearman(predicted: Sequence[float], true: Sequence[float]) -> float | None:
    """Rank correlation, ties at their mean rank."""
    return pearson(ranks(predicted), ranks(true))


def ranks(values: Sequence[float]) -> list[float]:
    """Ranks from 1, ties at their mean rank."""
    order = sorted(range(len(values)), key=values.__getitem__)
    found = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end + 1 < len(order) and values[order[end + 1]] == values[order[start]]:
            end += 1
        for place in order[start : end + 1]:
            found[place] = (start + end) / 2 + 1
        start = end + 1
    return found


def auroc(scores: Sequence[float], positive: Sequence[bool]) -> float | None:
    """Chance that a positive case scores above a negative one, ties counted half."""
    hits = sum(positive)
    misses = len(positive) - hits
    if not hits or not misses:
        return None
    above = math.fsum(rank for rank, flag in zip(ranks(scores), positive, strict=True) if flag)
    return (above - hits * (hits + 1) / 2) / (hits * misses)


def threshold(nulls: Sequence[float], false_positives: float) -> float | None:
    """Lowest score of a null reading that at most this share of null readings exceeds."""
    if not nulls:
        return None
    allowed = math.floor(false_positives * len(nulls) + 1e-9)
    return sorted(nulls)[len(nulls) - 1 - allowed]


def cluster_bootstrap(cases: Sequence[tuple[str, bool]]) -> tuple[float, float] | None:
    """95 % percentile interval of a share when whole sources are drawn anew, not single cases."""
    clusters: dict[str, list[bool]] = {}
    for source, flag in cases:
        clusters.setdefault(source, []).append(flag)
    if not clusters:
        return None
    counts = [(sum(flags), len(flags)) for _, flags in sorted(clusters.items())]
    rng = random.Random(SEED)
    shares = sorted(_share(rng.choices(counts, k=len(counts))) for _ in range(RESAMPLES))
    return shares[int(0.025 * RESAMPLES)], shares[int(0.975 * RESAMPLES) - 1]


def _share(counts: Sequence[tuple[int, int]]) -> float:
    return sum(hits for hits, _ in counts) / sum(n for _, n in counts)


def mean_known(values: Iterable[float | None]) -> float | None:
    """Mean of the values there are."""
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def rounded(record: Mapping[str, Any]) -> dict[str, Any]:
    """Round every number in a record to four decimals."""
    return {key: _rounded(value) for key, value in record.items()}


def _rounded(value: object) -> object:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return rounded(value)
    return [_rounded(one) for one in value] if isinstance(value, list | tuple) else value


def best(values: Mapping[str, Sequence[float | None]], lowest: frozenset[str]) -> dict[str, float | None]:
    """Best known value of every figure: the lowest of those named, the highest of the others."""
    found: dict[str, float | None] = {}
    for name, several in values.items():
        known = [value for value in several if value is not None]
        found[name] = (min(known) if name in lowest else max(known)) if known else None
    return found
