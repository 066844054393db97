"""How shifts and errors grow with a training's length, on the tuned-on split: what `growth` and its errors rest on.

python -m benchmarks.growth        a line per tuned-on set that the training visits more often than the predictor does
"""

from __future__ import annotations

import argparse
import math
import sys
from dataclasses import replace
from statistics import NormalDist, fmean, median
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from benchmarks.scoring.calibrated import FITTED_ON, fit_lines
from benchmarks.scoring.predictions import contenders
from benchmarks.scoring.shifts import UNTOUCHED, long_and_short_noise, trainings
from benchmarks.truth.behaviours import BEHAVIOURS
from benchmarks.truth.table import everything
from d2b_gate.core.calibration import BEYOND, COVERED, LOUDER, loud
from d2b_gate.core.mixture import growth_of
from d2b_gate.core.rules import MethodSpec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.scoring.predictions import Contender
    from benchmarks.scoring.shifts import Training

METHOD = MethodSpec()


def _tuned_on(model: str) -> dict[str, dict[str, Any]]:
    """The table without the held-out sets, whose noise is not looked at either."""
    found = everything(model)
    return {name: one for name, one in found.items() if name == UNTOUCHED or one["dataset"]["split"] == FITTED_ON}


def slope(pairs: Sequence[tuple[float, float]]) -> float:
    """Least squares through the origin, of truth on prediction."""
    return math.fsum(said * true for said, true in pairs) / math.fsum(said**2 for said, _ in pairs)


def pairs_of(contender: Contender, one: Training) -> list[tuple[float, float]]:
    """Predicted shifts before any stretching, and true ones, in nats."""
    growth = growth_of(contender.reaches[one.name], METHOD)
    said = contender.predicted[one.name]
    return [(said[name].nats / growth, one.shifts[name].nats) for name in (behaviour.name for behaviour in BEHAVIOURS)]


def needed(contender: Contender, far: Sequence[Training], near: Sequence[Training]) -> list[float]:
    """Power of the reach by which the noise must grow for the interval to reach each far reading, in ascending order.

    Lines are fitted on near sets of other sources; a reading that lies inside as it is needs none.
    """
    found: list[float] = []
    for one in far:
        lines = fit_lines(contender, [other for other in near if other.family != one.family]).scale
        extent = contender.extent(one)
        for behaviour in BEHAVIOURS:
            line, said = lines[behaviour.name], contender.predicted[one.name][behaviour.name].scaled(behaviour)
            missed = abs(one.shifts[behaviour.name].scaled(behaviour) - line.expected(said))
            missed /= NormalDist().inv_cdf(0.5 + COVERED / 2) * line.widening
            rest = missed**2 - (line.relative * line.expected(said)) ** 2 - (line.slope_error * said) ** 2
            known = line.noise * loud(replace(extent, reach=1.0), line.length)
            found.append(max(0.0, math.log(math.sqrt(max(rest, known**2)) / known) / math.log(extent.reach)))
    return sorted(found)


def main() -> int:
    """Print the slopes, and the powers that they imply."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__.split("\n")[0])
    parser.add_argument("--model", default="smollm2-135m")
    model = parser.parse_args().model
    known = [one for one in trainings(everything(model)) if one.split == FITTED_ON]
    found = contenders(model, [one.name for one in known])
    contender = next(one for one in found if one.name == METHOD.predictor)
    far = [one for one in known if contender.reaches.get(one.name, 1.0) > 1]
    table = Table(title=f"{contender.name}, {FITTED_ON} split", title_justify="left")
    for column in ("training set", "rows", "reach", "true / tuned shift", "power of the reach"):
        table.add_column(column)
    powers: list[float] = []
    for one in far:
        reach, ratio = contender.reaches[one.name], slope(pairs_of(contender, one))
        powers.append(math.log(max(ratio, 0.01)) / math.log(reach))
        table.add_row(one.name, str(one.rows), f"{reach:.2f}", f"{ratio:.2f}", f"{powers[-1]:.2f}")
    console = Console(width=120)
    console.print(table)
    if powers:
        console.print(f"mean power {fmean(powers):.2f}, median {median(powers):.2f}; the method's is {METHOD.growth:g}")
    long, short = (fmean(noise.values()) for noise in long_and_short_noise(_tuned_on(model)))
    longer = fmean(one.length for one in far) / median(one.length for one in known)
    power = math.log(math.sqrt(2) * long / short) / math.log(longer)
    console.print(f"spread over seeds: {short:.3f} nats in short trainings, {long:.3f} in long ones")
    console.print(f"the difference of two long ones: power {power:.2f} of the length; errors take {LOUDER:g}")
    if far:
        powers = needed(contender, far, [one for one in known if one.name in contender.predicted and one not in far])
        beyond = powers[min(len(powers) - 1, math.ceil(COVERED * (len(powers) + 1)) - 1)]
        console.print(
            f"{COVERED:.0%} of {len(powers)} readings need the noise to grow with the reach to the power {beyond:.2f}; "
            f"errors take {BEYOND:g}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
