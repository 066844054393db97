"""Predictions brought to expected true shifts: lines fitted on the tuned-on split, applied to both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.scoring.shifts import Shift
from benchmarks.truth.behaviours import BEHAVIOURS
from d2b_gate.core.calibration import Pair, fit_all
from d2b_gate.core.interval import Estimate, holm
from d2b_gate.core.judge import SIGNIFICANCE
from d2b_gate.core.noise import Calibrated
from d2b_gate.core.verdict import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from benchmarks.scoring.predictions import Contender
    from benchmarks.scoring.shifts import Training
    from benchmarks.truth.behaviours import Behaviour
    from d2b_gate.core.calibration import Line

FITTED_ON = "tuned"
CONFIDENCE = 0.95
"""Confidence of the noise floor."""


@dataclass(frozen=True, slots=True)
class Lines:
    """A contender's calibration by behaviour, once in the probe's unit and once in nats."""

    unit: Mapping[str, Line]
    nats: Mapping[str, Line]


@dataclass(frozen=True, slots=True)
class Reading:
    """One behaviour of one training set: what was predicted, what was expected after calibration, and what came.

    ``error`` is the standard error of the expected shift in the probe's unit, ``low`` and ``high`` the ends of its
    interval at 90 %.
    """

    training: Training
    behaviour: Behaviour
    predicted: Shift
    expected: Shift
    error: float
    low: float
    high: float
    status: Status  # as the gate judges it among all rules

    @property
    def true(self) -> Shift:
        """What really came."""
        return self.training.shifts[self.behaviour.name]

    @property
    def blocked(self) -> bool:
        """Whether the gate's rule for this behaviour fails on the set."""
        return self.status is Status.FAIL

    @property
    def over(self) -> bool:
        """Whether the true shift breaks the limit."""
        return self.training.over(self.behaviour)

    @property
    def score(self) -> float:
        """Expected shift in standard errors: what detection goes by."""
        return self.expected.unit / self.error

    @property
    def margin(self) -> float:
        """How far the expected shift is over the limit, in standard errors: another score to detect by."""
        return (self.expected.unit - self.behaviour.limit) / self.error

    @property
    def covered(self) -> bool:
        """Whether the true shift lies inside the gate's interval at 90 %."""
        return self.low <= self.true.unit <= self.high


def fit_lines(contender: Contender, known: Iterable[Training]) -> Lines:
    """Fit on the tuned-on split alone; rows of one family are one source.

    The gate would not use a line whose slope is not surely positive; here every contender keeps its lines, so that all
    are scored on the same readings.
    """
    pairs = [
        (one, training.family, training.shifts[one.name], predicted[one.name])
        for training in known
        if training.split == FITTED_ON and (predicted := contender.predicted.get(training.name))
        for one in BEHAVIOURS
        if one.name in predicted
    ]
    return Lines(
        unit=fit_all([Pair(one.name, unit_of(one), source, said.unit, true.unit) for one, source, true, said in pairs]),
        nats=fit_all([Pair(one.name, "nats", source, said.nats, true.nats) for one, source, true, said in pairs]),
    )


def unit_of(behaviour: Behaviour) -> str:
    """The unit that a behaviour's limit is in."""
    return "share" if behaviour.target else "nats"


def readings(contender: Contender, known: Sequence[Training], lines: Lines) -> list[Reading]:
    """Everything that was predicted, and has a line."""
    predicted = {one.name: contender.predicted[one.name] for one in known if one.name in contender.predicted}
    judged = {name: statuses(shifts, lines, BEHAVIOURS) for name, shifts in predicted.items()}
    return [
        Reading(
            training,
            one,
            said,
            Shift(lines.nats[one.name].expected(said.nats), lines.unit[one.name].expected(said.unit)),
            lines.unit[one.name].error(said.unit),
            *_ends(lines.unit[one.name], said.unit),
            judged[training.name][one.name],
        )
        for training in known
        for one in BEHAVIOURS
        if one.name in lines.unit and (said := contender.predicted.get(training.name, {}).get(one.name))
    ]


def _ends(line: Line, predicted: float) -> tuple[float, float]:
    shift = Calibrated(line).shift(_exact(predicted), 0.90)
    return shift.low, shift.high


def null_scores(contender: Contender, lines: Lines) -> list[list[tuple[float, float]]]:
    """Score and margin of every behaviour, per clean change without truth."""
    return [
        [
            (
                line.expected(said.unit) / line.error(said.unit),
                (line.expected(said.unit) - one.limit) / line.error(said.unit),
            )
            for one in BEHAVIOURS
            if (line := lines.unit.get(one.name)) and (said := null.shifts.get(one.name))
        ]
        for null in contender.nulls
        if lines.unit
    ]


def statuses(shifts: Mapping[str, Shift], lines: Lines, judged: Sequence[Behaviour]) -> dict[str, Status]:
    """How the gate would judge a change: its formula, Holm over the rules, at the default confidence."""
    known = [one for one in judged if one.name in shifts and one.name in lines.unit]
    noises = [Calibrated(lines.unit[one.name]) for one in known]
    found = [noise.shift(_exact(shifts[one.name].unit), CONFIDENCE) for one, noise in zip(known, noises, strict=True)]
    tails = [
        noise.tail(shift.mean - one.limit, noise.error_at(one.limit, shift.error), 1)
        for one, noise, shift in zip(known, noises, found, strict=True)
    ]
    return {
        one.name: _status(one, shift, noise, p)
        for one, shift, noise, p in zip(known, found, noises, holm(tails), strict=True)
    }


def _exact(predicted: float) -> Estimate:
    return Estimate(predicted, predicted, predicted, 0.0)


def _status(behaviour: Behaviour, shift: Estimate, noise: Calibrated, p: float) -> Status:
    real = abs(shift.mean) > noise.floor(CONFIDENCE)
    if shift.low > behaviour.limit and p < SIGNIFICANCE and real:
        return Status.FAIL
    if shift.mean > behaviour.warn and real:
        return Status.WARN
    return Status.OK if shift.high < behaviour.limit else Status.INCONCLUSIVE


def blocks(shifts: Mapping[str, Shift], lines: Lines, judged: Sequence[Behaviour]) -> bool:
    """Whether any rule fails."""
    return Status.FAIL in statuses(shifts, lines, judged).values()


def stops(shifts: Mapping[str, Shift], lines: Lines, judged: Sequence[Behaviour]) -> bool:
    """Whether any rule fails or is inconclusive, which in CI stops a change too (exit 4)."""
    return not {Status.FAIL, Status.INCONCLUSIVE}.isdisjoint(statuses(shifts, lines, judged).values())
