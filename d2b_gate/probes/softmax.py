"""Log-probabilities to shares, in plain Python: a dozen numbers do not deserve numpy's start-up."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from d2b_gate.core.errors import EvaluationError

if TYPE_CHECKING:
    from d2b_gate.core.reading import LogProbs


def softmax(log_probs: LogProbs) -> tuple[float, ...]:
    """Shares that sum to 1; stable for any finite log-probabilities.

    Raises:
        EvaluationError: a log-probability is not finite, so the model is broken or overflowed.
    """
    finite_or_raise(log_probs)
    top = max(log_probs)
    weights = [math.exp(value - top) for value in log_probs]
    total = math.fsum(weights)
    return tuple(weight / total for weight in weights)


def finite_or_raise(log_probs: LogProbs) -> None:
    """Refuse NaN and infinities, which would otherwise travel into a verdict."""
    if not all(map(math.isfinite, log_probs)):
        raise EvaluationError(
            "the model returned a log-probability that is not finite", remedy='try dtype = "float32" or another model'
        )
