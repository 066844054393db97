"""What a status rests on: comparisons of a finding's numbers, so that no explanation can drift from the decision."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from d2b_gate.core.verdict import Status

Comparison = Literal[">", ">=", "<"]
_COMPARED = {">": operator.gt, ">=": operator.ge, "<": operator.lt}


class Asked(Enum):
    """What a condition is about. Shifts are counted in the direction that the rule limits."""

    NEAR_END = "the interval's near end against the limit"
    POINT = "the predicted shift against the warning limit"
    FAR_END = "the interval's far end against the limit"
    SIZE = "the size of the shift against the noise floor"
    P = "adjusted p against the significance level"
    LEVEL_LOW = "the low end of the level after the change against the ceiling"
    LEVEL_HIGH = "the high end of the level after the change against the ceiling"


@dataclass(frozen=True, slots=True)
class Condition:
    """A number held against a bound, both in the probe's unit unless they are probabilities."""

    asked: Asked
    value: float
    comparison: Comparison
    bound: float

    @property
    def holds(self) -> bool:
        """Whether the comparison is true."""
        return bool(_COMPARED[self.comparison](self.value, self.bound))


@dataclass(frozen=True, slots=True)
class Way:
    """One way for a rule to end; the first way whose conditions all hold is the one that it takes."""

    status: Status
    reason: str
    conditions: tuple[Condition, ...]

    @property
    def open(self) -> bool:
        """Whether all of its conditions hold."""
        return all(condition.holds for condition in self.conditions)
