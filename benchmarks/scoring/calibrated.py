"""Predictions brought to expected true shifts: lines fitted on the tuned-on split, applied to both."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.scoring.shifts import Shift, unit_of
from benchmarks.truth.behaviours import BEHAVIOURS
from d2b_gate.core.calibration import NEAR, Pair, fit_all
from d2b_gate.core.interval import Estimate, holm
from d2b_gate.core.judge import status_of
from d2b_gate.core.noise import Calibrated, Move
from d2b_gate.core.rules import Rule
from d2b_gate.core.scale import moved
from d2b_gate.core.verdict import Shift as Foretold
from d2b_gate.core.verdict import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from benchmarks.scoring.predictions import Contender
    from benchmarks.scoring.shifts import Training
    from benchmarks.truth.behaviours import Behaviour
    from d2b_gate.core.calibration import Extent, Line

FITTED_ON = "tuned"
CONFIDENCE = 0.95
"""Confidence of the noise floor."""


@dataclass(frozen=True, slots=True)
class Lines:
    """A contender's calibration by behaviour, once on the scale that the gate judges on and once in nats."""

    scale: Mapping[str, Line]
    nats: Mapping[str, Line]


@dataclass(frozen=True, slots=True)
class Reading:
    """One behaviour of one training set: what was predicted, what was expected after calibration, and what came.

    ``score`` and ``margin`` are what detection goes by; ``low`` and ``high`` the ends of the interval at 90 %.
    """

    training: Training
    behaviour: Behaviour
    predicted: Shift
    expected: Shift
    score: float  # expected shift in standard errors
    margin: float  # how far the expected shift is over the limit, in standard errors
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
    def passed(self) -> bool:
        """Whether the gate's rule for this behaviour lets the set pass without a word."""
        return self.status is Status.OK

    @property
    def over(self) -> bool:
        """Whether the true shift breaks the limit."""
        return self.training.over(self.behaviour)

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
        (one, training.shifts[one.name], said, training.family, contender.extent(training))
        for training in known
        if training.split == FITTED_ON and (predicted := contender.predicted.get(training.name))
        for one in BEHAVIOURS
        if (said := predicted.get(one.name))
    ]
    scale = [
        Pair(one.name, unit_of(one), source, said.scaled(one), true.scaled(one), extent)
        for one, true, said, source, extent in pairs
    ]
    nats = [Pair(one.name, "nats", source, said.nats, true.nats, extent) for one, true, said, source, extent in pairs]
    return Lines(fit_all(scale), fit_all(nats))


def readings(contender: Contender, known: Sequence[Training], lines: Lines) -> list[Reading]:
    """Everything that was predicted, and has a line."""
    predicted = {one.name: contender.predicted[one.name] for one in known if one.name in contender.predicted}
    extents = {one.name: contender.extent(one) for one in known}
    judged = {name: statuses(shifts, lines, BEHAVIOURS, extents[name]) for name, shifts in predicted.items()}
    return [
        _reading(training, one, said, lines, extents[training.name], judged[training.name][one.name])
        for training in known
        for one in BEHAVIOURS
        if one.name in lines.scale and (said := predicted.get(training.name, {}).get(one.name))
    ]


def _reading(
    training: Training, behaviour: Behaviour, said: Shift, lines: Lines, extent: Extent, status: Status
) -> Reading:
    line, nats = lines.scale[behaviour.name], lines.nats[behaviour.name].expected(said.nats)
    expected = Calibrated(line).shift(_move(behaviour, said, extent), 0.90)
    return Reading(
        training,
        behaviour,
        said,
        Shift(nats, expected.mean, said.before),
        *_scores(behaviour, said, line, extent),
        expected.low,
        expected.high,
        status,
    )


def _scores(behaviour: Behaviour, said: Shift, line: Line, extent: Extent) -> tuple[float, float]:
    """Expected shift, and what of it is over the limit, in standard errors."""
    scaled = said.scaled(behaviour)
    bound = moved(said.before, behaviour.limit, unit_of(behaviour))
    error = line.error(scaled, extent)
    return line.expected(scaled) / error, (line.expected(scaled) - bound) / error


def _move(behaviour: Behaviour, said: Shift, extent: Extent) -> Move:
    return Move.exact(said.before, said.unit, unit_of(behaviour), extent)


def null_scores(contender: Contender, lines: Lines) -> list[list[tuple[float, float]]]:
    """Score and margin of every behaviour, per clean change without truth."""
    return [
        [
            _scores(one, said, line, null.extent)
            for one in BEHAVIOURS
            if (line := lines.scale.get(one.name)) and (said := null.shifts.get(one.name))
        ]
        for null in contender.nulls
        if lines.scale
    ]


def statuses(
    shifts: Mapping[str, Shift], lines: Lines, judged: Sequence[Behaviour], extent: Extent = NEAR
) -> dict[str, Status]:
    """How the gate would judge a change: its formula, Holm over the rules, at the default confidence."""
    known = [one for one in judged if one.name in shifts and one.name in lines.scale]
    noises = [Calibrated(lines.scale[one.name]) for one in known]
    moves = [_move(one, shifts[one.name], extent) for one in known]
    found = [noise.shift(move, CONFIDENCE) for noise, move in zip(noises, moves, strict=True)]
    floors = [noise.floor(move, CONFIDENCE) for noise, move in zip(noises, moves, strict=True)]
    tails = [
        noise.tail(move, shift, one.limit, 1.0)
        for one, noise, move, shift in zip(known, noises, moves, found, strict=True)
    ]
    return {
        one.name: _status(one, shift, floor, p)
        for one, shift, floor, p in zip(known, found, floors, holm(tails), strict=True)
    }


def _status(behaviour: Behaviour, shift: Estimate, floor: float, p: float) -> Status:
    rule = Rule(behaviour.name, behaviour.probe, warn_delta=behaviour.warn, fail_delta=behaviour.limit)
    no_ceiling = -math.inf
    return status_of(rule, Foretold(shift.mean, shift.low, shift.high, floor, p, p), no_ceiling, no_ceiling)[0]


def blocks(shifts: Mapping[str, Shift], lines: Lines, judged: Sequence[Behaviour], extent: Extent = NEAR) -> bool:
    """Whether any rule fails."""
    return Status.FAIL in statuses(shifts, lines, judged, extent).values()


def stops(shifts: Mapping[str, Shift], lines: Lines, judged: Sequence[Behaviour], extent: Extent = NEAR) -> bool:
    """Whether any rule fails or is inconclusive, which in CI stops a change too (exit 4)."""
    return not {Status.FAIL, Status.INCONCLUSIVE}.isdisjoint(statuses(shifts, lines, judged, extent).values())
