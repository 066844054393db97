"""The backend port over one local model; the model is loaded when a verb first needs it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from d2b_gate.core.fingerprint import fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from d2b_gate.backends.hf.engine import Engine
    from d2b_gate.core.drawing import Drawing
    from d2b_gate.core.features import Adapter, Injected, Injection, Pooling, Site, States
    from d2b_gate.core.finetune import FinetunePlan
    from d2b_gate.core.plan import TunePlan
    from d2b_gate.core.ports import ModelCard, Progress, RowLength
    from d2b_gate.core.reading import LogProbs, Prompt, Vocabulary
    from d2b_gate.core.rows import Row


class HfBackend:
    """`Backend` through transformers. Creating one imports no torch; ``open_engine`` does, once."""

    def __init__(self, card: ModelCard, open_engine: Callable[[], Engine], progress: Progress, work: Path) -> None:
        """``work`` is where trainings keep their progress."""
        self._card = card
        self._work = work
        self._open = open_engine
        self._progress = progress
        self._engine: Engine | None = None

    @property
    def card(self) -> ModelCard:
        """Identity of the model."""
        return self._card

    def engine(self) -> Engine:
        """Return the loaded model, loading it at the first call."""
        if self._engine is None:
            self._engine = self._open()
        return self._engine

    def beside(self, card: ModelCard, work: Path) -> HfBackend:
        """The same loaded model under a card of another length, its trainings kept at another place."""
        return HfBackend(card, lambda: replace(self.engine(), card=card), self._progress, work)

    def lengths(self, rows: Sequence[Row]) -> tuple[RowLength, ...]:
        """Token counts per row."""
        from d2b_gate.backends.hf.encode import encode_rows
        from d2b_gate.core.ports import RowLength

        encoded = encode_rows(self.engine().tokenizer, rows, self._card.max_length)
        return tuple(RowLength(len(row.ids), len(row.targets), row.cut) for row in encoded)

    def states(self, rows: Sequence[Row], pooling: Pooling, sites: Sequence[Site] = ()) -> States:
        """Hidden states per row."""
        from d2b_gate.backends.hf.extract import row_states

        return row_states(self.engine(), rows, pooling, sites)

    def gradients(self, rows: Sequence[Row]) -> States:
        """Activation gradients per row."""
        from d2b_gate.backends.hf.extract import row_gradients

        return row_gradients(self.engine(), rows)

    def tune(self, plan: TunePlan) -> Injection:
        """Vectors tuned by the plan."""
        from d2b_gate.backends.hf.tune import tune_vectors

        return tune_vectors(self.engine(), plan, self._progress.advance)

    @property
    def keeps_adapters(self) -> bool:
        """No: they are returned."""
        return False

    def finetune(self, plan: FinetunePlan) -> Adapter:
        """A low-rank adapter trained by the plan."""
        from d2b_gate.backends.hf.checkpoint import Checkpoint
        from d2b_gate.backends.hf.finetune import train_adapter

        name = fingerprint("training", (self._card, [row.key for row in plan.rows], plan.steps, plan.regime, plan.seed))
        checkpoint = Checkpoint(self._work / f"{name}.safetensors")
        return train_adapter(self.engine(), plan, self._progress.advance, checkpoint)

    def read(self, prompts: Sequence[Prompt], injection: Injected) -> tuple[LogProbs, ...]:
        """Log-probabilities of the prompts' continuations."""
        from d2b_gate.backends.hf.answer import read_prompts

        return read_prompts(self.engine(), prompts, injection)

    def sensitivities(self, prompts: Sequence[Prompt], coefficients: Sequence[tuple[float, ...]]) -> States:
        """Gradients of the prompts' scores."""
        from d2b_gate.backends.hf.answer import prompt_gradients

        return prompt_gradients(self.engine(), prompts, coefficients)

    def complete(
        self, prompts: Sequence[Prompt], injection: Injected, drawings: Sequence[Drawing], max_tokens: int
    ) -> tuple[str, ...]:
        """Answers as text."""
        from d2b_gate.backends.hf.saying import complete_prompts

        return complete_prompts(self.engine(), prompts, injection, drawings, max_tokens)

    def vocabulary(self, prompts: Sequence[Prompt], injection: Injected) -> Vocabulary:
        """Shares of all tokens where the prompts' continuations begin."""
        from d2b_gate.backends.hf.openset import read_vocabulary

        return read_vocabulary(self.engine(), prompts, injection)

    def token_texts(self, tokens: Sequence[int]) -> tuple[str, ...]:
        """Texts of tokens."""
        from d2b_gate.backends.hf.openset import texts_of

        return texts_of(self.engine().tokenizer, tokens)
