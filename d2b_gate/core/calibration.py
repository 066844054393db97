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
"""Sources that a line needs; with fewer there is no telling its noise."""
SURE = 1.645
"""Standard errors by which a slope must stand above zero: one-sided 95 %."""
SHRINKAGE = 2.0
"""How many typical trainings the pooled slope of a unit counts for in the slope of one behaviour."""
MAD = 1.4826
"""What turns a median absolute deviation into a standard deviation of a normal distribution."""
COVERED = 0.90
"""Coverage at which the width of intervals is set from the residuals."""
NARROWEST = 0.8
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
    """Expected true shift = ``slope`` * predicted; its standard error joins noise, relative error and the slope's own.

    ``noise`` (in the probe's unit) is what remains where nothing much is predicted, ``relative`` what grows with the
    expected shift, ``slope_error`` what grows with the predicted one, so that a line says little far from where it was
    fitted; ``widening`` brings intervals to their nominal coverage on trainings of other sources.
    """

    slope: float
    slope_error: float
    noise: float
    relative: float
    widening: float
    sources: int
    trainings: int

    def expected(self, predicted: float) -> float:
        """The true shift to expect."""
        return self.slope * predicted

    def error(self, predicted: float) -> float:
        """Standard error of the expected shift, widening included."""
        spread = math.hypot(self.noise, self.relative * self.expected(predicted), self.slope_error * predicted)
        return self.widening * spread

    def floor(self, confidence: float) -> float:
        """Noise floor: a training that shifts nothing is predicted under it, in size, at this confidence."""
        return NormalDist().inv_cdf(0.5 + confidence / 2) * self.widening * self.noise


def fit(pairs: Sequence[Pair]) -> dict[str, Line]:
    """The lines by which the gate may judge: those whose slope surely stands above zero.

    Predictions that do not surely go the way of the truth are no measure of it, however small a line makes them.
    """
    return {name: line for name, line in fit_all(pairs).items() if line.slope > SURE * line.slope_error}


def fit_all(pairs: Sequence[Pair]) -> dict[str, Line]:
    """One line per behaviour that has enough sources.

    The slope is least squares through the origin, shrunk towards that of all behaviours of the unit. Errors are
    measured on sources left out of the slope. Source: our choice.
    """
    units = _grouped(pairs, lambda pair: pair.unit)
    return {
        behaviour: _line(group, units[group[0].unit])
        for behaviour, group in _grouped(pairs, lambda pair: pair.behaviour).items()
        if len({pair.source for pair in group}) >= FEWEST
    }


def _line(group: Sequence[Pair], unit: Sequence[Pair]) -> Line:
    weight = SHRINKAGE * median(pair.predicted**2 for pair in group)
    slope = _slope(group, _pooled(unit), weight)
    residuals = [
        (pair.predicted, own * pair.predicted, pair.true - own * pair.predicted)
        for source, held in _grouped(group, lambda pair: pair.source).items()
        for own in [_slope(_without(group, source), _pooled(_without(unit, source)), weight)]
        for pair in held
    ]
    slope_error = _slope_error(group, slope, weight)
    noise = _noise([(expected, residual) for _, expected, residual in residuals])
    relative = _relative([(expected, residual) for _, expected, residual in residuals], noise)
    scaled = [
        abs(residual) / math.hypot(noise, relative * expected, slope_error * predicted)
        for predicted, expected, residual in residuals
    ]
    sources = len({pair.source for pair in group})
    return Line(
        slope=slope,
        slope_error=slope_error,
        noise=noise,
        relative=relative,
        widening=_widening(sorted(scaled)),
        sources=sources,
        trainings=len(group),
    )


def _without(pairs: Sequence[Pair], source: str) -> list[Pair]:
    return [pair for pair in pairs if pair.source != source]


def _pooled(unit: Sequence[Pair]) -> float:
    return _slope(unit, 1.0, 0.0)


def _slope_error(group: Sequence[Pair], slope: float, weight: float) -> float:
    """Standard error of a slope, sources taken whole. Source: the cluster-robust sandwich, Liang and Zeger 1986."""
    evidence = math.fsum(pair.predicted**2 for pair in group) + weight
    clusters = _grouped(group, lambda pair: pair.source).values()
    if evidence <= 0:
        return 0.0
    pulls = [math.fsum(pair.predicted * (pair.true - slope * pair.predicted) for pair in one) for one in clusters]
    few = len(pulls) / max(1, len(pulls) - 1)
    return math.sqrt(few * math.fsum(pull**2 for pull in pulls)) / evidence


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


def _widening(scaled: Sequence[float]) -> float:
    """Scale of the errors at which the nominal share of residuals lies inside, within reason."""
    rank = min(len(scaled), math.ceil(COVERED * (len(scaled) + 1)))  # split conformal: one more than there are
    return max(NARROWEST, scaled[rank - 1] / NormalDist().inv_cdf(0.5 + COVERED / 2))


def _grouped(pairs: Sequence[Pair], key: Callable[[Pair], str]) -> Mapping[str, list[Pair]]:
    groups: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        groups[key(pair)].append(pair)
    return groups
