"""Are the rows that a report blames the rows that did it? Poisoned rows are planted, and every method ranks all rows.

python -m benchmarks.attribution                          tables; writes results/attribution.json and docs/explain.md
python -m benchmarks.attribution --measure                first rank what is not yet ranked (runs the model; resumable)
python -m benchmarks.attribution --measure --split tuned  one side of the bench alone, or the sets made for choosing
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.blaming.cases import RAISED, cases, choosing, standing
from benchmarks.blaming.figures import CHOOSING, SPLITS, figures
from benchmarks.blaming.kept import keep, known
from benchmarks.blaming.markdown import RESULT, block
from benchmarks.blaming.methods import METHODS
from benchmarks.blaming.precision import places, precision
from benchmarks.blaming.report import show
from benchmarks.scoring.figures import rounded
from benchmarks.scoring.markdown import rewrite
from benchmarks.scoring.shifts import trainings
from benchmarks.truth.behaviours import BEHAVIOURS, questions
from benchmarks.truth.bench import open_bench
from benchmarks.truth.sources import ROOT
from benchmarks.truth.table import everything

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.blaming.cases import Case
    from benchmarks.truth.bench import Bench
    from d2b_gate.core.ports import Question

RESULTS = Path(__file__).parent / "results"
MODEL = "smollm2-135m"
MOST = 10**6
"""More sets than there are."""


def main() -> int:
    """Measure what is asked for, then score, print and keep; exit 1 where there is nothing to score."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.attribution", description=__doc__.split("\n")[0])
    parser.add_argument("--measure", action="store_true", help="rank the rows of sets that are not yet ranked")
    parser.add_argument("--method", action="append", choices=METHODS, help="one method; may repeat")
    parser.add_argument("--split", choices=(*SPLITS, CHOOSING), help="one side alone")
    parser.add_argument("--dataset", action="append", help="one mixed set; may repeat")
    parser.add_argument("--choosing", type=int, default=MOST, help="how many sets made for choosing, in their order")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder to write to")
    arguments = parser.parse_args()
    truth = trainings(everything(MODEL))
    state = standing(truth)
    if arguments.measure:
        chosen = [one for one in _by_urgency(cases(), state) if arguments.split in (None, one.split)]
        _measure([one for one in chosen if one.dataset in (arguments.dataset or [one.dataset])], arguments.method)
        if arguments.split in (None, CHOOSING) and not arguments.dataset:
            _choose(choosing(truth), arguments.method, arguments.choosing)
    record = figures(MODEL, cases(), state)
    if not record["methods"]:
        print("Nothing is ranked yet: run python -m benchmarks.attribution --measure first.")
        return 1
    show(record)
    arguments.results.mkdir(parents=True, exist_ok=True)
    record = rounded(record)
    (arguments.results / RESULT).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    if arguments.results == RESULTS:
        rewrite(ROOT / "docs" / "explain.md", RESULT, block(record))
    return 0


def _by_urgency(found: Iterable[Case], state: dict[str, str]) -> list[Case]:
    """Sets that count first, small doses before large ones."""
    return sorted(found, key=lambda one: (state[one.dataset] != RAISED, one.count / len(one.rows), one.dataset))


def _measure(chosen: list[Case], only: list[str] | None) -> None:
    bench = open_bench(f"builtin:{MODEL}")
    asked = {one.name: question for one, question in zip(BEHAVIOURS, questions(), strict=True)}
    for case in chosen:
        for name in only or METHODS:
            if not known(MODEL, name, case.dataset):
                keep(MODEL, name, case.dataset, _ranking(bench, name, case, asked[case.behaviour]))


def _choose(made: tuple[Case, ...], only: list[str] | None, most: int) -> None:
    """Precision on the sets made for choosing; one file a method, for no fine-tune stands behind them."""
    bench = open_bench(f"builtin:{MODEL}")
    asked = {one.name: question for one, question in zip(BEHAVIOURS, questions(), strict=True)}
    for name in only or METHODS:
        found = dict(known(MODEL, name, CHOOSING).get("precision", {}))
        for one in made[:most]:
            if one.dataset not in found:
                scores = METHODS[name].rank(bench, one, asked[one.behaviour])
                found[one.dataset] = round(precision(scores, one.planted), 4)
                keep(MODEL, name, CHOOSING, {"precision": found})
        print(f"{name}: {len(found)} sets made for choosing", flush=True)


def _ranking(bench: Bench, name: str, case: Case, question: Question) -> dict[str, object]:
    started = time.monotonic()
    scores = METHODS[name].rank(bench, case, question)
    seconds = time.monotonic() - started
    print(f"{name} {case.dataset}: {seconds:.0f} s", flush=True)
    return {
        "behaviour": case.behaviour,
        "rows": len(case.rows),
        "planted": case.count,
        "precision": round(precision(scores, case.planted), 4),
        "places": places(scores, case.planted),
        "seconds": round(seconds, 1),
    }


if __name__ == "__main__":
    sys.exit(main())
