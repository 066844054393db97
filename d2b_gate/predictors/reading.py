"""Reading probes under an injection: the part that all injected predictors share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.core.ports import Replies

if TYPE_CHECKING:
    from collections.abc import Sequence

    from d2b_gate.core.features import Injected
    from d2b_gate.core.mixture import Mixture
    from d2b_gate.core.ports import Backend, Question
    from d2b_gate.core.rules import MethodSpec


def read_injected(
    questions: Sequence[Question], injection: Injected, _method: MethodSpec, backend: Backend
) -> tuple[Replies, ...]:
    """Ask the injected model every question and turn log-probabilities into values.

    Source: MDF (arXiv 2602.04735), "prediction": Phi of the injected model's answers; closed answers instead of
    sampled ones are our choice (deterministic, no judge).
    """
    return tuple(_reply(question, injection, backend) for question in questions)


def no_reach(_mixture: Mixture, _method: MethodSpec) -> float:
    """Of a predictor whose feature is a mean over rows, which training on them for longer does not change."""
    return 1.0


def _reply(question: Question, injection: Injected, backend: Backend) -> Replies:
    log_probs = backend.read(question.prompts, injection)
    return Replies(question.kind.values(question.probe, question.target, log_probs), log_probs)
