"""From a predicted shift to the shift to expect after training, with its error: fitted on real fine-tunes, pure."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from statistics import NormalDist, median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

FEWEST = 6
"""Trainings that a line needs; with fewer there is no telling its noise."""
SHRINKAGE = 2.0
"""How many typical trainings the pooled slope of a unit counts for in the slope of one behaviour."""
MAD = 1.4826
"""What turns a median absolute deviation into a standard deviation of a normal distribution."""
COVERED = 0.90
"""Coverage at which the width of intervals is set from the residuals."""
NARROWEST = 0.5
"""Least widening: residuals of few trainings may look better than they are."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One behaviour of one training: what was predicted and what came, in the probe's unit."""

    behaviour: str
    unit: str
    source: str  # rows of one source are predicted without the other rows of that source when errors are measured
    predicted: float
    true: float


@dataclass(frozen=True, slots=True)
class Line:
    """Expected true shift = ``slope`` * predicted; its standard error is noise and relative error joined.

    ``noise`` (in the probe's unit) is what remains where nothing much is predicted, ``relative`` what grows with the
    expected shift; ``widening`` brings intervals to their nominal coverage on trainings of other sources.
    """

    slope: float
    noise: float
    relative: float
    widening: float
    trainings: int

    def expected(self, predicted: float) -> float:
        """The true shift to expect."""
        return self.slope * predicted

    def error(self, predicted: float) -> float:
        """Standard error of the expected shift, widening included."""
        return self.widening * math.hypot(self.noise, self.relative * self.expected(predicted))

    def floor(self, confidence: float) -> float:
        """Noise floor: a training that shifts nothing is predicted under it, in size, at this confidence."""
        return NormalDist().inv_cdf(0.5 + confidence / 2) * self.widening * self.noise


def fit(pairs: Sequence[Pair]) -> dict[str, Line]:
    """Fit one line per behaviour that has enough trainings.

    The slope is least squares through the origin, shrunk towards that of all behaviours of the unit. Errors are
    measured on sources left out of the slope. Source: our choice.
    """
    by_behaviour = _grouped(pairs, lambda pair: pair.behaviour)
    pooled = {unit: _slope(group, 1.0, 0.0) for unit, group in _grouped(pairs, lambda pair: pair.unit).items()}
    lines: dict[str, Line] = {}
    for behaviour, group in by_behaviour.items():
        if len(group) >= FEWEST:
            lines[behaviour] = _line(group, pooled[group[0].unit])
    return lines


def _line(group: Sequence[Pair], pooled: float) -> Line:
    typical = SHRINKAGE * median(pair.predicted**2 for pair in group)
    slope = _slope(group, pooled, typical)
    left_out = [(pair, _slope([one for one in group if one.source != pair.source], pooled, typical)) for pair in group]
    residuals = [(own * pair.predicted, pair.true - own * pair.predicted) for pair, own in left_out]
    noise = _noise(residuals)
    relative = _relative(residuals, noise)
    widening = _widening(residuals, noise, relative)
    return Line(slope, noise, relative, widening, len(group))


def _slope(group: Iterable[Pair], pooled: float, weight: float) -> float:
    """Least squares through the origin, with ``weight`` squared units of evidence for the pooled slope."""
    pairs = list(group)
    evidence = math.fsum(pair.predicted**2 for pair in pairs) + weight
    if evidence <= 0:
        return pooled
    return (math.fsum(pair.predicted * pair.true for pair in pairs) + weight * pooled) / evidence


def _noise(residuals: Sequence[tuple[float, float]]) -> float:
    """Spread of the residuals of the half of the trainings of which least is predicted."""
    calm = sorted(residuals, key=lambda one: abs(one[0]))[: max(FEWEST // 2, math.ceil(len(residuals) / 2))]
    spread = MAD * median(abs(residual) for _, residual in calm)
    root = math.sqrt(math.fsum(residual**2 for _, residual in calm) / len(calm))
    return max(spread, root / 2, 1e-9)


def _relative(residuals: Sequence[tuple[float, float]], noise: float) -> float:
    """What of the residuals of clear shifts the noise does not explain, as a share of the expected shift."""
    ratios = [
        math.sqrt(max(0.0, residual**2 - noise**2)) / abs(expected)
        for expected, residual in residuals
        if abs(expected) > 2 * noise
    ]
    return MAD * median(ratios) if ratios else 0.0


def _widening(residuals: Sequence[tuple[float, float]], noise: float, relative: float) -> float:
    """Scale of the errors at which the nominal share of residuals lies inside."""
    scaled = sorted(abs(residual) / math.hypot(noise, relative * expected) for expected, residual in residuals)
    rank = min(len(scaled), math.ceil(COVERED * (len(scaled) + 1)))  # split conformal: one more than there are
    return max(NARROWEST, scaled[rank - 1] / NormalDist().inv_cdf(0.5 + COVERED / 2))


def _grouped(pairs: Sequence[Pair], key: Callable[[Pair], str]) -> Mapping[str, list[Pair]]:
    groups: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        groups[key(pair)].append(pair)
    return groups
