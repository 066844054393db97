"""A push of random direction and of a real one's size: what a predictor reads where there is nothing to read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from d2b_gate.core.errors import EvaluationError
from d2b_gate.core.features import Adapter, Injection, Kept
from d2b_gate.core.mixture import Mixture
from d2b_gate.gate.foretell import foretold
from d2b_gate.gate.measure import untouched

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from d2b_gate.core.features import Injected
    from d2b_gate.core.ports import Question
    from d2b_gate.core.rows import Row
    from d2b_gate.core.rules import MethodSpec
    from d2b_gate.gate.foretell import Foretold
    from d2b_gate.gate.ports import Ports


def random_push(
    rows: Sequence[Row], questions: Sequence[Question], method: MethodSpec, draw: int, ports: Ports
) -> tuple[Foretold, ...]:
    """Shift per question under random vectors (or an adapter) with the norms of what ``rows`` give."""
    real = ports.predictor.inject(Mixture((), tuple(rows), 1.0, float(len(rows))), method, ports.backend)
    before = ports.predictor.read(questions, untouched(ports), method, ports.backend)
    after = ports.predictor.read(questions, _scrambled(real, draw), method, ports.backend)
    return tuple(foretold(*each) for each in zip(questions, before, after, strict=True))


def _scrambled(real: Injected, draw: int) -> Injected:
    import numpy as np

    generator = np.random.default_rng(draw)

    def like(matrix: NDArray[np.float32], axis: int | None) -> NDArray[np.float32]:
        noise = generator.standard_normal(matrix.shape)
        size = np.linalg.norm(matrix, axis=axis, keepdims=True) / np.linalg.norm(noise, axis=axis, keepdims=True)
        scaled: NDArray[np.float32] = (noise * size).astype(np.float32)
        return scaled

    if isinstance(real, Kept):
        raise EvaluationError("random pushes need an adapter's matrices", remedy="calibrate where the model runs")
    if isinstance(real, Adapter):
        downs, ups = (tuple(like(matrix, None) for matrix in side) for side in (real.downs, real.ups))
        return replace(real, downs=downs, ups=ups)
    return Injection(real.sites, like(real.vectors_ld, 1), real.scale)
