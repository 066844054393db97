"""A backend whose computed rows are counted: what is remembered never comes this far."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from d2b_gate.core.drawing import Drawing
    from d2b_gate.core.features import Adapter, Injected, Injection, Kept, Pooling, Site, States
    from d2b_gate.core.finetune import FinetunePlan
    from d2b_gate.core.plan import TunePlan
    from d2b_gate.core.ports import Backend, ModelCard, RowLength
    from d2b_gate.core.reading import LogProbs, Prompt, Vocabulary
    from d2b_gate.core.rows import Row


class CountedBackend:
    """Passes every verb on; ``count`` is told a verb and how many rows it computes."""

    def __init__(self, inner: Backend, count: Callable[[str, int], None]) -> None:
        self._inner = inner
        self._count = count

    @property
    def card(self) -> ModelCard:
        """As the inner one."""
        return self._inner.card

    @property
    def keeps_adapters(self) -> bool:
        """As the inner one."""
        return self._inner.keeps_adapters

    def lengths(self, rows: Sequence[Row]) -> tuple[RowLength, ...]:
        """Token counts per row."""
        self._count("lengths", len(rows))
        return self._inner.lengths(rows)

    def states(self, rows: Sequence[Row], pooling: Pooling, sites: Sequence[Site] = ()) -> States:
        """Hidden states per row."""
        self._count("states", len(rows))
        return self._inner.states(rows, pooling, sites)

    def gradients(self, rows: Sequence[Row]) -> States:
        """Activation gradients per row."""
        self._count("gradients", len(rows))
        return self._inner.gradients(rows)

    def tune(self, plan: TunePlan) -> Injection:
        """Tuned vectors."""
        self._count("tune", len(plan.rows))
        return self._inner.tune(plan)

    def finetune(self, plan: FinetunePlan) -> Adapter | Kept:
        """A trained adapter."""
        self._count("finetune", len(plan.rows))
        return self._inner.finetune(plan)

    def read(self, prompts: Sequence[Prompt], injection: Injected) -> tuple[LogProbs, ...]:
        """Log-probabilities of the prompts' continuations."""
        return self._inner.read(prompts, injection)

    def sensitivities(self, prompts: Sequence[Prompt], coefficients: Sequence[tuple[float, ...]]) -> States:
        """Gradients of the prompts' scores."""
        return self._inner.sensitivities(prompts, coefficients)

    def complete(
        self, prompts: Sequence[Prompt], injection: Injected, drawings: Sequence[Drawing], max_tokens: int
    ) -> tuple[str, ...]:
        """Answers as text."""
        return self._inner.complete(prompts, injection, drawings, max_tokens)

    def vocabulary(self, prompts: Sequence[Prompt], injection: Injected) -> Vocabulary:
        """Shares of all tokens."""
        return self._inner.vocabulary(prompts, injection)

    def token_texts(self, tokens: Sequence[int]) -> tuple[str, ...]:
        """Texts of tokens."""
        return self._inner.token_texts(tokens)
