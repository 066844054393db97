"""`mdf-gradient`: the same algebra as MDF with another feature, the gradient of the loss at an injected vector.

    g_i[l] = d loss_i / d v_l at v = 0        G = weighted mean of g_i        a~_l = a_l - c * P(G)_l

P divides every coordinate by the root mean square of the rows' gradients there, as Adam does in its first steps, so
that coordinates count by how consistently the rows push them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from d2b_gate.core.features import Injection, signature_of
from d2b_gate.core.ports import Replies
from d2b_gate.predictors.reading import no_reach, read_injected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from d2b_gate.core.mixture import Mixture
    from d2b_gate.core.ports import Backend, Question
    from d2b_gate.core.rules import MethodSpec

TINY = 1e-12
"""Keeps a coordinate that no row pushes at zero instead of 0 / 0."""

reach = no_reach


def inject(mixture: Mixture, method: MethodSpec, backend: Backend) -> Injection:
    """Mean activation gradient per block, preconditioned, injected against its direction at ``method.alpha``.

    Shapes: vectors (blocks, width). Means accumulate in float64 in row order.
    Source: our choice; METHOD, "activation-gradient features".
    """
    rows, weights = zip(*mixture.weighted(), strict=True)
    states = backend.gradients(rows)
    signature = signature_of(states, weights)
    mean_ld = signature.mean_ld()
    rms_ld = np.sqrt(signature.squares_ld / signature.count)
    return Injection(states.sites, (-mean_ld / (rms_ld + TINY)).astype("float32"), scale=method.alpha)


def read(
    questions: Sequence[Question], injection: Injection, method: MethodSpec, backend: Backend
) -> tuple[Replies, ...]:
    """Read under the injection, or by the first order of the values around the untouched model."""
    if method.reading == "injected" or not injection.sites:
        return read_injected(questions, injection, method, backend)
    return tuple(_first_order(question, injection, backend) for question in questions)


def _first_order(question: Question, injection: Injection, backend: Backend) -> Replies:
    """value(v) ~ value(0) + <d value / d v, v>, clipped to the probe's range."""
    untouched = Injection((), injection.vectors_ld[:0])
    log_probs = backend.read(question.prompts, untouched)
    values = question.kind.values(question.probe, question.target, log_probs)
    coefficients = question.kind.coefficients(question.probe, question.target, log_probs)
    slopes_nld = backend.sensitivities(question.prompts, coefficients).values_nld.astype("float64")
    moves = (slopes_nld * (injection.vectors_ld.astype("float64") * injection.scale)).sum(axis=(1, 2))
    low, high = question.probe.low, question.probe.high
    return Replies(tuple(min(high, max(low, v + float(m))) for v, m in zip(values, moves, strict=True)), ())
