"""One `d2b-gate` run with a stopwatch at its seams: python -m benchmarks.warmth.timed REPORT ARGUMENT...

Times are exclusive (what one part calls is not counted twice) and in seconds of the wall clock. ``rest`` is what no
part claims: starting Python, git, reading policy and rows, judging, the store, printing.
"""

from __future__ import annotations

import functools
import importlib
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

PARTS = {
    "features": ("lengths", "states", "gradients"),
    "training": ("tune", "finetune", "_train"),
    "reading": ("read", "sensitivities", "complete", "vocabulary", "token_texts"),
}


class Stopwatch:
    """Seconds per part; the innermost running part gets the time."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = dict.fromkeys(("imports", "load", *PARTS), 0.0)
        self._stack: list[str] = []
        self._since = time.perf_counter()

    @property
    def part(self) -> str:
        """The part that runs now; empty between them."""
        return self._stack[-1] if self._stack else ""

    def timed(self, part: str, work: Callable[..., object]) -> Callable[..., object]:
        """The same callable, its time booked."""

        @functools.wraps(work)
        def run(*arguments: object, **named: object) -> object:
            self._book()
            self._stack.append(part)
            try:
                return work(*arguments, **named)
            finally:
                self._book()
                self._stack.pop()

        return run

    def _book(self) -> None:
        now = time.perf_counter()
        if self._stack:
            self.seconds[self._stack[-1]] += now - self._since
        self._since = now


def main() -> int:
    """Run the command line, then write the parts."""
    report, *argv = sys.argv[1:]
    watch = Stopwatch()
    instrument(watch)
    from d2b_gate.cli import main as gate

    code = gate(argv)
    Path(report).write_text(json.dumps(watch.seconds), encoding="utf-8")
    return code


def instrument(watch: Stopwatch) -> None:
    """Book what every verb of the backends takes."""
    from d2b_gate.backends.hf.backend import HfBackend
    from d2b_gate.backends.remote.backend import RemoteBackend

    for backend in (HfBackend, RemoteBackend):
        for part, verbs in PARTS.items():
            for verb in verbs:
                if hasattr(backend, verb):
                    setattr(backend, verb, watch.timed(part, getattr(backend, verb)))
    heavy = watch.timed("imports", _import_heavy)
    engine = watch.timed("load", HfBackend.engine)

    def loaded(backend: HfBackend) -> object:
        if backend._engine is None:
            heavy()
        return engine(backend)

    setattr(HfBackend, "engine", loaded)  # noqa: B010 - a stopwatch at a seam is no method of the class


def _import_heavy() -> None:
    for name in ("d2b_gate.backends.hf.engine", "d2b_gate.backends.hf.models.load", "peft"):
        importlib.import_module(name)


if __name__ == "__main__":
    sys.exit(main())
