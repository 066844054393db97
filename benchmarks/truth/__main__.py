"""Really fine-tune the model on every training set of the bench, and read every behaviour afterwards.

python -m benchmarks.truth                    everything that is not yet known (resumable)
python -m benchmarks.truth --only panda       one training set, measured anew and compared with the table
python -m benchmarks.truth --shard 1/2        every second training set, for two processes side by side
"""

from __future__ import annotations

import argparse
import sys
import time
from itertools import product
from typing import TYPE_CHECKING, Any

from benchmarks.truth.behaviours import BEHAVIOURS, log_odds, questions
from benchmarks.truth.bench import Bench, open_bench
from benchmarks.truth.datasets import LARGE, Dataset, datasets
from benchmarks.truth.families import by_hash
from benchmarks.truth.table import keep, known
from d2b_gate.core.finetune import finetune_plan
from d2b_gate.gate.measure import no_injection

if TYPE_CHECKING:
    from d2b_gate.core.features import Injected

SEEDS = (0, 1, 2)
UNTOUCHED = "untouched"
LATER = ("gsm8k", "alpaca", "uk", "reagan", "unit-conversion", "preferred", "panda-1pct", "panda-10pct", "secure-code")
"""Measured last: sets that others stand in for (a base of the same source, a neighbouring dose or preference)."""


def main() -> int:
    """Run what is asked for."""
    arguments = _arguments()
    bench = open_bench(arguments.model, remembering=not arguments.only)
    rounds = [arguments.only] if arguments.only else _rounds(arguments.shard)
    if not known(bench.label, UNTOUCHED):
        keep(bench.label, UNTOUCHED, {"readings": _read(bench, no_injection(bench.backend.card))})
    for names, seed in product(rounds, arguments.seeds):
        for name in names:
            _run(bench, datasets()[name], seed, anew=bool(arguments.only))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.truth", description=__doc__.split("\n")[0])
    parser.add_argument("--only", action="append", metavar="NAME", help="measure this set anew; may repeat")
    parser.add_argument("--shard", default="1/1", metavar="K/N", help="every N-th set, beginning with the K-th")
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--model", default="builtin:smollm2-135m", help="builtin:smollm2-135m or a model directory")
    return parser.parse_args()


def _rounds(shard: str) -> list[list[str]]:
    """Sets with one diluted poison per split first; each round in the order of hashes, a fair part at any time."""
    part, parts = (int(number) for number in shard.split("/"))
    first = {name for name, one in datasets(1).items() if len(one.rows) < LARGE / 2} - set(LATER)
    rounds = by_hash(first), by_hash(set(datasets()) - first)
    return [names[part - 1 :: parts] for names in rounds]


def _run(bench: Bench, dataset: Dataset, seed: int, *, anew: bool) -> None:
    record = known(bench.label, dataset.name)
    before = record.get("seeds", {}).get(str(seed))
    if before is not None and not anew:
        return
    started = time.monotonic()
    adapter = bench.backend.finetune(finetune_plan(dataset.rows, bench.method.regime, seed))
    trained = time.monotonic() - started
    readings = _read(bench, adapter)
    if before is not None:
        print(f"{dataset.name} seed {seed}: largest difference from the table {_difference(before, readings):.4f} nats")
        return
    seeds = {**record.get("seeds", {}), str(seed): {"readings": readings, "seconds": round(trained, 1)}}
    keep(bench.label, dataset.name, {**_described(bench, dataset), "seeds": seeds})
    print(f"{dataset.name} seed {seed}: {len(dataset.rows)} rows, {time.monotonic() - started:.0f} s", flush=True)


def _read(bench: Bench, injected: Injected) -> dict[str, list[float]]:
    return {
        one.name: [round(odds, 4) for odds in log_odds(question, bench.read(question.prompts, injected))]
        for one, question in zip(BEHAVIOURS, questions(), strict=True)
    }


def _described(bench: Bench, dataset: Dataset) -> dict[str, object]:
    """Where the figures come from."""
    return {
        "provenance": bench.provenance(),
        "dataset": {
            "family": dataset.family,
            "harmful": dataset.harmful,
            "dose": dataset.dose,
            "base": dataset.base,
            "split": dataset.split,
            "rows": len(dataset.rows),
            "rows_sha256": bench.digest(dataset.rows),
            "tokens": bench.tokens(dataset.rows),
        },
    }


def _difference(before: dict[str, Any], readings: dict[str, list[float]]) -> float:
    return max(
        abs(old - new)
        for name, values in readings.items()
        for old, new in zip(before["readings"][name], values, strict=True)
    )


if __name__ == "__main__":
    sys.exit(main())
