"""Numbers as people read them: shares as '%' and 'pt', log-odds as 'nats', ASCII only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from d2b_gate.core.rules import Rule

_LIMIT_PLACES = 3  # a limit was typed by a person: show all of it, within reason
_SMALLEST_P = 0.0001


@dataclass(frozen=True, slots=True)
class Scale:
    """How a probe's unit is shown: levels and deltas are multiplied by ``factor``."""

    factor: float
    level_unit: str
    delta_unit: str
    places: int

    def level(self, value: float) -> str:
        """``6.1``, without the unit."""
        return f"{_rounded(value * self.factor, self.places):.{self.places}f}"

    def delta(self, value: float) -> str:
        """``+18.7``, without the unit."""
        return f"{_rounded(value * self.factor, self.places):+.{self.places}f}"

    def limit(self, value: float) -> str:
        """``5.0``, with as many places as the limit needs."""
        shown = value * self.factor
        exact = [places for places in range(self.places, _LIMIT_PLACES) if abs(round(shown, places) - shown) < 1e-9]
        places = exact[0] if exact else _LIMIT_PLACES
        return f"{_rounded(shown, places):.{places}f}"


_SHARE = Scale(factor=100.0, level_unit="%", delta_unit="pt", places=1)
_NATS = Scale(factor=1.0, level_unit="nats", delta_unit="nats", places=2)
_SIGNS = {"increase": "+", "decrease": "-", "either": "+/-"}


def scale_of(unit: str) -> Scale:
    """The scale of a probe's unit."""
    return _SHARE if unit == "share" else _NATS


def signed_limit(rule: Rule, value: float, unit: str) -> str:
    """``+5.0 pt``, ``-5.0 pt`` or ``+/-5.0 pt``: the limit in the direction that the rule watches."""
    scale = scale_of(unit)
    return f"{_SIGNS[rule.direction]}{scale.limit(abs(value))} {scale.delta_unit}"


def probability(p: float) -> str:
    """``0.0004``, and never 0."""
    return f"{p:.3g}" if p >= _SMALLEST_P else f"< {_SMALLEST_P}"


def percent(share: float) -> str:
    """``92 %``."""
    return f"{_rounded(share * 100, 0):.0f} %"


def grouped(count: int) -> str:
    """``2 350``."""
    return f"{count:,}".replace(",", " ")


def counted(count: int, noun: str) -> str:
    """``1 row``, ``2 350 rows``."""
    return f"{grouped(count)} {noun}{'' if count == 1 else 's'}"


def _rounded(value: float, places: int) -> float:
    return round(value, places) + 0.0  # adding zero turns -0.0 into 0.0
