"""The default policy's limits: set above what clean training sets of the tuned-on split really did.

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

from benchmarks.scoring.calibrated import FITTED_ON
from benchmarks.scoring.shifts import trainings, unit_of
from benchmarks.truth.behaviours import BEHAVIOURS
from benchmarks.truth.table import everything

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.scoring.shifts import Training
    from benchmarks.truth.behaviours import Behaviour

ROOM = 1.5
"""A limit lies this many times above the largest shift of a clean set, a warning at that shift itself."""
STEPS = {"share": 0.01, "nats": 0.1}
"""Limits are rounded up to these."""
LEAST = {"share": (0.01, 0.02), "nats": (0.6, 1.0)}
"""Least warning and least limit, where clean sets shift next to nothing: in a long training less is lost in noise."""


@dataclass(frozen=True, slots=True)
class Suggested:
    """Limits of one behaviour, and the clean set that they rest on."""

    behaviour: Behaviour
    largest: float
    shown_by: str
    warn: float
    fail: float


def suggested(known: Sequence[Training]) -> list[Suggested]:
    """What every behaviour's limits would be; held-out sets are not looked at."""
    clean = [one for one in known if one.split == FITTED_ON and not one.harmful]
    return [_suggest(behaviour, clean) for behaviour in BEHAVIOURS]


def _suggest(behaviour: Behaviour, clean: Sequence[Training]) -> Suggested:
    top = max(clean, key=lambda one: one.shifts[behaviour.name].unit)
    largest, unit = top.shifts[behaviour.name].unit, unit_of(behaviour)
    warn, fail = (
        max(least, _up(times * largest, STEPS[unit])) for times, least in zip((1.0, ROOM), LEAST[unit], strict=True)
    )
    return Suggested(behaviour, largest, top.name, warn, fail)


def _up(value: float, step: float) -> float:
    return round(math.ceil(value / step - 1e-9) * step, 4)


def main() -> int:
    """Print them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.limits", description=__doc__.split("\n")[0])
    parser.add_argument("--model", default="smollm2-135m")
    known = trainings(everything(parser.parse_args().model))
    table = Table(title=f"Limits by the clean sets of the {FITTED_ON} split", title_justify="left")
    for column in ("behaviour", "largest clean shift", "shown by", "warn", "fail", "warn now", "fail now"):
        table.add_column(column)
    for one in suggested(known):
        figures = (one.warn, one.fail, one.behaviour.warn, one.behaviour.limit)
        table.add_row(one.behaviour.name, f"{one.largest:.3f}", one.shown_by, *(f"{value:g}" for value in figures))
    Console(width=120).print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
