"""Whether a first look decides as the whole prediction does, on every training set and clean change of the truth bench.

    python -m benchmarks.first_look        tables; writes results/first_look.json and docs/calibration.md

Sets that train for no longer than a first look are predicted alike by both and prove nothing; they are counted apart.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from benchmarks.calibration import FIRST_LOOK, METHOD
from benchmarks.scoring.calibrated import CONFIDENCE, FITTED_ON, fit_lines, statuses
from benchmarks.scoring.markdown import rewrite
from benchmarks.scoring.predictions import contenders
from benchmarks.scoring.shifts import trainings, unit_of
from benchmarks.truth.behaviours import BEHAVIOURS
from benchmarks.truth.sources import ROOT
from benchmarks.truth.table import everything
from d2b_gate.core.calibration import FURTHEST
from d2b_gate.core.noise import Calibrated, Move
from d2b_gate.core.verdict import Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.scoring.calibrated import Lines
    from benchmarks.scoring.shifts import Shift
    from d2b_gate.core.calibration import Extent

RESULT = ROOT / "benchmarks" / "results" / "first_look.json"
MODEL = "smollm2-135m"


@dataclass(frozen=True, slots=True)
class Side:
    """What first looks did on sets that they predict otherwise than the whole prediction."""

    split: str
    sets: int
    quiet: int  # the whole prediction passes every rule without a word
    decided: int  # the first look decides
    wrong: int  # of those: the whole prediction says otherwise


def main() -> int:
    """Count, print, write."""
    sides, alike = measure()
    text = block(sides, alike)
    print(text)
    rewrite(ROOT / "docs" / "calibration.md", RESULT.name, text)
    record = {"steps": [METHOD.first_look, METHOD.steps], "sides": [asdict(one) for one in sides], "alike": alike}
    RESULT.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return 0


def block(sides: Sequence[Side], alike: int) -> str:
    """The figures as Markdown."""
    head = "| side | sets | the whole prediction passes quietly | the first look decides | wrongly |"
    line = "|---|---:|---:|---:|---:|"
    names = {FITTED_ON: "fitted on", "held_out": "held out"}
    rows = [f"| {names[one.split]} | {one.sets} | {one.quiet} | {one.decided} | {one.wrong} |" for one in sides]
    tail = f"\n{alike} further sets train for no longer than a first look, so that both predict the same.\n"
    return "\n".join([head, line, *rows, tail])


def measure() -> tuple[list[Side], int]:
    """Both sides of the bench, and how many sets say nothing."""
    known = trainings(everything(MODEL))
    found = {one.name: one for one in contenders(MODEL, [one.name for one in known])}
    whole, first = found[METHOD.predictor], found[FIRST_LOOK]
    lines = {one.name: fit_lines(one, known) for one in (whole, first)}
    counts = {split: [0, 0, 0, 0] for split in (FITTED_ON, "held_out")}
    alike = 0
    for one in known:
        said, other = (contender.predicted.get(one.name) for contender in (whole, first))
        if not said or not other or said == other:
            alike += bool(said) and said == other
            continue
        verdicts = statuses(said, lines[whole.name], BEHAVIOURS, whole.extent(one))
        quiet = set(verdicts.values()) == {Status.OK}
        decided = sure(other, lines[first.name], first.extent(one))
        adds = (1, quiet, decided, decided and not quiet)
        counts[one.split] = [count + int(more) for count, more in zip(counts[one.split], adds, strict=True)]
    return [Side(split, *four) for split, four in counts.items()], alike


def sure(shifts: Mapping[str, Shift], lines: Lines, extent: Extent) -> bool:
    """Whether a first look decides: the gate's own condition, at the default confidence."""
    judged = statuses(shifts, lines, BEHAVIOURS, extent)
    if extent.reach > FURTHEST:
        return False
    for one in BEHAVIOURS:
        if one.name not in judged:
            return False
        move = Move.exact(shifts[one.name].before, shifts[one.name].unit, unit_of(one), extent)
        high = Calibrated(lines.scale[one.name]).shift(move, CONFIDENCE).high
        if judged[one.name] is not Status.OK or high >= one.warn:
            return False
    return True


if __name__ == "__main__":
    sys.exit(main())
