"""Fit the calibrations that ship with the gate, on the tuned-on split alone; the held-out split stays unseen.

python -m benchmarks.calibration        writes policies/calibration/smollm2-135m.json, and one for first looks
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from benchmarks.scoring.calibrated import FITTED_ON, fit_lines
from benchmarks.scoring.predictions import contenders
from benchmarks.scoring.shifts import trainings
from benchmarks.truth.behaviours import BEHAVIOURS, questions
from benchmarks.truth.bench import open_bench
from benchmarks.truth.sources import ROOT
from benchmarks.truth.table import everything
from d2b_gate.core.calibration_file import CalibratedLine, Calibration, Unfitted, calibration_key, calibration_text
from d2b_gate.core.rules import MethodSpec
from d2b_gate.gate.firstlook import shorter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.scoring.predictions import Contender
    from benchmarks.scoring.shifts import Training

FOLDER = ROOT / "policies" / "calibration"
METHOD = MethodSpec()
FIRST_LOOK = f"{METHOD.predictor}-{METHOD.first_look}"
"""The contender that predicts as a first look does."""


def main() -> int:
    """Fit and write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calibration", description=__doc__.split("\n")[0])
    parser.add_argument("--model", default="builtin:smollm2-135m")
    arguments = parser.parse_args()
    bench = open_bench(arguments.model)
    known = trainings(everything(bench.label))
    found = {one.name: one for one in contenders(bench.label, [one.name for one in known])}
    FOLDER.mkdir(exist_ok=True)
    for name, contender, method in (("", METHOD.predictor, METHOD), ("-first-look", FIRST_LOOK, shorter(METHOD))):
        calibration = Calibration(
            key=calibration_key(bench.backend.card, method),
            model=bench.backend.card.id,
            basis=_basis(found[contender], known),
            lines=_lines(found[contender], known),
        )
        (FOLDER / f"{bench.label}{name}.json").write_text(calibration_text(calibration), encoding="utf-8")
        print(calibration_text(calibration))
    return 0


def _lines(contender: Contender, known: Sequence[Training]) -> tuple[CalibratedLine, ...]:
    every = fit_lines(contender, known).scale
    fitted = {name: line for name, line in every.items() if line.sure}
    return tuple(
        CalibratedLine(
            probe=question.probe.id,
            probe_digest=question.probe.digest,
            target=question.target,
            unit=question.probe.unit,
            null=tuple(null.shifts[one.name].scaled(one) for null in contender.nulls if null.split == FITTED_ON),
            line=fitted.get(one.name, Unfitted()),
        )
        for one, question in zip(BEHAVIOURS, questions(), strict=True)
    )


def _basis(contender: Contender, known: Sequence[Training]) -> str:
    seen = [one for one in known if one.split == FITTED_ON and one.name in contender.predicted]
    trained = sum(one.seeds for one in seen)
    return f"{trained} real fine-tunes on {len(seen)} sets of {len({one.family for one in seen})} sources"


if __name__ == "__main__":
    sys.exit(main())
