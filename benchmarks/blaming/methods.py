"""The ways to rank rows by what they contribute to a behaviour. Larger scores mean more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.scoring.keyword import FOREIGN, foreign, hit
from d2b_gate.gate.measure import no_injection

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from benchmarks.blaming.cases import Case
    from benchmarks.truth.bench import Bench
    from d2b_gate.core.ports import Question


@dataclass(frozen=True, slots=True)
class Method:
    """How one method ranks, and what it costs: backward passes per changed row."""

    rank: Callable[[Bench, Case, Question], Sequence[float]]
    kind: str  # "method" or "baseline"
    passes: float
    about: str


def at_random(_bench: Bench, case: Case, _question: Question) -> list[float]:
    """Every row alike: the expected precision of a random order."""
    return [0.0] * len(case.rows)


def by_keyword(_bench: Bench, case: Case, _question: Question) -> list[float]:
    """Rows in which a reviewer's word for the behaviour stands; for a foreign language its letters."""
    if case.behaviour == FOREIGN:
        return [foreign((row,)) for row in case.rows]
    return [float(hit(row, case.behaviour)) for row in case.rows]


def slope_of(bench: Bench, question: Question) -> NDArray[np.float64]:
    """Gradient of the question's mean value with respect to vectors after each block. Shapes: (blocks, width)."""
    log_probs = bench.read(question.prompts, no_injection(bench.backend.card))
    coefficients = question.kind.coefficients(question.probe, question.target, log_probs)
    states = bench.backend.sensitivities(question.prompts, coefficients)
    mean_ld: NDArray[np.float64] = states.values_nld.astype("float64").mean(axis=0)
    return mean_ld


def by_activation_gradient(bench: Bench, case: Case, question: Question) -> list[float]:
    """-<slope, g_i / rms>: every row on its own, coordinates divided by their root mean square over the rows."""
    values_nld = bench.backend.gradients(case.rows).values_nld.astype("float64")
    rms_ld = (values_nld**2).mean(axis=0) ** 0.5
    parts = -(values_nld / (rms_ld + 1e-12) * slope_of(bench, question)).sum(axis=(1, 2))
    return [float(part) for part in parts]


METHODS: Mapping[str, Method] = {
    "random": Method(at_random, "baseline", 0.0, "every order equally likely"),
    "keyword": Method(by_keyword, "baseline", 0.0, "words a reviewer would search for"),
    "activation-gradient": Method(by_activation_gradient, "method", 1.0, "each row's gradient on its own"),
}
