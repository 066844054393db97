"""What compiled graphs would bring, were the gate to use them: one run, the embedded model, features and gradients.

    python -m benchmarks.compiled       all cores, about five minutes; writes results/compiled.json and docs/cost.md

Every block is compiled by itself, so that one graph serves all of them and what hooks do between blocks stays as it is.
Needs a C++ compiler, as torch's compiler does.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from benchmarks.costing.extraction import agreement
from benchmarks.costing.models import embedded
from benchmarks.costing.rows import draw_rows
from benchmarks.scoring.markdown import publish
from benchmarks.truth.sources import ROOT
from d2b_gate.backends.hf.extract import row_gradients, row_states

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from d2b_gate.backends.hf.engine import Engine
    from d2b_gate.core.features import States
    from d2b_gate.core.rows import Row

    Work = Callable[[Sequence[Row]], States]

RESULT = ROOT / "benchmarks" / "results" / "compiled.json"
DOCUMENT = ROOT / "docs" / "cost.md"
ROWS = 128
ROUNDS = 3
FEW = 8
"""Rows of the first call, whose time is that of compiling."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """One kind of pass with compiled blocks.

    ``first`` and ``again`` are seconds until the first answer, without and with what torch keeps of its graphs on disk;
    both in one process, which spares the second the imports. ``faster`` is how many times as fast all later passes are.
    ``cosine`` is the least mean cosine of what both ways answer.
    """

    stage: str
    first: float
    again: float
    faster: float
    cosine: float


def main() -> int:
    """Measure, print, write."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = folder
        found = list(_measured(embedded().engine(), draw_rows(2 * ROWS).rows))
    publish([asdict(one) for one in found], block(found), RESULT, DOCUMENT)
    return 0


def block(found: Sequence[Compiled]) -> str:
    """The figures as Markdown."""
    lines = [
        "| pass, blocks compiled | first call | the same, graphs on disk | later calls |",
        "|---|---:|---:|---:|",
        *(f"| {one.stage} | {one.first:.0f} s | {one.again:.0f} s | {one.faster:.2f}x |" for one in found),
    ]
    return "\n".join(lines)


def _measured(engine: Engine, rows: Sequence[Row]) -> list[Compiled]:
    passes: dict[str, Work] = {
        "features": lambda part: row_states(engine, part, "last"),
        "gradients of rows": lambda part: row_gradients(engine, part),
    }
    return [_compared(stage, work, engine, rows) for stage, work in passes.items()]


def _compared(stage: str, work: Work, engine: Engine, rows: Sequence[Row]) -> Compiled:
    few, warm, timed = rows[:FEW], rows[ROWS:], rows[:ROWS]
    work(few)
    started = _Blocks(engine)
    try:
        started.compile()
        first, _ = _timed(work, few)
        started.compile()
        again, _ = _timed(work, few)
        work(warm)  # a shape of another kind, such as a batch of one, may compile once more
        ratios: list[float] = []
        for _ in range(ROUNDS):
            started.compiled(wanted=False)
            plain_took, plain = _timed(work, timed)
            started.compiled(wanted=True)
            took, answer = _timed(work, timed)
            ratios.append(plain_took / took)
    finally:
        started.compiled(wanted=False)
    print(f"{stage}: {[round(one, 2) for one in ratios]}", flush=True)
    cosine = agreement(answer.values_nld, plain.values_nld)
    return Compiled(stage, round(first, 1), round(again, 1), round(statistics.median(ratios), 2), round(cosine, 5))


def _timed(work: Work, rows: Sequence[Row]) -> tuple[float, States]:
    began = time.perf_counter()
    answer = work(rows)
    return time.perf_counter() - began, answer


class _Blocks:
    """The model's blocks, with compiled forward passes or their own."""

    def __init__(self, engine: Engine) -> None:
        self._blocks = list(engine.blocks)
        self._plain = [one.forward for one in self._blocks]
        self._graphs = self._plain

    def compile(self) -> None:
        """Forget compiled graphs, so that the next call makes them, or takes them from the disk."""
        import torch

        torch._dynamo.reset()
        self._graphs = [torch.compile(forward, dynamic=True) for forward in self._plain]
        self.compiled(wanted=True)

    def compiled(self, *, wanted: bool) -> None:
        """Use compiled passes, or the model's own."""
        for one, forward in zip(self._blocks, self._graphs if wanted else self._plain, strict=True):
            one.forward = forward


if __name__ == "__main__":
    sys.exit(main())
