"""Predict every training set of the bench by every contender; resumable, results are committed.

python -m benchmarks.contenders                      what is not yet predicted
python -m benchmarks.contenders --only mdf-tuned     one contender
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING

from benchmarks.contenders.kept import keep, known
from benchmarks.contenders.lineup import LINEUP
from benchmarks.contenders.states import commit_of, shifts
from benchmarks.truth.bench import open_bench
from benchmarks.truth.datasets import datasets
from benchmarks.truth.families import by_hash, split_of

if TYPE_CHECKING:
    from benchmarks.truth.bench import Bench
    from benchmarks.truth.datasets import Dataset


def main() -> int:
    """Predict what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.contenders", description=__doc__.split("\n")[0])
    parser.add_argument("--only", action="append", choices=LINEUP, help="one contender; may repeat")
    parser.add_argument("--dataset", action="append", help="one training set; may repeat")
    parser.add_argument("--split", choices=("tuned", "held_out"), help="one side alone")
    parser.add_argument("--shard", default="1/1", metavar="K/N", help="every N-th training set, from the K-th")
    parser.add_argument("--again", action="store_true", help="predict anew without the cache and compare")
    parser.add_argument("--model", default="builtin:smollm2-135m")
    arguments = parser.parse_args()
    bench = open_bench(arguments.model, remembering=not arguments.again)
    part, parts = (int(number) for number in arguments.shard.split("/"))
    for name in (arguments.dataset or by_hash(datasets()))[part - 1 :: parts]:
        dataset = datasets()[name]
        if arguments.split and split_of(dataset.family) != arguments.split:
            continue
        for contender in arguments.only or LINEUP:
            _predict(bench, contender, dataset, again=arguments.again)
    return 0


def _predict(bench: Bench, contender: str, dataset: Dataset, *, again: bool) -> None:
    kept = known(bench.label, contender, dataset.name)
    if kept and not again:
        return
    started = time.monotonic()
    said = LINEUP[contender].predict(bench, commit_of(dataset))
    found = shifts(said.before, said.after)
    seconds = time.monotonic() - started
    if again:
        apart = [abs(found[name][unit] - value) for name, old in kept["shifts"].items() for unit, value in old.items()]
        print(f"{contender} {dataset.name}: largest difference from what is kept {max(apart):.5f}")
        return
    keep(bench.label, contender, dataset.name, {"shifts": found, "reach": said.reach, "seconds": round(seconds, 1)})
    print(f"{contender} {dataset.name}: {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
