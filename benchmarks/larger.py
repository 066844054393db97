"""The default predictor on a larger model of another family, beside the embedded model on the same training sets.

python -m benchmarks.larger        prints a table, writes benchmarks/results/larger.json; needs no model

No line is fitted for the larger model: predictions are scored as they come, on tuned-on and held-out sets alike, since
nothing was chosen by this model's truth. Its truth has one seed, so a shift counts as clear from half a nat.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from benchmarks.scoring.figures import mean_known, pearson, rate, rounded, spearman
from benchmarks.scoring.markdown import rewrite
from benchmarks.scoring.predictions import PUBLISHED, contenders
from benchmarks.scoring.shifts import trainings
from benchmarks.truth.behaviours import BEHAVIOURS
from benchmarks.truth.larger import NAME
from benchmarks.truth.sources import ROOT
from benchmarks.truth.table import everything
from d2b_gate.core.rules import MethodSpec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.scoring.predictions import Contender
    from benchmarks.scoring.shifts import Training

EMBEDDED = "smollm2-135m"
CLEAR = 0.5
"""Nats from which a true shift's sign counts; our choice, several times the embedded model's seed noise."""
RESULT = Path(__file__).parent / "results" / "larger.json"


def main() -> int:
    """Score both models on the sets that the larger one was trained on; exit 1 where there are none."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.larger", description=__doc__.split("\n")[0])
    parser.add_argument("--model", default=NAME, help="name of the larger model's folder in the table")
    model = parser.parse_args().model
    known = trainings(everything(model))
    names = [one.name for one in known]
    if not contenders(model, names):
        print(f"No truth or no prediction about {model} yet: benchmarks/truth/README.md says how to make them.")
        return 1
    record = {
        "model": model,
        "datasets": names,
        "contenders": [*_scores(model, names), *_scores(EMBEDDED, names)],
    }
    RESULT.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    rewrite(ROOT / "README.md", RESULT.name, sentence(record))
    _show(record)
    return 0


def _scores(model: str, names: Sequence[str]) -> list[dict[str, Any]]:
    known = [one for one in trainings(everything(model)) if one.name in names]
    wanted = (MethodSpec().predictor, PUBLISHED)
    return [{"model": model, **uncalibrated(one, known)} for one in contenders(model, names) if one.name in wanted]


def uncalibrated(contender: Contender, known: Sequence[Training]) -> dict[str, Any]:
    """Figures of predictions as they come, each with its n, in nats."""
    pairs = {
        one.name: [
            (said[one.name].nats, training.shifts[one.name].nats)
            for training in known
            if (said := contender.predicted.get(training.name))
        ]
        for one in BEHAVIOURS
    }
    flat = [pair for several in pairs.values() for pair in several]
    signs = rate(said * true > 0 for said, true in flat if abs(true) > CLEAR)
    return rounded(
        {
            "name": contender.name,
            "datasets": sum(one.name in contender.predicted for one in known),
            "readings": len(flat),
            "pearson": pearson(*_columns(flat)),
            "spearman_mean": mean_known([spearman(*_columns(several)) for several in pairs.values()]),
            "slope": sum(said * true for said, true in flat) / sum(said**2 for said, _ in flat),
            "sign_accuracy": signs.share,
            "sign_accuracy_n": signs.n,
            "sign_accuracy_wilson": signs.wilson,
        }
    )


def _columns(pairs: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [said for said, _ in pairs], [true for _, true in pairs]


def sentence(record: dict[str, Any]) -> str:
    """What the README says of it."""
    own, embedded = (
        next(one for one in record["contenders"] if (one["model"], one["name"]) == (model, MethodSpec().predictor))
        for model in (record["model"], EMBEDDED)
    )
    low, high = own["sign_accuracy_wilson"]
    return (
        f"On `{record['model']}`, as predicted and with nothing fitted: r = {own['pearson']:.2f}, mean Spearman "
        f"{own['spearman_mean']:.2f}, sign right in {own['sign_accuracy']:.0%} of {own['sign_accuracy_n']} shifts over "
        f"half a nat ({low:.0%} to {high:.0%}), over {own['datasets']} sets of 64 rows, where the tuning is as long as "
        f"the training; the embedded model on these very sets: "
        f"r = {embedded['pearson']:.2f}, Spearman {embedded['spearman_mean']:.2f}, {embedded['sign_accuracy']:.0%}."
    )


def _show(record: dict[str, Any]) -> None:
    table = Table(title=f"As predicted, nothing fitted: {', '.join(record['datasets'])}", title_justify="left")
    for column in ("model", "contender", "sets", "pooled r", "mean rho", "true / predicted", "sign right (n, 95 %)"):
        table.add_column(column)
    for one in record["contenders"]:
        low, high = one["sign_accuracy_wilson"] or (0.0, 1.0)
        sign = f"{one['sign_accuracy']:.2f} ({one['sign_accuracy_n']}, {low:.2f} to {high:.2f})"
        figures = (one["pearson"], one["spearman_mean"], one["slope"])
        table.add_row(
            one["model"], one["name"], str(one["datasets"]), *("-" if x is None else f"{x:.2f}" for x in figures), sign
        )
    Console(width=120).print(table)


if __name__ == "__main__":
    sys.exit(main())
