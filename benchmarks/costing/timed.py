"""One `d2b-gate` run with a stopwatch and a counter at its seams: python -m benchmarks.costing.timed REPORT ARGUMENT...

Seconds are booked as in `benchmarks.warmth.timed`; positions (tokens and padding) are counted where they enter the
first block, and rows where their states are asked for.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.warmth.timed import Stopwatch, instrument

if TYPE_CHECKING:
    from collections.abc import Sequence

    from d2b_gate.backends.hf.backend import HfBackend
    from d2b_gate.backends.hf.engine import Engine
    from d2b_gate.core.features import Pooling, Site, States
    from d2b_gate.core.rows import Row


class Counts:
    """Positions by part, forward and backward, and rows whose states were computed."""

    def __init__(self, watch: Stopwatch) -> None:
        self.forward: Counter[str] = Counter()
        self.backward: Counter[str] = Counter()
        self.rows = 0
        self._watch = watch
        self._seen: set[int] = set()

    def follow(self, engine: Engine) -> None:
        """Count what enters the first block of this engine; an engine is followed once."""
        import torch

        if id(engine.blocks) in self._seen:
            return
        self._seen.add(id(engine.blocks))

        def count(_block: object, inputs: tuple[Any, ...], named: dict[str, Any]) -> None:
            hidden_btd = inputs[0] if inputs else named["hidden_states"]
            positions = hidden_btd.shape[0] * hidden_btd.shape[1]
            self.forward[self._watch.part] += positions
            self.backward[self._watch.part] += positions if torch.is_grad_enabled() else 0

        engine.blocks[0].register_forward_pre_hook(count, with_kwargs=True)


def main() -> int:
    """Run the command line, then write seconds and counts."""
    report, *argv = sys.argv[1:]
    watch = Stopwatch()
    instrument(watch)
    counts = Counts(watch)
    _count(counts)
    from d2b_gate.cli import main as gate

    code = gate(argv)
    counted = {"forward": dict(counts.forward), "backward": dict(counts.backward), "rows": counts.rows}
    Path(report).write_text(json.dumps({"seconds": watch.seconds, **counted}), encoding="utf-8")
    return code


def _count(counts: Counts) -> None:
    from d2b_gate.backends.hf.backend import HfBackend

    engine, states = HfBackend.engine, HfBackend.states

    def followed(backend: HfBackend) -> Engine:
        loaded = engine(backend)
        counts.follow(loaded)
        return loaded

    def counted(backend: HfBackend, rows: Sequence[Row], pooling: Pooling, sites: Sequence[Site] = ()) -> States:
        counts.rows += len(rows)
        return states(backend, rows, pooling, sites)

    setattr(HfBackend, "engine", followed)  # noqa: B010 - a counter at a seam is no method of the class
    setattr(HfBackend, "states", counted)  # noqa: B010 - likewise


if __name__ == "__main__":
    sys.exit(main())
