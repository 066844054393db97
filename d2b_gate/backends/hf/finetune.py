"""Really train a low-rank adapter (peft), and take it off again: the model is left as it was."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from d2b_gate.backends.hf.batches import row_batch
from d2b_gate.backends.hf.encode import encode_rows
from d2b_gate.backends.hf.engine import token_log_probs
from d2b_gate.backends.hf.lowrank import Update, updating
from d2b_gate.backends.hf.models.libraries import require
from d2b_gate.core.errors import EvaluationError
from d2b_gate.core.features import Adapter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import Tensor, nn

    from d2b_gate.backends.hf.checkpoint import Checkpoint
    from d2b_gate.backends.hf.encode import Encoded
    from d2b_gate.backends.hf.engine import Engine
    from d2b_gate.core.finetune import FinetunePlan
    from d2b_gate.core.rules import Regime

MOST_NORM = 1.0
"""Gradients are clipped at this norm, the default of the trainers that people use."""
DIVERGED = 4.0
"""A mean loss this many times the first one is no training any more."""
UNTRAINED = -1.0
"""Stands for the loss of a step without a trained token; a cross-entropy is never negative."""
WARM = 8
"""Steps whose mean loss is compared with that of the last ones."""


def train_adapter(engine: Engine, plan: FinetunePlan, done: Callable[[], None], checkpoint: Checkpoint) -> Adapter:
    """Train LoRA on every linear layer but the head by the plan; ``done`` is called after each step.

    A training that was interrupted goes on where its checkpoint left it, to the same adapter.

    The loss of a step is the mean over its trained tokens. The base model keeps its dtype, the adapter is float32 and
    multiplied in the base model's dtype (mixed precision).
    Source: LoRA, arXiv 2106.09685; laid out and drawn by peft.

    Raises:
        EvaluationError: the regime is not LoRA with AdamW, or the training diverged.
    """
    _refuse(plan.regime)
    encoded = encode_rows(engine.tokenizer, plan.rows, engine.card.max_length)
    adapted = _begin(engine.model, plan)
    _train(engine, encoded, plan, Trainee(adapted, checkpoint), done)
    checkpoint.remove()
    return _adapter(adapted, plan.regime)


def _begin(model: nn.Module, plan: FinetunePlan) -> dict[str, Update]:
    """A fresh adapter as peft lays it out and draws it, taken off the model again: it is trained through hooks.

    peft's own layers cast every input to the adapter's float32 and back, which takes longer than the products.
    """
    require("peft")
    from peft import LoraConfig, get_peft_model

    # what trains is no setting of the gate: dropout off makes a run a function of its seed alone
    config = LoraConfig(
        r=plan.regime.rank,
        lora_alpha=plan.regime.alpha,  # type: ignore[arg-type]  # declared int, used as a number
        lora_dropout=0.0,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    with torch.random.fork_rng(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of peft and transformers about each other: nothing a user could act on
        torch.manual_seed(plan.seed)
        wrapped = get_peft_model(model, config)
    try:
        drawn = {
            name: tuple(side["default"].weight.detach().float() for side in (module.lora_A, module.lora_B))
            for name, module in model.named_modules()
            if hasattr(module, "lora_A")
        }
    finally:
        wrapped.unload()
        model.requires_grad_(False)
    layers = dict(model.named_modules())
    return {
        name: Update(layers[name], down.requires_grad_(), up.requires_grad_()) for name, (down, up) in drawn.items()
    }


def _refuse(regime: Regime) -> None:
    if regime.kind != "lora" or regime.optimizer != "adamw":
        raise EvaluationError(
            f"cannot train by the regime {regime.kind!r} with {regime.optimizer!r}",
            remedy='this version trains kind = "lora" with optimizer = "adamw"',
        )


@dataclass(frozen=True, slots=True)
class Trainee:
    """The adapter by the layers' names, and where its progress is kept."""

    adapted: Mapping[str, Update]
    checkpoint: Checkpoint

    @property
    def parameters(self) -> list[Tensor]:
        """What is trained, layer by layer."""
        return [matrix for one in self.adapted.values() for matrix in (one.down, one.up)]


def _train(
    engine: Engine, encoded: Sequence[Encoded], plan: FinetunePlan, trainee: Trainee, done: Callable[[], None]
) -> None:
    trained = trainee.parameters
    optimizer = torch.optim.AdamW(trained, lr=plan.regime.learning_rate, weight_decay=0.0)
    losses = trainee.checkpoint.resume(trained, optimizer)
    for index, step in enumerate(plan.steps):
        if index >= len(losses):
            for group in optimizer.param_groups:
                group["lr"] = plan.regime.learning_rate * (1 - index / len(plan.steps))
            optimizer.zero_grad()
            losses.append(_accumulate(engine, [encoded[row] for row in step], trainee, plan.regime))
            if losses[-1] != UNTRAINED:
                _refuse_diverged(losses, plan)
                torch.nn.utils.clip_grad_norm_(trained, MOST_NORM)
                optimizer.step()
            trainee.checkpoint.keep(trained, optimizer, losses)
        done()


def _accumulate(engine: Engine, rows: Sequence[Encoded], trainee: Trainee, regime: Regime) -> float:
    """Backward over one step; returns its loss, or UNTRAINED where no row has a trained token."""
    members = [row for row in rows if row.targets]
    tokens = sum(len(row.targets) for row in members)
    if not tokens:
        return UNTRAINED
    losses: list[float] = []
    trained, updates = trainee.parameters, tuple(trainee.adapted.values())

    def backward(group: list[int]) -> None:
        batch = row_batch([members[i] for i in group], engine.pad, engine.device)
        with torch.enable_grad(), updating(updates, regime.alpha / regime.rank, engine.dtype):
            loss = -token_log_probs(engine, batch, {}).sum() / tokens
            grads = torch.autograd.grad(loss, trained, allow_unused=True)
        # only now, for a group that runs out of memory is run again in parts
        losses.append(float(loss.detach()))
        for parameter, grad in zip(trained, grads, strict=True):
            if grad is not None:
                parameter.grad = grad if parameter.grad is None else parameter.grad + grad

    engine.runner.run(members, lambda row: len(row.ids), backward)
    return sum(losses)


def _refuse_diverged(losses: Sequence[float], plan: FinetunePlan) -> None:
    """Not a number at once; too large as a mean over a few steps, so that one hard batch is no divergence."""
    seen = [loss for loss in losses if loss != UNTRAINED]
    first, last = sum(seen[:WARM]) / len(seen[:WARM]), sum(seen[-WARM:]) / len(seen[-WARM:])
    if math.isfinite(losses[-1]) and not (len(seen) >= 2 * WARM and last > DIVERGED * first):
        return
    raise EvaluationError(
        f"the training diverged at step {len(losses)} of {len(plan.steps)}: loss {losses[-1]:.3g} after {seen[0]:.3g}",
        remedy="lower method.regime.learning_rate, which is also what the real training would need",
    )


def _adapter(adapted: Mapping[str, Update], regime: Regime) -> Adapter:
    downs, ups = (
        tuple(matrix.detach().cpu().numpy() for matrix in side)
        for side in ([one.down for one in adapted.values()], [one.up for one in adapted.values()])
    )
    return Adapter(tuple(adapted), downs, ups, regime.alpha / regime.rank)
