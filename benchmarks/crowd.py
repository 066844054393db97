"""Do a few bad rows among more rows than are drawn come under the dilution guard's eyes?

    python -m benchmarks.crowd        runs the model over the rows once; writes its result and docs/dilution-guard.md

Ten rows of a poison among two thousand clean rows of several sources, as one addition. Counted is which of them the
guard looks at closely: those that the seeded draw holds, and those that the pass over every row sets apart. Nothing
was chosen on these figures, so neither side of the bench is a side here.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from benchmarks.guard import MODEL, poisons
from benchmarks.scoring.markdown import rewrite
from benchmarks.truth.bench import open_bench
from benchmarks.truth.datasets import REAL_BASES
from benchmarks.truth.families import FAMILIES
from benchmarks.truth.sources import ROOT, draw
from d2b_gate.core.mixture import subsample
from d2b_gate.core.rows import RowRef
from d2b_gate.core.unlike import Farthest, frame_of
from d2b_gate.gate.alike import FARTHEST, MORE, compared_states

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from benchmarks.truth.bench import Bench
    from d2b_gate.core.rows import Row

RESULT = ROOT / "benchmarks" / "results" / "crowd.json"
CROWD = 2000
PLANTED = 10


@dataclass(frozen=True, slots=True)
class Seen:
    """How many planted rows of one poison are looked at closely; those set apart are none of those drawn."""

    poison: str
    split: str
    drawn: int
    set_apart: int


def main() -> int:
    """Look, print, write."""
    bench = open_bench(f"builtin:{MODEL}")
    clean = crowd()
    states_nd = compared_states(clean, bench.backend)
    found = [_seen(one.name, one.split, clean, states_nd, one.rows[:PLANTED], bench) for one in poisons()]
    text = block(found)
    print(text)
    rewrite(ROOT / "docs" / "dilution-guard.md", RESULT.name, text)
    record = {"clean": len(clean), "planted": PLANTED, "poisons": [asdict(one) for one in found]}
    RESULT.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 0


def block(found: Sequence[Seen]) -> str:
    """The figures as Markdown."""
    lines = [f"| {PLANTED} rows of | drawn | set apart besides |", "|---|---:|---:|"]
    lines += [f"| {one.poison} | {one.drawn} | {one.set_apart} |" for one in found]
    total = (PLANTED * len(found), sum(one.drawn for one in found), sum(one.set_apart for one in found))
    return "\n".join([*lines, f"| all {total[0]} | {total[1]} | {total[2]} |"])


def crowd() -> tuple[Row, ...]:
    """Clean rows, in about equal parts from the real clean sources."""
    readers = {name: reader for family in FAMILIES for name, reader in family.sets if name in REAL_BASES}
    each = CROWD // len(readers)
    rows = {row.key: row for _, reader in sorted(readers.items()) for row in draw(reader(), each)}
    return tuple(rows.values())


def _seen(
    name: str, split: str, clean: Sequence[Row], clean_nd: NDArray[np.float32], planted: Sequence[Row], bench: Bench
) -> Seen:
    import numpy as np

    rows = (*clean, *planted)
    states_nd = np.concatenate([clean_nd, compared_states(planted, bench.backend)])
    refs = [RowRef(row.key, "rows.jsonl", line) for line, row in enumerate(rows, 1)]
    drawn = {ref.line - 1 for ref in subsample(refs, {}, bench.method.max_changed, bench.method.seed)}
    found = Farthest(frame_of(states_nd[sorted(drawn)]), FARTHEST)
    found.show(refs, states_nd)
    bad = range(len(clean), len(rows))
    apart = {ref.line - 1 for ref in found.alike(MORE)} - drawn
    return Seen(name, split, len(drawn.intersection(bad)), len(apart.intersection(bad)))


if __name__ == "__main__":
    sys.exit(main())
