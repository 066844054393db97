"""A small bench whose every figure is known beforehand."""

from __future__ import annotations

from benchmarks.scoring.predictions import Contender, Null
from benchmarks.scoring.shifts import Shift, Training
from benchmarks.truth.behaviours import BEHAVIOURS

NAMES = tuple(one.name for one in BEHAVIOURS)
UNIT = {one.name: 0.1 if one.target else 1.0 for one in BEHAVIOURS}
"""Unit per nat: a share moves by a tenth where log-odds move by one."""


def shifts(nats):
    """The same shift in nats of every behaviour, or one of each by name."""
    by_name = nats if isinstance(nats, dict) else dict.fromkeys(NAMES, nats)
    return {name: Shift(value, value * UNIT[name]) for name, value in by_name.items()}


def training(name, nats, *, split="tuned", harmful=True, dose="alone", family=None, clear=NAMES):
    return Training(name, family or name, split, harmful, dose, 3, shifts(nats), frozenset(clear))


def steps(split, count=8):
    """Training sets that shift every behaviour by -4, -3, ... nats."""
    return [training(f"{split}-{i}", float(i - count // 2), split=split) for i in range(count)]


def predicting(name, known, factor, nulls=()):
    """A contender that predicts ``factor`` times the truth."""
    predicted = {one.name: shifts({key: factor * shift.nats for key, shift in one.shifts.items()}) for one in known}
    return Contender(name, predicted, tuple(nulls), 1.0)


def null(change, nats, *, source="gsm8k", split="tuned"):
    return Null(change, source, split, shifts(nats))
