"""Fit the calibration that ships with the gate, on the tuned-on split alone; the held-out split stays unseen.

python -m benchmarks.calibration        writes policies/calibration/smollm2-135m.json
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

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.scoring.predictions import Contender
    from benchmarks.scoring.shifts import Training

FOLDER = ROOT / "policies" / "calibration"


def main() -> int:
    """Fit and write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calibration", description=__doc__.split("\n")[0])
    parser.add_argument("--model", default="builtin:smollm2-135m")
    arguments = parser.parse_args()
    bench = open_bench(arguments.model)
    method = MethodSpec()
    known = trainings(everything(bench.label))
    contender = next(
        one for one in contenders(bench.label, [one.name for one in known]) if one.name == method.predictor
    )
    calibration = Calibration(
        key=calibration_key(bench.backend.card, method),
        model=bench.backend.card.id,
        basis=_basis(contender, known),
        lines=_lines(contender, known),
    )
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{bench.label}.json").write_text(calibration_text(calibration), encoding="utf-8")
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
