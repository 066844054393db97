"""How far a predicted shift may be off: from placebo changes measured on the spot, or from real fine-tunes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from d2b_gate.core.calibration import NEAR
from d2b_gate.core.interval import Estimate
from d2b_gate.core.scale import SHARE, moved, shift_by
from d2b_gate.core.student import quantile, upper_tail

if TYPE_CHECKING:
    from d2b_gate.core.calibration import Extent, Line


@dataclass(frozen=True, slots=True)
class Move:
    """A raw predicted shift of one behaviour in the probe's unit, and what it takes to tell how far it may be off."""

    before: float  # level it starts from
    raw: Estimate
    unit: str
    prompts: int
    extent: Extent = NEAR

    @classmethod
    def exact(cls, before: float, shift: float, unit: str, extent: Extent) -> Move:
        """A shift taken as it is, without an error over prompts."""
        return cls(before, Estimate(shift, shift, shift, 0.0), unit, 1, extent)

    @property
    def scaled(self) -> float:
        """The shift on the scale that lines are fitted on."""
        return moved(self.before, self.raw.mean, self.unit)


class Noise(Protocol):
    """What turns a raw predicted shift into one with an interval, and says what clean changes do."""

    def shift(self, move: Move, confidence: float) -> Estimate:
        """The shift to expect, with its interval at this confidence and its standard error."""

    def floor(self, move: Move, confidence: float) -> float:
        """The noise floor: one more clean change stays under it, in size, at this confidence."""

    def tail(self, move: Move, shift: Estimate, limit: float, towards: float) -> float:
        """P of a shift this far past ``limit`` in the direction ``towards`` (1 or -1), were the truth at the limit."""


@dataclass(frozen=True, slots=True)
class Null:
    """Predicted shifts of clean placebo changes for one rule, in the probe's unit."""

    shifts: tuple[float, ...]

    @property
    def mean(self) -> float:
        """What a clean change does on average."""
        return math.fsum(self.shifts) / len(self.shifts)

    @property
    def spread(self) -> float:
        """Sample standard deviation."""
        return math.sqrt(math.fsum((shift - self.mean) ** 2 for shift in self.shifts) / (len(self.shifts) - 1))

    @property
    def dof(self) -> int:
        """Degrees of freedom of the spread."""
        return len(self.shifts) - 1

    def error(self) -> float:
        """Standard error of one more clean change around the estimated mean."""
        return self.spread * math.sqrt(1 + 1 / len(self.shifts))

    def shift(self, move: Move, confidence: float) -> Estimate:
        """The shift as predicted: nothing is known of how predictions and trainings differ."""
        del confidence
        return move.raw

    def floor(self, move: Move, confidence: float) -> float:
        """The noise floor (prediction interval), wherever a shift starts."""
        del move
        return abs(self.mean) + quantile(0.5 + confidence / 2, self.dof) * self.error()

    def tail(self, move: Move, shift: Estimate, limit: float, towards: float) -> float:
        """Upper tail of Student's t for two independent errors. Source: Welch 1947, Satterthwaite 1946 (dof)."""
        excess = towards * shift.mean - limit
        squares = ((shift.error**2, move.prompts - 1), (self.error() ** 2, self.dof))
        total = squares[0][0] + squares[1][0]
        if total == 0.0:
            return 0.0 if excess > 0 else 1.0
        dof = 1 / math.fsum((square / total) ** 2 / max(1, own) for square, own in squares)
        return upper_tail(excess / math.sqrt(total), dof)


@dataclass(frozen=True, slots=True)
class Calibrated:
    """The line of one behaviour, fitted on real fine-tunes."""

    line: Line

    def shift(self, move: Move, confidence: float) -> Estimate:
        """The true shift to expect.

        Its error is that of whole predictions against real trainings read with the same probe, so the bootstrap's error
        over prompts is no further part of it.
        """
        mean, error = self.line.expected(move.scaled), self.line.error(move.scaled, move.extent)
        wide = quantile(0.5 + confidence / 2, self._dof)
        ends = (shift_by(move.before, mean + side * wide * error, move.unit) for side in (0, -1, 1))
        middle, low, high = ends
        return Estimate(middle, low, high, (high - low) / (2 * wide))

    def floor(self, move: Move, confidence: float) -> float:
        """The noise floor of the line, on the side that the shift goes to."""
        floor = math.copysign(self.line.floor(confidence, move.extent), self.line.expected(move.scaled))
        return abs(shift_by(move.before, floor, move.unit))

    def tail(self, move: Move, shift: Estimate, limit: float, towards: float) -> float:
        """Upper tail of Student's t with the degrees of freedom of the sources behind the line.

        The error is the line's where it expects the limit, since errors grow with the shift. A limit that no share
        can pass is never broken.
        """
        del shift
        level = move.before + towards * limit
        if move.unit == SHARE and (level >= 1 if towards > 0 else level <= 0):
            return 1.0
        bound = moved(move.before, towards * limit, move.unit)
        error = self.line.error(bound / self.line.slope if self.line.slope else 0.0, move.extent)
        excess = towards * (self.line.expected(move.scaled) - bound)
        if error == 0.0:
            return 0.0 if excess > 0 else 1.0
        return upper_tail(excess / error, self._dof)

    @property
    def _dof(self) -> int:
        return max(1, self.line.sources - 1)
