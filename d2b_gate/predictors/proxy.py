"""`proxy-lora`: a short low-rank fine-tune on a seeded subsample, thrown away after reading.

The base model's parameters stay as they are; the adapter is the feature. Rank, optimiser and learning rate are those of
the policy's regime; rows per step are the method's, and the rows it meets are bounded, however many the data has.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from d2b_gate.core.finetune import FinetunePlan
from d2b_gate.core.mixture import reach_of, tune_plan
from d2b_gate.predictors.reading import read_injected

if TYPE_CHECKING:
    from d2b_gate.core.features import Adapter, Kept
    from d2b_gate.core.mixture import Mixture
    from d2b_gate.core.ports import Backend
    from d2b_gate.core.rules import MethodSpec

read = read_injected
reach = reach_of


def inject(mixture: Mixture, method: MethodSpec, backend: Backend) -> Adapter | Kept:
    """Train an adapter on the mixture's plan, by the regime, at ``method.adapter_rate`` times its learning rate.

    Source: our choice; METHOD, "a short LoRA thrown away after reading".
    """
    plan = tune_plan(mixture, method)
    regime = replace(method.regime, learning_rate=method.regime.learning_rate * method.adapter_rate)
    return backend.finetune(FinetunePlan(plan.rows, tuple(step.rows for step in plan.steps), regime, method.seed))
