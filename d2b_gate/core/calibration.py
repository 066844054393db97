"""From a predicted shift to the shift to expect after training, with its error: fitted on real fine-tunes, pure."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, replace
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
LOUDER = 0.9
"""Power of a training's length by which errors grow; longer than those of the line, it leaves more to what no short
tuning meets. Chosen, like `BEYOND`, on the tuned-on sets of the truth bench (python -m benchmarks.growth)."""
BEYOND = 0.2
"""Power of the reach by which errors grow besides."""
LONGEST = 6.0
"""Times that a training may be as long as those of a line: as far as the truth bench tells how errors grow. Beyond it
they are taken for those of this."""
FURTHEST = 3.0
"""The same for the reach, by which shifts grow too."""
NARROWEST = 0.8
"""Least widening: residuals of few trainings may look better than they are."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How long a training is, in row visits, and how much longer than what stands for it (see `Predictor.reach`)."""

    length: float = 0.0
    reach: float = 1.0


NEAR = Extent()
"""No longer than what stands for it, and than what any line was fitted on."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One behaviour of one training: what was predicted and what came, on the scale of `core.scale`."""

    behaviour: str
    unit: str
    source: str  # rows of one source are predicted without the other rows of that source when errors are measured
    predicted: float
    true: float
    extent: Extent = NEAR


@dataclass(frozen=True, slots=True)
class Line:
    """Expected true shift = ``slope`` * predicted; its standard error joins noise, relative error and the slope's own.

    All of it is on the scale of `core.scale`. ``noise`` is what remains where nothing much is predicted, more of it
    after a training longer than ``length``; ``relative`` is what grows with the expected shift and ``slope_error`` what
    grows with the predicted one, so that a line says little far from where it was fitted; ``widening`` brings intervals
    to their nominal coverage on trainings of other sources.
    """

    slope: float
    slope_error: float
    noise: float
    relative: float
    widening: float
    sources: int
    trainings: int
    length: float = math.inf  # row visits of a typical one of these trainings; errors grow with longer ones

    @property
    def sure(self) -> bool:
        """Whether predictions surely go the way of the truth."""
        return self.slope > SURE * self.slope_error

    def expected(self, predicted: float) -> float:
        """The true shift to expect."""
        return self.slope * predicted

    def error(self, predicted: float, extent: Extent = NEAR) -> float:
        """Standard error of the expected shift, widening included."""
        noise = self.noise * loud(extent, self.length)
        return self.widening * math.hypot(noise, self.relative * self.expected(predicted), self.slope_error * predicted)

    def floor(self, confidence: float, extent: Extent = NEAR) -> float:
        """Noise floor: a training that shifts nothing is predicted under it, in size, at this confidence."""
        return NormalDist().inv_cdf(0.5 + confidence / 2) * self.widening * self.noise * loud(extent, self.length)


@dataclass(frozen=True, slots=True)
class _Case:
    """A pair, and how much louder its training is than a typical one."""

    pair: Pair
    loud: float

    @property
    def source(self) -> str:
        return self.pair.source

    @property
    def weight(self) -> float:
        """Louder trainings count less."""
        return 1 / self.loud**2


@dataclass(frozen=True, slots=True)
class _Residual:
    """What a slope fitted without a case's source leaves of it; ``calm`` is the size in a typical training."""

    case: _Case
    expected: float
    size: float

    @property
    def calm(self) -> float:
        return self.size / self.case.loud


def loud(extent: Extent, typical: float) -> float:
    """By what the noise of a training is more than that of a typical one that was predicted at its own length."""
    longer = min(max(1.0, extent.length / typical), LONGEST)
    return math.pow(longer, LOUDER) * math.pow(min(extent.reach, FURTHEST), BEYOND)


def fit(pairs: Sequence[Pair]) -> dict[str, Line]:
    """The lines by which the gate may judge: those whose slope surely stands above zero.

    Predictions that do not surely go the way of the truth are no measure of it, however small a line makes them.
    """
    return {name: line for name, line in fit_all(pairs).items() if line.sure}


def fit_all(pairs: Sequence[Pair]) -> dict[str, Line]:
    """One line per behaviour that has enough sources.

    The slope is least squares through the origin, shrunk towards that of all behaviours of the unit. Errors are
    measured on sources left out of the slope. Relative errors are those of all behaviours of the unit, and errors are
    widened alike for all behaviours: the clear shifts and the outermost residuals of one are too few to tell.
    Source: our choice.
    """
    typical = (median(pair.extent.length for pair in pairs) if pairs else 0.0) or math.inf
    cases = [_Case(pair, loud(pair.extent, typical)) for pair in pairs]
    units = _grouped(cases, lambda case: case.pair.unit)
    fits = {
        behaviour: _fit(group, units[group[0].pair.unit], typical)
        for behaviour, group in _grouped(cases, lambda case: case.pair.behaviour).items()
        if len({case.source for case in group}) >= FEWEST
    }
    relative = {unit: _relative([one for one in fits.values() if one.unit == unit]) for unit in units}
    lines = {behaviour: replace(one.line, relative=relative[one.unit]) for behaviour, one in fits.items()}
    widening = _widening(sorted(size for name, one in fits.items() for size in one.scaled(lines[name])))
    return {behaviour: replace(line, widening=widening) for behaviour, line in lines.items()}


