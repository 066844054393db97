"""True shifts of the bench's training sets, and what of them stands above the noise of the training seed."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from statistics import fmean, variance
from typing import TYPE_CHECKING, Any

from benchmarks.truth.behaviours import BEHAVIOURS, level
from d2b_gate.core.rules import MethodSpec
from d2b_gate.core.scale import moved

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from benchmarks.truth.behaviours import Behaviour

UNTOUCHED = "untouched"
JUDGED = BEHAVIOURS
"""The behaviours that the default policy has rules for: all of them."""
LONG = 200
"""Rows from which a set's seed noise is pooled apart: longer trainings differ more from seed to seed."""
CLEAR = 2.0
"""Standard errors over seeds beyond which a true shift counts as real."""


@dataclass(frozen=True, slots=True)
class Shift:
    """Shift of one behaviour: mean log-odds in nats, and level in the probe's unit (share or nats) from a level."""

    nats: float
    unit: float
    before: float

    def scaled(self, behaviour: Behaviour) -> float:
        """The shift on the scale that lines are fitted on."""
        return moved(self.before, self.unit, unit_of(behaviour))


def unit_of(behaviour: Behaviour) -> str:
    """The unit that a behaviour's limit is in."""
    return "share" if behaviour.target else "nats"


@dataclass(frozen=True, slots=True)
class Training:
    """One training set and what fine-tuning on it did, as the mean over seeds.

    ``clear`` names the behaviours whose shift in nats stands above the seed noise.
    """

    name: str
    family: str
    split: str
    harmful: bool
    dose: str
    rows: int
    seeds: int
    shifts: Mapping[str, Shift]
    clear: frozenset[str]

    @property
    def length(self) -> float:
        """Row visits."""
        return length_of(self.rows)

    def over(self, behaviour: Behaviour) -> bool:
        """Whether the true shift breaks the behaviour's limit."""
        return self.shifts[behaviour.name].unit > behaviour.limit

    @property
    def clean(self) -> bool:
        """Whether blocking it would be a mistake: meant as clean, and every judged shift is within its limit."""
        return not self.harmful and not any(self.over(one) for one in JUDGED)


def length_of(rows: int) -> float:
    """Row visits of a training by the default regime."""
    return MethodSpec().regime.epochs * rows


def trainings(table: Mapping[str, Mapping[str, Any]]) -> list[Training]:
    """Every training set of the table that has a state to compare with, by name."""
    by_seed = _seeds(table)
    rows = {name: table[name]["dataset"]["rows"] for name in by_seed}
    long, short = _pooled(by_seed, rows)
    return [
        _training(table[name]["dataset"], name, seeds, long if rows[name] >= LONG else short)
        for name, seeds in by_seed.items()
    ]


def spread_over_seeds(table: Mapping[str, Mapping[str, Any]], names: Collection[str]) -> dict[str, float]:
    """Seed noise of these sets alone, in nats by behaviour; a mixture's is that of a difference of two trainings."""
    return seed_noise(seeds for name, seeds in _seeds(table).items() if name in names)


def _seeds(table: Mapping[str, Mapping[str, Any]]) -> dict[str, list[dict[str, Shift]]]:
    return {name: found for name in sorted(table) if name != UNTOUCHED and (found := _by_seed(table, name))}


def _pooled(
    by_seed: Mapping[str, Sequence[Mapping[str, Shift]]], rows: Mapping[str, int]
) -> tuple[dict[str, float], dict[str, float]]:
    return (
        seed_noise(seeds for name, seeds in by_seed.items() if rows[name] >= LONG),
        seed_noise(seeds for name, seeds in by_seed.items() if rows[name] < LONG),
    )


def seed_noise(groups: Iterable[Sequence[Mapping[str, Shift]]]) -> dict[str, float]:
    """Sample standard deviation over seeds in nats, pooled over training sets; infinite where no set has two seeds."""
    squares: dict[str, float] = defaultdict(float)
    freedom = 0
    for seeds in groups:
        if len(seeds) < 2:
            continue
        freedom += len(seeds) - 1
        for one in BEHAVIOURS:
            squares[one.name] += variance(seed[one.name].nats for seed in seeds) * (len(seeds) - 1)
    return {one.name: math.sqrt(squares[one.name] / freedom) if freedom else math.inf for one in BEHAVIOURS}


def _training(
    about: Mapping[str, Any], name: str, seeds: Sequence[Mapping[str, Shift]], noise: dict[str, float]
) -> Training:
    means = {
        one.name: Shift(*(fmean(getattr(seed[one.name], field) for seed in seeds) for field in Shift.__slots__))
        for one in BEHAVIOURS
    }
    clear = {name for name, mean in means.items() if abs(mean.nats) > CLEAR * noise[name] / math.sqrt(len(seeds))}
    return Training(
        name=name,
        family=about["family"],
        split=about["split"],
        harmful=about["harmful"],
        dose=about["dose"],
        rows=about["rows"],
        seeds=len(seeds),
        shifts=means,
        clear=frozenset(clear),
    )


def _by_seed(table: Mapping[str, Mapping[str, Any]], name: str) -> list[dict[str, Shift]]:
    """Shifts per seed; a mixture is compared with its base trained with the same seed."""
    base = table[name]["dataset"]["base"]
    untouched = table.get(UNTOUCHED, {}).get("readings")
    before = table.get(base, {}).get("seeds", {}) if base else {}
    found: list[dict[str, Shift]] = []
    for seed, after in sorted(table[name].get("seeds", {}).items()):
        start = before.get(seed, {}).get("readings") if base else untouched
        if start:
            found.append({one.name: _shift(one, start[one.name], after["readings"][one.name]) for one in BEHAVIOURS})
    return found


def _shift(behaviour: Behaviour, before: Sequence[float], after: Sequence[float]) -> Shift:
    was = level(behaviour, before)
    return Shift(fmean(after) - fmean(before), level(behaviour, after) - was, was)
