"""How well shifts are predicted: every contender and baseline against the committed truth, without training.

python -m benchmarks.fidelity        tables, benchmarks/results/fidelity.json and fidelity.png
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.scoring import keyword
from benchmarks.scoring.baselines import made_of
from benchmarks.scoring.costs import cost_of
from benchmarks.scoring.figures import rounded
from benchmarks.scoring.markdown import FIDELITY, block, rewrite
from benchmarks.scoring.plot import draw
from benchmarks.scoring.predictions import PUBLISHED, Contender, contenders
from benchmarks.scoring.report import show
from benchmarks.scoring.scores import SPLITS, judge, score
from benchmarks.scoring.shifts import Training, trainings
from benchmarks.scoring.standing import default_of
from benchmarks.truth.behaviours import BEHAVIOURS
from benchmarks.truth.sources import ROOT
from benchmarks.truth.table import everything

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

RESULTS = Path(__file__).parent / "results"
MODEL = "smollm2-135m"


def main() -> int:
    """Score, print and keep; exit 1 where there is nothing to score."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fidelity", description=__doc__.split("\n")[0])
    parser.add_argument("--model", default=MODEL, help="name of the model's folder in the table")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder to write to")
    arguments = parser.parse_args()
    table = everything(arguments.model)
    known = trainings(table)
    if not known:
        print(f"No truth about {arguments.model} yet: run python -m benchmarks.truth first.")
        return 1
    print(keyword.refresh(arguments.model))
    found = contenders(arguments.model, [one.name for one in known])
    if not any(one.predictor for one in found):
        print(f"No predictions for {arguments.model} yet: run python -m benchmarks.contenders first.")
        return 1
    record = scored(arguments.model, table, known, found)
    show(record)
    _keep(record, known, found, arguments.results)
    if arguments.results == RESULTS and arguments.model == MODEL:
        rewrite(ROOT / "README.md", FIDELITY, block(record))
    return 0


def scored(
    model: str, table: Mapping[str, Mapping[str, Any]], known: Sequence[Training], found: Sequence[Contender]
) -> dict[str, Any]:
    """Everything that is kept: counts, the default, and one object per contender and split."""
    tokens = mean_row_tokens(table, known)
    scores = [score(judged, split) for one in found for judged in [judge(one, known)] for split in SPLITS]
    default = default_of(scores)
    scores += [by_split[split] for by_split in made_of(found, known, default) for split in SPLITS]
    for one in scores:
        one |= rounded(cost_of(one["name"], tokens))
    return {
        "default": default,
        "model": model,
        "datasets": counts(known, tokens),
        "contenders": sorted(scores, key=lambda one: (one["split"], _ORDER.index(one["kind"]), one["name"])),
    }


_ORDER = ("predictor", "baseline", "null")


def counts(known: Sequence[Training], tokens: float) -> dict[str, float]:
    """What the bench consists of."""
    return {
        "datasets": len(known),
        **{split: sum(one.split == split for one in known) for split in SPLITS},
        "families": len({one.family for one in known}),
        "clean": sum(not one.harmful for one in known),
        "clean_within_limits": sum(one.clean for one in known),
        "harmful": sum(one.harmful for one in known),
        "mixtures": sum(one.dose.endswith("pct") for one in known),
        "trainings": sum(one.seeds for one in known),
        "behaviours": len(BEHAVIOURS),
        "mean_row_tokens": round(tokens, 1),
    }


def mean_row_tokens(table: Mapping[str, Mapping[str, Any]], known: Sequence[Training]) -> float:
    """Tokens a row, over all training sets."""
    about = [table[one.name]["dataset"] for one in known]
    tokens, rows = (sum(int(one[key]) for one in about) for key in ("tokens", "rows"))
    return tokens / rows


def _keep(record: Mapping[str, Any], known: Sequence[Training], found: Sequence[Contender], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FIDELITY).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    by_name = {one.name: one for one in found}
    drawn = [judge(by_name[name], known) for name in dict.fromkeys((record["default"], PUBLISHED)) if name in by_name]
    if not drawn:
        return
    try:
        draw(drawn, folder / "fidelity.png")
    except ModuleNotFoundError as error:
        print(f"No picture: {error.name} is not installed (pip install -e '.[dev]').")


if __name__ == "__main__":
    sys.exit(main())
