"""Predict every training set of the bench by every contender; resumable, results are committed.

python -m benchmarks.contenders                      what is not yet predicted
python -m benchmarks.contenders --only mdf-tuned     one contender
"""

from __future__ import annotations

import argparse
import sys
import time

from benchmarks.contenders.kept import keep, known
from benchmarks.contenders.lineup import LINEUP
from benchmarks.contenders.states import commit_of, shifts
from benchmarks.truth.bench import open_bench
from benchmarks.truth.datasets import datasets
from benchmarks.truth.families import by_hash, split_of


def main() -> int:
    """Predict what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.contenders", description=__doc__.split("\n")[0])
    parser.add_argument("--only", action="append", choices=LINEUP, help="one contender; may repeat")
    parser.add_argument("--dataset", action="append", help="one training set; may repeat")
    parser.add_argument("--split", choices=("tuned", "held_out"), help="one side alone")
    parser.add_argument("--shard", default="1/1", metavar="K/N", help="every N-th training set, from the K-th")
    parser.add_argument("--model", default="builtin:smollm2-135m")
    arguments = parser.parse_args()
    bench = open_bench(arguments.model)
    part, parts = (int(number) for number in arguments.shard.split("/"))
    for name in (arguments.dataset or by_hash(datasets()))[part - 1 :: parts]:
        dataset = datasets()[name]
        if arguments.split and split_of(dataset.family) != arguments.split:
            continue
        for contender in arguments.only or LINEUP:
            if known(bench.label, contender, name):
                continue
            started = time.monotonic()
            before, after = LINEUP[contender].predict(bench, commit_of(dataset))
            seconds = time.monotonic() - started
            keep(bench.label, contender, name, {"shifts": shifts(before, after), "seconds": round(seconds, 1)})
            print(f"{contender} {name}: {seconds:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
