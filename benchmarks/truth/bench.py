"""The model under the bench: the gate's own backend, so that the bench measures what users run."""

from __future__ import annotations

import hashlib
import importlib.metadata
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from d2b_gate.core.rules import MethodSpec, ModelSpec
from d2b_gate.gate.caching import CachingBackend
from d2b_gate.registry import load
from d2b_gate.store.memory import MemoryStore
from d2b_gate.store.paths import cache_root
from d2b_gate.store.sqlite import open_store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from d2b_gate.core.features import Injected
    from d2b_gate.core.ports import Backend
    from d2b_gate.core.reading import LogProbs, Prompt
    from d2b_gate.core.rows import Row


class Silent:
    """Progress for nobody."""

    def stage(self, name: str, total: int) -> None:
        """Begin nothing."""

    def advance(self, steps: int = 1) -> None:
        """Go on with nothing."""

    def note(self, text: str) -> None:
        """Print a line."""
        print(text)


@dataclass(frozen=True, slots=True)
class Bench:
    """A model, and the method whose regime is the bench's recipe (the default policy's)."""

    label: str
    backend: Backend
    method: MethodSpec

    def provenance(self) -> dict[str, object]:
        """What the figures depend on."""
        card = self.backend.card
        return {
            "model": self.label,
            "revision": card.revision,
            "tokenizer": card.tokenizer_hash,
            "dtype": card.dtype,
            "device": card.device,
            "versions": {**dict(card.versions), "peft": importlib.metadata.version("peft")},
            "regime": asdict(self.method.regime),
        }

    def digest(self, rows: Sequence[Row]) -> str:
        """Content of a training set, in order."""
        return hashlib.sha256("\n".join(row.key for row in rows).encode()).hexdigest()

    def tokens(self, rows: Sequence[Row]) -> int:
        """Tokens of a training set."""
        return sum(length.tokens for length in self.backend.lengths(rows))

    def read(self, prompts: Sequence[Prompt], injected: Injected) -> tuple[LogProbs, ...]:
        """Log-probabilities of the prompts' continuations."""
        return self.backend.read(prompts, injected)


def open_bench(model: str = "builtin:smollm2-135m", *, remembering: bool = True) -> Bench:
    """Open a model in bfloat16, as the default policy does.

    Remembering keeps adapters and readings in the cache, so that further probes need no training.
    """
    spec = ModelSpec(id=model, dtype="bfloat16")
    backend = load("backends", "local").open_backend(spec, cache_root(), None, Silent())
    label = model.split(":")[-1] if model.startswith("builtin:") else Path(model).name
    store = open_store(cache_root() / "truth") if remembering else MemoryStore()
    return Bench(label, CachingBackend(backend, store, Silent()), MethodSpec())
