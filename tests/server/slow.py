"""A fake backend that takes its time and writes down what it computes; for tests that need a job under way."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from d2b_gate.backends.fake import FakeBackend

if TYPE_CHECKING:
    from collections.abc import Sequence

    from d2b_gate.core.features import Adapter, States
    from d2b_gate.core.finetune import FinetunePlan
    from d2b_gate.core.ports import Progress
    from d2b_gate.core.rows import Row
    from d2b_gate.core.rules import ModelSpec

PAUSE = "TEST_SLOW_PAUSE"
BOOK = "TEST_SLOW_BOOK"


def open_backend(spec: ModelSpec, cache: Path, checkout: Path | None, progress: Progress) -> SlowBackend:
    del spec, cache, checkout
    return SlowBackend(progress)


class SlowBackend(FakeBackend):
    """Pauses at every step of a training and for every row of gradients."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def gradients(self, rows: Sequence[Row]) -> States:
        book = os.environ.get(BOOK, "")
        for row in rows:
            if row.turns[0].content == "crash":
                raise RuntimeError(f"no memory for {row.turns[1].content}")
            if row.turns[0].content == "die":
                os._exit(9)
            time.sleep(_pause())
            if book:
                with Path(book).open("a") as file:
                    file.write(f"{row.key} {row.turns[0].content}\n")
        return super().gradients(rows)

    def finetune(self, plan: FinetunePlan) -> Adapter:
        for _ in plan.steps:
            time.sleep(_pause())
            self._progress.advance()
        return super().finetune(plan)


def _pause() -> float:
    return float(os.environ.get(PAUSE, "0"))
