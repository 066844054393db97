"""How far a predicted shift may be off: from placebo changes measured on the spot, or from real fine-tunes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from d2b_gate.core.interval import Estimate
from d2b_gate.core.student import quantile, upper_tail

if TYPE_CHECKING:
    from d2b_gate.core.calibration import Line


class Noise(Protocol):
    """What turns a raw predicted shift into one with an interval, and says what clean changes do."""

    def shift(self, raw: Estimate, confidence: float) -> Estimate:
        """The shift to expect, with its interval at this confidence and its standard error."""

    def floor(self, confidence: float) -> float:
        """The noise floor: one more clean change stays under it, in size, at this confidence."""

    def error_at(self, limit: float, error: float) -> float:
        """Standard error of a predicted shift whose truth is ``limit``; ``error`` is that of the shift at hand."""

    def tail(self, excess: float, error: float, prompts: int) -> float:
        """P of an excess this large with this standard error over ``prompts`` prompts, were the truth at the limit."""


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

    def shift(self, raw: Estimate, confidence: float) -> Estimate:
        """The shift as predicted: nothing is known of how predictions and trainings differ."""
        del confidence
        return raw

    def floor(self, confidence: float) -> float:
        """The noise floor (prediction interval)."""
        return abs(self.mean) + quantile(0.5 + confidence / 2, self.dof) * self.error()

    def error_at(self, limit: float, error: float) -> float:
        """The error at hand: placebos do not tell how errors grow."""
        del limit
        return error

    def tail(self, excess: float, error: float, prompts: int) -> float:
        """Upper tail of Student's t for two independent errors. Source: Welch 1947, Satterthwaite 1946 (dof)."""
        squares = ((error**2, prompts - 1), (self.error() ** 2, self.dof))
        total = squares[0][0] + squares[1][0]
        if total == 0.0:
            return 0.0 if excess > 0 else 1.0
        dof = total**2 / math.fsum(square**2 / max(1, own) for square, own in squares)
        return upper_tail(excess / math.sqrt(total), dof)


@dataclass(frozen=True, slots=True)
class Calibrated:
    """The line of one behaviour, fitted on real fine-tunes."""

    line: Line

    def shift(self, raw: Estimate, confidence: float) -> Estimate:
        """The true shift to expect.

        Its error is that of whole predictions against real trainings read with the same probe, so the bootstrap's error
        over prompts is no further part of it.
        """
        mean, error = self.line.expected(raw.mean), self.line.error(raw.mean)
        half = quantile(0.5 + confidence / 2, self._dof) * error
        return Estimate(mean, mean - half, mean + half, error)

    def floor(self, confidence: float) -> float:
        """The noise floor of the line."""
        return self.line.floor(confidence)

    def error_at(self, limit: float, error: float) -> float:
        """The line's error where it expects the limit: errors grow with the shift, and p supposes it at the limit."""
        return self.line.error(limit / self.line.slope) if self.line.slope else error

    def tail(self, excess: float, error: float, prompts: int) -> float:
        """Upper tail of Student's t with the degrees of freedom of the sources behind the line."""
        del prompts
        if error == 0.0:
            return 0.0 if excess > 0 else 1.0
        return upper_tail(excess / error, self._dof)

    @property
    def _dof(self) -> int:
        return max(1, self.line.sources - 1)
