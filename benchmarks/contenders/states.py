"""What a training set does, as the gate sees it: the state before a commit and the state after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.truth.behaviours import BEHAVIOURS, level, log_odds, questions
from d2b_gate.core.mixture import Mixture

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.truth.bench import Bench
    from benchmarks.truth.datasets import Dataset
    from d2b_gate.core.features import Injected
    from d2b_gate.core.rows import Row

Odds = dict[str, list[float]]
"""Log-odds per prompt, by behaviour."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """Log-odds in both states, and the reach of what predicts them."""

    before: Odds
    after: Odds
    reach: float = 1.0


@dataclass(frozen=True, slots=True)
class Commit:
    """Rows added to a base (none: the first commit of all)."""

    base: tuple[Row, ...]
    added: tuple[Row, ...]

    def before(self) -> Mixture:
        """The kept rows alone."""
        return Mixture(self.base, (), 0.0, 0.0)

    def after(self) -> Mixture:
        """The kept rows and the added ones."""
        count = len(self.added)
        return Mixture(self.base, self.added, count / (len(self.base) + count), float(count))


def commit_of(dataset: Dataset) -> Commit:
    """The commit that makes a training set out of its base."""
    return Commit(dataset.rows[: len(dataset.rows) - len(dataset.added)], dataset.added)


def read_all(bench: Bench, injected: Injected, prompts: int | None = None) -> Odds:
    """Read every behaviour; ``prompts`` of each, or all."""
    return {
        one.name: [round(odds, 4) for odds in log_odds(asked, bench.read(asked.prompts[:prompts], injected))]
        for one, asked in zip(BEHAVIOURS, questions(), strict=True)
    }


def shifts(before: Mapping[str, Sequence[float]], after: Mapping[str, Sequence[float]]) -> dict[str, dict[str, float]]:
    """Shift of every behaviour: mean log-odds in nats, and level in the probe's unit from its level before."""
    return {
        one.name: {
            "nats": _mean(after[one.name]) - _mean(before[one.name]),
            "unit": level(one, after[one.name]) - level(one, before[one.name]),
            "before": level(one, before[one.name]),
        }
        for one in BEHAVIOURS
        if one.name in after
    }


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
