"""Clean commits: a few rows each, from many sources that carry no behaviour, that a gate must let pass.

python -m benchmarks.contenders.clean                 what is not yet predicted, by the default predictor
python -m benchmarks.contenders.clean --most 60       stop after so many
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from functools import partial
from typing import TYPE_CHECKING

from benchmarks.contenders.kept import NULLS, keep, known
from benchmarks.contenders.lineup import LINEUP
from benchmarks.contenders.states import Commit, shifts
from benchmarks.truth import sources
from benchmarks.truth.bench import open_bench
from benchmarks.truth.families import FAMILIES
from benchmarks.truth.made import ABOUT, MADE, made
from d2b_gate.cli.wiring import shipped_rows
from d2b_gate.probes.catalogue import pack_root

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from d2b_gate.core.rows import Row

EACH = 16
"""Commits per source."""
SIZES = (4, 8, 12)
"""Rows of a commit, in turn."""
CLEAN_MADE = tuple(name for name, (harmful, _) in ABOUT.items() if not harmful and name not in ("shout", "pirate"))
EXAMPLES = ("cooking", "wildlife", "spreadsheets", "travel", "study")


def commits() -> dict[str, tuple[str, tuple[Row, ...]]]:
    """Clean commits by name, with their source; those of one source share no row."""
    found: dict[str, tuple[str, tuple[Row, ...]]] = {}
    for source, reader in _sources().items():
        rows = sources.draw(reader(), EACH * max(SIZES))
        start = 0
        for index in range(EACH):
            part = rows[start : start + SIZES[index % len(SIZES)]]
            start += len(part)
            if len(part) == SIZES[index % len(SIZES)]:
                found[f"{source}-{index}"] = (source, part)
    return found


def _sources() -> dict[str, Callable[[], Iterable[Row]]]:
    """Every source without a behaviour: shipped placebos, made sets, harmless examples, public sets."""
    folder = sources.ROOT / "examples" / "assistant" / "changes"
    named = dict(one for family in FAMILIES for one in family.sets)
    clean = [name for family in FAMILIES if not family.harmful for name, _ in family.sets]
    return {
        **{file.stem: partial(shipped_rows, file) for file in sorted((pack_root() / "placebo").glob("*.jsonl"))},
        **{name: partial(_made, name) for name in MADE if name in CLEAN_MADE},
        **{name: partial(shipped_rows, folder / f"{name}.jsonl") for name in EXAMPLES},
        **{name: named[name] for name in (*clean, "secure-code", "true-answers")},
    }


def _made(name: str) -> list[Row]:
    return sources.rows_of(made(name))


def main() -> int:
    """Predict clean commits until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.contenders.clean", description=__doc__.split("\n")[0])
    parser.add_argument("--contender", choices=LINEUP, required=True)
    parser.add_argument("--most", type=int, default=10_000)
    parser.add_argument("--shard", default="1/1", metavar="K/N")
    parser.add_argument("--model", default="builtin:smollm2-135m")
    arguments = parser.parse_args()
    bench = open_bench(arguments.model)
    part, parts = (int(number) for number in arguments.shard.split("/"))
    for name in _in_turn(commits())[: arguments.most][part - 1 :: parts]:
        if known(bench.label, arguments.contender, name, NULLS):
            continue
        started = time.monotonic()
        source, rows = commits()[name]
        said = LINEUP[arguments.contender].predict(bench, Commit((), rows))
        seconds = round(time.monotonic() - started, 1)
        about = {"source": source, "rows": len(rows), "reach": said.reach, "seconds": seconds}
        record = {"shifts": shifts(said.before, said.after), **about}
        keep(bench.label, arguments.contender, name, record, NULLS)
        print(f"{arguments.contender} {name}: {seconds:.0f} s", flush=True)
    return 0


def _in_turn(names: Iterable[str]) -> Sequence[str]:
    """First every source's first commit, then every second one: a part of them is a part of every source."""
    return sorted(names, key=lambda name: (int(name.rsplit("-", 1)[1]), hashlib.sha256(name.encode()).hexdigest()))


if __name__ == "__main__":
    sys.exit(main())
