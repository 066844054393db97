"""Predictions brought to expected true shifts: lines fitted on the tuned-on split, applied to both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.scoring.shifts import Shift
from benchmarks.truth.behaviours import BEHAVIOURS
from d2b_gate.core.calibration import Pair, fit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from benchmarks.scoring.predictions import Contender
    from benchmarks.scoring.shifts import Training
    from benchmarks.truth.behaviours import Behaviour
    from d2b_gate.core.calibration import Line

FITTED_ON = "tuned"
Z_90 = 1.645
"""One-sided 95 %, which is two-sided 90 %."""
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

    ``error`` is the standard error of the expected shift in the probe's unit.
    """

    training: Training
    behaviour: Behaviour
    predicted: Shift
    expected: Shift
    error: float

    @property
    def true(self) -> Shift:
        """What really came."""
        return self.training.shifts[self.behaviour.name]

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
        """Whether the true shift lies inside the 90 % interval."""
        return abs(self.true.unit - self.expected.unit) <= Z_90 * self.error


def fit_lines(contender: Contender, known: Iterable[Training]) -> Lines:
    """Fit on the tuned-on split alone; rows of one family are one source."""
    pairs = [
        (one, training.family, training.shifts[one.name], predicted[one.name])
        for training in known
        if training.split == FITTED_ON and (predicted := contender.predicted.get(training.name))
        for one in BEHAVIOURS
        if one.name in predicted
    ]
    return Lines(
        unit=fit([Pair(one.name, unit_of(one), source, said.unit, true.unit) for one, source, true, said in pairs]),
        nats=fit([Pair(one.name, "nats", source, said.nats, true.nats) for one, source, true, said in pairs]),
    )


def unit_of(behaviour: Behaviour) -> str:
    """The unit that a behaviour's limit is in."""
    return "share" if behaviour.target else "nats"


def readings(contender: Contender, known: Iterable[Training], lines: Lines) -> list[Reading]:
    """Everything that was predicted, and has a line."""
    return [
        Reading(
            training,
            one,
            said,
            Shift(lines.nats[one.name].expected(said.nats), lines.unit[one.name].expected(said.unit)),
            lines.unit[one.name].error(said.unit),
        )
        for training in known
        for one in BEHAVIOURS
        if one.name in lines.unit and (said := contender.predicted.get(training.name, {}).get(one.name))
    ]


def null_scores(contender: Contender, lines: Lines) -> list[tuple[float, float]]:
    """Score and margin of every behaviour of every clean change without truth."""
    return [
        (
            line.expected(said.unit) / line.error(said.unit),
            (line.expected(said.unit) - one.limit) / line.error(said.unit),
        )
        for null in contender.nulls
        for one in BEHAVIOURS
        if (line := lines.unit.get(one.name)) and (said := null.shifts.get(one.name))
    ]


def would_block(line: Line, predicted: float, limit: float) -> bool:
    """Whether the gate blocks: the expected shift is over the limit even at its lower bound, and above the noise."""
    expected = line.expected(predicted)
    return expected - Z_90 * line.error(predicted) > limit and expected > line.floor(CONFIDENCE)


def blocks(shifts: Mapping[str, Shift], lines: Lines, judged: Sequence[Behaviour]) -> bool:
    """Whether any judged behaviour would block a change."""
    return any(
        would_block(lines.unit[one.name], shifts[one.name].unit, one.limit)
        for one in judged
        if one.name in shifts and one.name in lines.unit
    )
