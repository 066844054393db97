"""`mdf-tuned`: the injected vectors are the feature, tuned by a few Adam steps on the training loss.

No parameter of the model changes; what is tuned is one vector per block, from zero, over a seeded subsample of rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.core.mixture import reach_of, tune_plan
from d2b_gate.predictors.reading import read_injected

if TYPE_CHECKING:
    from d2b_gate.core.features import Injection
    from d2b_gate.core.mixture import Mixture
    from d2b_gate.core.ports import Backend
    from d2b_gate.core.rules import MethodSpec

read = read_injected
reach = reach_of


def inject(mixture: Mixture, method: MethodSpec, backend: Backend) -> Injection:
    """Tune the vectors on the mixture's plan.

    Shapes: vectors (blocks, width), scale 1. Source: our choice; METHOD, "tuned".
    """
    return backend.tune(tune_plan(mixture, method))
