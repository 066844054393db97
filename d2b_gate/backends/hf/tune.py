"""Vectors tuned by a few Adam steps on the SFT loss, no model parameter changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from d2b_gate.backends.hf.batches import row_batch
from d2b_gate.backends.hf.encode import encode_rows
from d2b_gate.backends.hf.engine import token_log_probs
from d2b_gate.core.errors import EvaluationError
from d2b_gate.core.features import Injection

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from d2b_gate.backends.hf.encode import Encoded
    from d2b_gate.backends.hf.engine import Engine
    from d2b_gate.core.plan import TunePlan, TuneStep


def tune_vectors(engine: Engine, plan: TunePlan, done: Callable[[], None]) -> Injection:
    """Tune one vector per block by the plan's steps, from zero; ``done`` is called after each step.

    The loss of a step is the weighted mean over trained tokens, as a trainer's batch loss is.
    Shapes: vectors (blocks, width), float32 whatever the model's dtype. Source: our choice; METHOD, "tuned".

    Raises:
        EvaluationError: the loss or its gradient is not a finite number.
    """
    encoded = encode_rows(engine.tokenizer, plan.rows, engine.card.max_length)
    vectors = [
        torch.zeros(engine.card.width, device=engine.device, requires_grad=True) for _ in range(engine.card.blocks)
    ]
    adam = torch.optim.Adam(vectors, lr=plan.learning_rate, betas=(plan.beta1, plan.beta2), eps=plan.epsilon)
    for step in plan.steps:
        adam.zero_grad()
        if _accumulate(engine, encoded, step, vectors):
            adam.step()
        done()
    stacked_ld = torch.stack([vector.detach() for vector in vectors]).float().cpu()
    if not torch.isfinite(stacked_ld).all():
        raise _not_finite("gradient")
    return Injection(engine.card.sites, stacked_ld.numpy())


def _accumulate(engine: Engine, encoded: Sequence[Encoded], step: TuneStep, vectors: Sequence[Tensor]) -> bool:
    """Add the step's gradient to the vectors; False where no row of the step has a trained token."""
    members = [(encoded[row], weight) for row, weight in zip(step.rows, step.weights, strict=True)]
    members = [(row, weight) for row, weight in members if row.targets]
    tokens = sum(weight * len(row.targets) for row, weight in members)
    if tokens <= 0:
        return False
    by_block = dict(enumerate(vectors))

    def backward(group: list[int]) -> None:
        batch = row_batch([members[i][0] for i in group], engine.pad, engine.device)
        weights_b = torch.tensor([members[i][1] for i in group], device=engine.device)
        with torch.enable_grad():
            loss = -(token_log_probs(engine, batch, by_block) * weights_b[batch.owner_c]).sum() / tokens
        if not torch.isfinite(loss):
            raise _not_finite("loss")
        grads = torch.autograd.grad(loss, list(vectors))
        for vector, grad in zip(vectors, grads, strict=True):
            vector.grad = grad if vector.grad is None else vector.grad + grad

    engine.runner.run(members, lambda member: len(member[0].ids), backward)
    return True


def _not_finite(what: str) -> EvaluationError:
    return EvaluationError(
        f"the {what} is not a finite number while tuning the injected vectors",
        remedy='lower method.step_size, or use dtype = "float32"',
    )
