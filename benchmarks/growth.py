"""How shifts and errors grow with a training's length, on the tuned-on split: what `growth` and its errors rest on.

python -m benchmarks.growth        a line per tuned-on set that the training visits more often than the predictor does
"""

from __future__ import annotations

import argparse
import math
import sys
from dataclasses import dataclass, replace
from statistics import NormalDist, fmean, median
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from benchmarks.scoring.calibrated import FITTED_ON, fit_lines
from benchmarks.scoring.predictions import contenders
from benchmarks.scoring.shifts import LONG, UNTOUCHED, spread_over_seeds, trainings
from benchmarks.truth.behaviours import BEHAVIOURS
from benchmarks.truth.table import everything
from d2b_gate.core.calibration import BEYOND, COVERED, FURTHEST, LONGEST, LOUDER, loud
from d2b_gate.core.mixture import growth_of
from d2b_gate.core.rules import MethodSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks.scoring.predictions import Contender
    from benchmarks.scoring.shifts import Training
    from d2b_gate.core.calibration import Extent, Line

METHOD = MethodSpec()


def slope(pairs: Sequence[tuple[float, float]]) -> float:
    """Least squares through the origin, of truth on prediction."""
    return math.fsum(said * true for said, true in pairs) / math.fsum(said**2 for said, _ in pairs)


def pairs_of(contender: Contender, one: Training) -> list[tuple[float, float]]:
    """Predicted shifts before any stretching, and true ones, in nats."""
    growth = growth_of(contender.reaches[one.name], METHOD)
    said = contender.predicted[one.name]
    return [(said[name].nats / growth, one.shifts[name].nats) for name in (behaviour.name for behaviour in BEHAVIOURS)]


@dataclass(frozen=True, slots=True)
class Axis:
    """One of the two ways in which a training goes beyond what a line was fitted on."""

    name: str
    times: Callable[[Extent, Line], float]  # how many times it does so
    without: Callable[[Extent], Extent]  # the same training, were it no farther along this axis


LENGTH = Axis(
    "length", lambda extent, line: min(extent.length / line.length, LONGEST), lambda extent: replace(extent, length=0.0)
)
REACH = Axis("reach", lambda extent, _: min(extent.reach, FURTHEST), lambda extent: replace(extent, reach=1.0))


def needed(contender: Contender, axis: Axis, far: Sequence[Training], near: Sequence[Training]) -> list[float]:
    """Power along the axis by which noise must grow for the interval to reach each far reading, in ascending order.

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
            known = line.noise * loud(axis.without(extent), line.length)
            factor = math.sqrt(max(rest, known**2)) / known
            found.append(math.log(factor) / math.log(axis.times(extent, line)))
    return sorted(found)


def main() -> int:
    """Print the slopes, and the powers that they imply."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__.split("\n")[0])
    parser.add_argument("--model", default="smollm2-135m")
    model = parser.parse_args().model
    table = everything(model)
    tuned = {name: one for name, one in table.items() if name == UNTOUCHED or one["dataset"]["split"] == FITTED_ON}
    known = trainings(tuned)
    default, *others = _tunings(contenders(model, [one.name for one in known]))
    console = Console(width=120)
    powers = [power for one in (default, *others) for power in _print_slopes(console, one, _far(one, known))]
    console.print(f"mean power {fmean(powers):.2f}, median {median(powers):.2f}; the method's is {METHOD.growth:g}")
    _print_spread(console, tuned, known)
    near = [one for one in known if one.rows < LONG]
    diluted = [one for one in known if one.rows >= LONG and one not in _far(default, known)]
    _print_power(console, LENGTH, needed(default, LENGTH, diluted, near), LOUDER)
    reached = [power for one in (default, *others) for power in needed(one, REACH, _far(one, known), near)]
    _print_power(console, REACH, sorted(reached), BEYOND)
    return 0


def _tunings(found: Sequence[Contender]) -> list[Contender]:
    """The default predictor, then the same with other numbers of steps: a shorter tuning has the farther reach."""
    named = [one for one in found if one.name.startswith(METHOD.predictor)]
    return sorted(named, key=lambda one: one.name != METHOD.predictor)


def _far(contender: Contender, known: Sequence[Training]) -> list[Training]:
    """Sets that the training visits more often than the tuning."""
    return [one for one in known if contender.reaches.get(one.name, 1.0) > 1]


def _print_slopes(console: Console, contender: Contender, far: Sequence[Training]) -> list[float]:
    table = Table(title=f"{contender.name}, {FITTED_ON} split", title_justify="left")
    for column in ("training set", "rows", "reach", "true / tuned shift", "power of the reach"):
        table.add_column(column)
    powers: list[float] = []
    for one in far:
        reach, ratio = contender.reaches[one.name], slope(pairs_of(contender, one))
        powers.append(math.log(max(ratio, 0.01)) / math.log(reach))
        table.add_row(one.name, str(one.rows), f"{reach:.2f}", f"{ratio:.2f}", f"{powers[-1]:.2f}")
    console.print(table)
    return powers


def _print_spread(console: Console, tuned: Mapping[str, Mapping[str, Any]], known: Sequence[Training]) -> None:
    """What no predictor can know: the spread over seeds."""
    alone = [one for one in known if not one.dose.endswith("pct")]
    short, long = (
        fmean(spread_over_seeds(tuned, [one.name for one in alone if (one.rows >= LONG) is far]).values())
        for far in (False, True)
    )
    console.print(f"spread over seeds: {short:.3f} nats in short trainings, {long:.3f} in long ones")


def _print_power(console: Console, axis: Axis, powers: Sequence[float], taken: float) -> None:
    rank = min(len(powers), math.ceil(COVERED * (len(powers) + 1)))
    console.print(
        f"{COVERED:.0%} of {len(powers)} readings need errors to grow with the {axis.name} to the power "
        f"{powers[rank - 1]:.2f}; they take {taken:g}"
    )


if __name__ == "__main__":
    sys.exit(main())
