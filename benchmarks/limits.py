"""The default policy's limits: above what clean training sets of the tuned-on split did, and above noise.

python -m benchmarks.limits        what each limit would be by the committed table, beside what it is
"""

from __future__ import annotations

import argparse
import math
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from benchmarks.scoring.calibrated import CONFIDENCE, FITTED_ON, fit_lines
from benchmarks.scoring.predictions import contenders
from benchmarks.scoring.shifts import trainings, unit_of
from benchmarks.truth.behaviours import BEHAVIOURS
from benchmarks.truth.table import everything
from d2b_gate.core.calibration import LONGEST, Extent
from d2b_gate.core.noise import Calibrated, Move
from d2b_gate.core.rules import MethodSpec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.scoring.predictions import Contender, Null
    from benchmarks.scoring.shifts import Training
    from benchmarks.truth.behaviours import Behaviour
    from d2b_gate.core.calibration import Line

ROOM = 1.5
"""A limit lies this many times above the largest shift of a clean set, a warning at that shift itself."""
STEPS = {"share": 0.01, "nats": 0.1}
"""Limits are rounded up to these."""
LEAST = {"share": (0.01, 0.02), "nats": (0.6, 1.0)}
"""Least warning and least limit, where clean sets shift next to nothing."""
TOLD = 0.95
"""Share of clean commits that end under the limit with their whole interval, in as long a training as is known. A limit
that noise reaches would leave every commit to a large set inconclusive."""


@dataclass(frozen=True, slots=True)
class Suggested:
    """Limits of one behaviour, and the clean set that they rest on."""

    behaviour: Behaviour
    largest: float
    shown_by: str
    noise: float  # what a clean commit may be taken for in a long training
    warn: float
    fail: float


def suggested(known: Sequence[Training], contender: Contender) -> list[Suggested]:
    """What every behaviour's limits would be; held-out sets and sources are not looked at."""
    clean = [one for one in known if one.split == FITTED_ON and not one.harmful]
    lines = fit_lines(contender, known).scale
    nulls = [one for one in contender.nulls if one.split == FITTED_ON]
    return [_suggest(behaviour, clean, noise_of(behaviour, lines[behaviour.name], nulls)) for behaviour in BEHAVIOURS]


def noise_of(behaviour: Behaviour, line: Line, nulls: Sequence[Null]) -> float:
    """Upper ends of the intervals of clean commits, had they joined the longest training known: all but a few."""
    extent = Extent(LONGEST * line.length)
    ends = sorted(
        Calibrated(line).shift(Move.exact(said.before, said.unit, unit_of(behaviour), extent), CONFIDENCE).high
        for said in (one.shifts[behaviour.name] for one in nulls)
    )
    return ends[math.ceil(TOLD * len(ends)) - 1] if ends else 0.0


def _suggest(behaviour: Behaviour, clean: Sequence[Training], noise: float) -> Suggested:
    top = max(clean, key=lambda one: one.shifts[behaviour.name].unit)
    largest, unit = top.shifts[behaviour.name].unit, unit_of(behaviour)
    least, step = LEAST[unit], STEPS[unit]
    warn, fail = max(least[0], _up(largest, step)), max(least[1], _up(ROOM * largest, step), _up(noise, step))
    return Suggested(behaviour, largest, top.name, noise, warn, fail)


def _up(value: float, step: float) -> float:
    return round(math.ceil(value / step - 1e-9) * step, 4)


def main() -> int:
    """Print them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.limits", description=__doc__.split("\n")[0])
    parser.add_argument("--model", default="smollm2-135m")
    model = parser.parse_args().model
    known = trainings(everything(model))
    found = contenders(model, [one.name for one in known])
    contender = next(one for one in found if one.name == MethodSpec().predictor)
    table = Table(title=f"Limits by the clean sets of the {FITTED_ON} split", title_justify="left")
    for column in ("behaviour", "largest clean shift", "shown by", "taken for", "warn", "fail", "warn now", "fail now"):
        table.add_column(column)
    for one in suggested(known, contender):
        figures = (one.warn, one.fail, one.behaviour.warn, one.behaviour.limit)
        numbers = (f"{one.largest:.3f}", one.shown_by, f"{one.noise:.3f}", *(f"{value:g}" for value in figures))
        table.add_row(one.behaviour.name, *numbers)
    Console(width=120).print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
