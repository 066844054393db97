"""The ways to rank rows by what they contribute to a behaviour. Larger scores mean more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.scoring.keyword import FOREIGN, foreign, hit
from d2b_gate.core.contribution import TINY, contributions, late
from d2b_gate.gate.blaming import Suit, parts_alone
from d2b_gate.gate.explain import slope_of

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


def by_activation_gradient(bench: Bench, case: Case, question: Question) -> list[float]:
    """-<slope, g_i / rms>: every row on its own, coordinates divided by their root mean square over the rows."""
    values_nld = bench.backend.gradients(case.rows).values_nld.astype("float64")
    rms_ld = (values_nld**2).mean(axis=0) ** 0.5
    parts = -(values_nld / (rms_ld + TINY) * slope_of(question, bench.backend)).sum(axis=(1, 2))
    return [float(part) for part in parts]


def by_late_blocks(bench: Bench, case: Case, question: Question) -> list[float]:
    """The same over the last third of the blocks."""
    values_nld, slope_ld = _late(bench, case, question)
    rms_ld = (values_nld**2).mean(axis=0) ** 0.5
    parts = -(values_nld / (rms_ld + TINY) * slope_ld).sum(axis=(1, 2))
    return [float(part) for part in parts]


def _late(bench: Bench, case: Case, question: Question) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    first = late(bench.backend.card.blocks)
    gradients_nld = bench.backend.gradients(case.rows).values_nld
    return gradients_nld[:, first:].astype("float64"), slope_of(question, bench.backend)[first:]


def by_groups_alone(bench: Bench, case: Case, question: Question) -> list[float]:
    """What the gate does: groups of rows tried alone, and where none stands out, bounded coordinates."""
    own = by_bounded_coordinates(bench, case, question)
    return list(parts_alone(Suit(case.rows, question, 1.0, bench.backend), own)) or own


def by_bounded_coordinates(bench: Bench, case: Case, question: Question) -> list[float]:
    """What the gate does where no group of rows stands out."""
    return list(contributions(bench.backend.gradients(case.rows).values_nld, slope_of(question, bench.backend)))


RIDGE = 1.0
"""Weight of the ridge in units of the rows' mean squared length: a part that no similar row shares shrinks by half."""


def by_similar_rows(bench: Bench, case: Case, question: Question) -> list[float]:
    """Parts of the late blocks, each smoothed over the rows with similar gradients by a kernel ridge regression."""
    import numpy as np

    values_nld, slope_ld = _late(bench, case, question)
    rms_ld = (values_nld**2).mean(axis=0) ** 0.5
    rows_nd = -(values_nld / (rms_ld + TINY)).reshape(len(values_nld), -1)
    parts_n = rows_nd @ slope_ld.reshape(-1)
    apart_nd = rows_nd - rows_nd.mean(axis=0)
    scale_n = np.sqrt(np.linalg.norm(apart_nd, axis=1))
    apart_nd /= scale_n[:, None]
    kernel_nn = apart_nd @ apart_nd.T
    ridge_nn = RIDGE * np.trace(kernel_nn) / len(kernel_nn) * np.eye(len(kernel_nn))
    smooth_n = kernel_nn @ np.linalg.solve(kernel_nn + ridge_nn, (parts_n - parts_n.mean()) / scale_n)
    return [float(part) for part in smooth_n]


METHODS: Mapping[str, Method] = {
    "random": Method(at_random, "baseline", 0.0, "every order equally likely"),
    "keyword": Method(by_keyword, "baseline", 0.0, "words a reviewer would search for"),
    "activation-gradient": Method(by_activation_gradient, "method", 1.0, "all blocks, every row on its own"),
    "late-blocks": Method(by_late_blocks, "method", 1.0, "the last third of the blocks"),
    "bounded": Method(by_bounded_coordinates, "method", 1.0, "late blocks, every coordinate bounded"),
    "groups-alone": Method(by_groups_alone, "method", 1.0, "groups of alike rows, four tuned alone: the gate's own"),
    "similar-rows": Method(by_similar_rows, "method", 1.0, "late blocks, smoothed over rows with similar gradients"),
}
