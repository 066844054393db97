"""The order in which a tuning meets rows: computed in core, carried out by a backend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from d2b_gate.core.rows import Row


@dataclass(frozen=True, slots=True)
class TuneStep:
    """One Adam step: rows (indices into the plan's rows) and their weights, which sum to 1."""

    rows: tuple[int, ...]
    weights: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class TunePlan:
    """Which rows are met in which order and with which weight when vectors are tuned."""

    rows: tuple[Row, ...]
    steps: tuple[TuneStep, ...]
    learning_rate: float
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
