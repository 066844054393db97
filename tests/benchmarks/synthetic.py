"""A small bench whose every figure is known beforehand."""

from __future__ import annotations

from benchmarks.scoring.predictions import Contender, Null
from benchmarks.scoring.shifts import Shift, Training, unit_of
from benchmarks.truth.behaviours import BEHAVIOURS
from d2b_gate.core.scale import shift_by

NAMES = tuple(one.name for one in BEHAVIOURS)
BEFORE = 0.1
"""Level that every behaviour starts from."""


def shifts(nats):
    """The same shift in nats of every behaviour, or one of each by name."""
    by_name = nats if isinstance(nats, dict) else dict.fromkeys(NAMES, nats)
    units = {one.name: unit_of(one) for one in BEHAVIOURS}
    return {name: Shift(value, shift_by(BEFORE, value, units[name]), BEFORE) for name, value in by_name.items()}


def training(name, nats, *, split="tuned", harmful=True, dose="alone", family=None, clear=NAMES):
    return Training(name, family or name, split, harmful, dose, 64, 3, shifts(nats), frozenset(clear))


def steps(split, count=8):
    """Training sets that shift every behaviour by -4, -3, ... nats."""
    return [training(f"{split}-{i}", float(i - count // 2), split=split) for i in range(count)]


def predicting(name, known, factor, nulls=()):
    """A contender that predicts ``factor`` times the truth."""
    predicted = {one.name: shifts({key: factor * shift.nats for key, shift in one.shifts.items()}) for one in known}
    return Contender(name, predicted, tuple(nulls), seconds=1.0)


def null(change, nats, *, source="gsm8k", split="tuned"):
    return Null(change, source, split, shifts(nats))
