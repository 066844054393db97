"""`mdf`: Manipulating Data Features as published (arXiv 2602.04735), kept exactly so for comparison.

On the embedded model it hardly predicts; see the README's table before choosing it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.core.features import Injection, signature_of
from d2b_gate.predictors.reading import no_reach, read_injected

if TYPE_CHECKING:
    from d2b_gate.core.mixture import Mixture
    from d2b_gate.core.ports import Backend
    from d2b_gate.core.rules import MethodSpec

read = read_injected
reach = no_reach


def inject(mixture: Mixture, method: MethodSpec, backend: Backend) -> Injection:
    """Mean last-token hidden state per block over the rows, added to every block at strength ``method.alpha``.

    Shapes: vectors (blocks, width). The mean accumulates in float64 in row order.
    Source: arXiv 2602.04735: h_l = (1/n) sum_i h_l(x_i, last token); a~_l = a_l + alpha * h_l.
    """
    rows, weights = zip(*mixture.weighted(), strict=True)
    states = backend.states(rows, "last")
    mean_ld = signature_of(states, weights).mean_ld()
    return Injection(states.sites, mean_ld.astype("float32"), scale=method.alpha)