@dataclass(frozen=True, slots=True)
class _Fit:
    """A line without a relative error yet, not widened, and what it leaves over."""

    unit: str
    line: Line
    residuals: tuple[_Residual, ...]

    def scaled(self, line: Line) -> list[float]:
        """Residuals in standard errors of a line."""
        return [abs(one.size) / line.error(one.case.pair.predicted, one.case.pair.extent) for one in self.residuals]

    def ratios(self) -> list[float]:
        """What of the residuals of clear shifts the noise does not explain, as shares of the expected shifts."""
        noise = self.line.noise
        return [
            math.sqrt(max(0.0, one.calm**2 - noise**2)) * one.case.loud / abs(one.expected)
            for one in self.residuals
            if abs(one.expected) > 2 * noise * one.case.loud
        ]


def _fit(group: Sequence[_Case], unit: Sequence[_Case], typical: float) -> _Fit:
    weight = SHRINKAGE * median(case.pair.predicted**2 for case in group)
    slope = _slope(group, _pooled(unit), weight)
    residuals = [
        _Residual(case, own * case.pair.predicted, case.pair.true - own * case.pair.predicted)
        for source, held in _grouped(group, lambda case: case.source).items()
        for own in [_slope(_without(group, source), _pooled(_without(unit, source)), weight)]
        for case in held
    ]
    line = Line(
        slope=slope,
        slope_error=_slope_error(group, slope, weight),
        noise=_noise(residuals),
        relative=0.0,
        widening=1.0,
        sources=len({case.source for case in group}),
        trainings=len(group),
        length=typical,
    )
    return _Fit(group[0].pair.unit, line, tuple(residuals))


def _without(cases: Sequence[_Case], source: str) -> list[_Case]:
    return [case for case in cases if case.source != source]


def _pooled(unit: Sequence[_Case]) -> float:
    return _slope(unit, 1.0, 0.0)


def _slope_error(group: Sequence[_Case], slope: float, weight: float) -> float:
    """Standard error of a slope, sources taken whole. Source: the cluster-robust sandwich, Liang and Zeger 1986."""
    evidence = math.fsum(case.weight * case.pair.predicted**2 for case in group) + weight
    clusters = _grouped(group, lambda case: case.source).values()
    if evidence <= 0:
        return 0.0
    pulls = [
        math.fsum(case.weight * case.pair.predicted * (case.pair.true - slope * case.pair.predicted) for case in one)
        for one in clusters
    ]
    few = len(pulls) / max(1, len(pulls) - 1)
    return math.sqrt(few * math.fsum(pull**2 for pull in pulls)) / evidence


def _slope(group: Iterable[_Case], pooled: float, weight: float) -> float:
    """Least squares through the origin, with ``weight`` squared units of evidence for the pooled slope."""
    cases = list(group)
    evidence = math.fsum(case.weight * case.pair.predicted**2 for case in cases) + weight
    if evidence <= 0:
        return pooled
    pull = math.fsum(case.weight * case.pair.predicted * case.pair.true for case in cases)
    return (pull + weight * pooled) / evidence


def _noise(residuals: Sequence[_Residual]) -> float:
    """Spread of the residuals of the half of the trainings of which least is predicted."""
    calm = sorted(residuals, key=lambda one: abs(one.expected))[: max(FEWEST // 2, math.ceil(len(residuals) / 2))]
    spread = MAD * median(abs(one.calm) for one in calm)
    root = math.sqrt(math.fsum(one.calm**2 for one in calm) / len(calm))
    return max(spread, root / 2, 1e-9)


def _relative(fits: Sequence[_Fit]) -> float:
    """Typical relative error of clear shifts, over all behaviours of a unit: one has few clear shifts to tell it by."""
    ratios = [ratio for one in fits for ratio in one.ratios()]
    return MAD * median(ratios) if ratios else 0.0


def _widening(scaled: Sequence[float]) -> float:
    """Scale of the errors at which the nominal share of residuals lies inside, within reason."""
    if not scaled:
        return 1.0
    rank = min(len(scaled), math.ceil(COVERED * (len(scaled) + 1)))  # split conformal: one more than there are
    return max(NARROWEST, scaled[rank - 1] / NormalDist().inv_cdf(0.5 + COVERED / 2))


def _grouped(cases: Sequence[_Case], key: Callable[[_Case], str]) -> Mapping[str, list[_Case]]:
    groups: dict[str, list[_Case]] = defaultdict(list)
    for case in cases:
        groups[key(case)].append(case)
    return groups
